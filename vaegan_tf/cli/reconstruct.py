"""Encodes images and decodes their codes with a trained model.

Takes your own image files, or held-out images of the data set the model was
trained on. Files are cut to the central square; for a model of CelebA, images
of its size are cut as for the training, and with the extra `faces` the faces in
others are found and aligned. Writes one image grid, originals above
reconstructions, or a file for each reconstruction if --output ends in a slash.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import SPLITS, ConditionSettings, TrainedModel
from vaegan_tf.settings import setting


class ReconstructSettings(ConditionSettings):
    """Which images, and where their reconstructions go."""

    images: tuple[str, ...] | None = setting(
        None, "Image files (default: images of the data set)."
    )
    split: str = setting(
        "test",
        "Part of the data set to take images from if no file is given.",
        choices=SPLITS,
    )
    count: int = setting(32, "How many of these.", low=1)
    output: str = setting(
        "reconstructions.png",
        "File to write; a folder if it ends in a slash.",
    )


def main(model: TrainedModel, images: ReconstructSettings) -> None:
    """Loads model and images, reconstructs, writes."""
    from vaegan_tf.cli.images import check_output, conditions, read, write

    count = len(images.images) if images.images else images.count
    check_output(images.output, count)
    run, trained, _ = model.open("reconstruct")
    if images.images:
        example = {"image": read(run, images.images)}
    else:
        example = run.examples(images.split, images.count)
    original = example["image"]
    if images.images or images.condition is not None:
        given = conditions(images.condition, run, trained, len(original))
        example |= {} if given is None else {"attributes": given}
    write(images.output, trained.reconstruct(**example).numpy(), original)
    logging.info("Wrote %d images to %s.", len(original), images.output)


command = app.Command(main, __doc__, positional="images")


if __name__ == "__main__":
    command()
