"""Encodes images and decodes their codes with a trained model.

Takes your own image files, or held-out images of the data set the model was
trained on. Files are cut to the central square; for a model of CelebA, images
of its size are cut as for the training, and with the extra `faces` the faces in
others are found and aligned. Writes one image grid, originals above
reconstructions, or a file for each reconstruction if --output ends in a slash.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import ConditionSettings, ImageChoice, TrainedModel
from vaegan_tf.settings import setting

BATCH_SIZE = 64


class ReconstructSettings(ConditionSettings, ImageChoice):
    """Which images, and where their reconstructions go."""

    count: int = setting(32, "How many of these.", low=1)
    output: str = setting(
        "reconstructions.png",
        "File to write; a folder if it ends in a slash.",
    )


def main(model: TrainedModel, images: ReconstructSettings) -> None:
    """Loads model and images, reconstructs, writes."""
    import numpy as np

    from vaegan_tf.cli.images import check_output, conditions, write

    count = len(images.images) if images.images else images.count
    check_output(images.output, count)
    run, trained, _ = model.open("reconstruct")
    shown, done = [], 0
    for example in _batches(run, images):
        original = example["image"]
        if images.images or images.condition is not None:
            given = conditions(images.condition, run, trained, len(original))
            example |= {} if given is None else {"attributes": given}
        shown.append((original, trained.reconstruct(**example).numpy()))
        if images.output.endswith("/"):  # As they come, not all at once.
            write(images.output, shown.pop()[1], first=done)
        done += len(original)
    if shown:
        originals, reconstructions = map(np.concatenate, zip(*shown))
        write(images.output, reconstructions, originals)
    logging.info("Wrote %d images to %s.", done, images.output)


def _batches(run, images):
    """Examples of the files, or the first of the data set's split."""
    from vaegan_tf.cli.images import read

    if images.images:  # All of them first: one that is none stops it here.
        example = {"image": read(run, images.images)}
    elif run.keeps(images.split, images.count):
        example = run.examples(images.split, images.count)
    else:
        yield from _first_batches(run, images)
        return
    for start in range(0, len(example["image"]), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        yield {name: values[rows] for name, values in example.items()}


def _first_batches(run, images):
    """The first examples of the data set's split, as they are read."""
    left = images.count
    batches = run.dataset().batches(images.split, BATCH_SIZE)
    for example in batches.as_numpy_iterator():
        yield {name: values[:left] for name, values in example.items()}
        left -= len(example["image"])
        if left <= 0:
            return


command = app.Command(main, __doc__, positional="images")


if __name__ == "__main__":
    command()
