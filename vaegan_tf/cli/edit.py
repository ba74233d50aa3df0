"""Edits images along attribute vectors, with a trained model.

Takes your own image files, or test images of the data set that the model was
trained on. Shows for each the original, the reconstruction and one column for
each attribute; or strips over strengths, paths between two images, or a random
walk. Writes a PNG, or a GIF or MP4 of the frames; a folder, if --output ends
in a slash, gets a file for each image with all attributes at once.
"""

import pathlib

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import ImageChoice, TrainedModel
from vaegan_tf.settings import MAX_SEED, named_number, setting
from vaegan_tf.settings.choices import KEEP, PATHS, VECTORS

SHOWN = ("figure", "strip", "interpolation", "walk")
FORMATS = (".png", "/")
MOVING = (".png", ".gif", ".mp4")


class EditSettings(ImageChoice):
    """Which images, and what is done to them."""

    count: int = setting(8, "How many of these.", low=1, high=1000)
    attribute: tuple[str, ...] | None = setting(
        None,
        "Attributes to put on, or with a leading minus to take off, such as "
        "Eyeglasses,-Smiling; name=number for a strength of its own (default: "
        "all, each by itself).",
    )
    strength: float = setting(
        1.0,
        "How often the vector is added: 1 is the difference between images "
        "with and without the attribute.",
        low=-100,
        high=100,
    )
    vectors: str = setting(
        "balanced", "Kind of vectors; see vaegan-attributes.", choices=VECTORS
    )
    keep: str = setting(
        "none",
        "residual adds to the edit what the reconstruction had lost of the "
        "image, where the edit changed little.",
        choices=KEEP,
    )
    show: str = setting(
        "figure",
        "A column for each attribute; strips from minus to plus the strength; "
        "interpolation from each image to the next; a random walk from each.",
        choices=SHOWN,
    )
    frames: int = setting(9, "Frames of strips and paths.", low=2, high=10_000)
    path: str = setting(
        "spherical",
        "Interpolation on a straight line, or keeping the length of codes.",
        choices=PATHS,
    )
    seed: int = setting(0, "Seed of random walks.", low=0, high=MAX_SEED)
    output: str = setting(
        "edits.png",
        "File to write, .png, .gif or .mp4; a folder if it ends in a slash.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed = FORMATS if self.show == "figure" else MOVING
        if not self.output.lower().endswith(allowed):
            raise ValueError(
                f"--output must end in {', '.join(allowed)} for "
                f"--show={self.show}. Received: {self.output!r}."
            )
        for item in self.attribute or ():
            strength_of(item, self.strength)


def strength_of(item: str, strength: float) -> tuple[str, float]:
    """An attribute's name and how often its vector is added.

    Raises:
        ValueError: If the number is none.
    """
    name, number = named_number(item, strength)
    if not abs(number) <= 100:  # Also if there is none.
        raise ValueError(
            "--attribute takes name, -name or name=number, the number between "
            f"-100 and 100. Received: {item!r}."
        )
    sign = -1.0 if name.startswith("-") else 1.0
    return name.removeprefix("-"), sign * number


def main(model: TrainedModel, images: EditSettings) -> None:
    """Loads model, vectors and images, edits, writes."""
    import numpy as np

    from vaegan_tf.attributes.edits import Editor
    from vaegan_tf.cli.images import check_output, read, write
    from vaegan_tf.images import write_png

    count = len(images.images) if images.images else images.count
    each = 1 if images.show == "figure" else images.frames
    check_output(images.output, count * each)
    given = read(model.run, images.images) if images.images else None
    run, trained, _ = model.open("encode", "reconstruct")
    directions = {}
    if images.show in ("figure", "strip"):
        directions = _directions(run, trained, model.checkpoint, images)
    if given is None:
        given = run.examples(images.split, images.count)["image"]
    editor = Editor(trained, images.keep)
    if images.output.endswith("/"):
        together = np.sum(list(directions.values()), axis=0)
        write(images.output, editor.edit(given, together))
    elif images.show == "figure":
        write_png(images.output, editor.figure(given, directions))
    else:
        _write_frames(editor, given, directions, images)
    logging.info("Wrote %s.", images.output)


def _directions(run, trained, checkpoint, images):
    """What is added to codes, by the name of its column or row."""
    from vaegan_tf.attributes import attribute_vectors

    vectors = attribute_vectors(run, checkpoint=checkpoint, model=trained)
    directions = {}
    for item in images.attribute or vectors.names:
        name, strength = strength_of(item, images.strength)
        label = f"{'-' if strength < 0 else '+'} {name}"
        if "=" in item:
            label += f" {abs(strength):g}"
        directions[label] = vectors.direction({name: strength}, images.vectors)
    return directions


def _write_frames(editor, given, directions, images):
    """Strips and paths: rows of frames, side by side or in time."""
    import numpy as np

    from vaegan_tf import images as layout
    from vaegan_tf.attributes.figures import labelled_grid

    columns, names = [""] * images.frames, []
    if images.show == "strip":
        shares = np.linspace(-1, 1, images.frames)
        columns = [f"{share:+.2g}" for share in shares]
        names = [name.lstrip("+- ") for name in directions] * len(given)
        rows = editor.strips(given, directions.values(), shares)
    elif images.show == "walk":
        rows = editor.walks(given, images.frames, images.seed)
    else:
        rows = editor.interpolations(given, images.frames, images.path)
    path = pathlib.Path(images.output).expanduser()
    if path.suffix.lower() == ".png":
        layout.write_png(path, labelled_grid(rows, columns, names))
        return
    moving = layout.moving(rows)
    if images.show != "walk":  # There and back again.
        moving += moving[-2:0:-1]
    layout.write_film(path, moving, milliseconds=80)


command = app.Command(main, __doc__, positional="images")


if __name__ == "__main__":
    command()
