"""What the commands that show images share: reading, conditions, writing."""

import os
import pathlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf import images as layout
from vaegan_tf.data.faces import can_find_faces
from vaegan_tf.data.photographs import cut, is_of_faces
from vaegan_tf.models import GenerativeModel
from vaegan_tf.runs import Run
from vaegan_tf.settings import DataSettings

MOST_IN_GRID = 10_000


def read(run: Run, paths: Sequence[str | os.PathLike]) -> np.ndarray:
    """Image files as a run's model takes them; see `data.photographs.cut`.

    Returns:
        Images in [−1, 1], float32 (files, height, width, channels).
    """
    data = cast(DataSettings, run.settings.data)
    if is_of_faces(data) and not can_find_faces():
        logging.info(
            "Images are cut to the central square. To find faces in them and "
            "align these as CelebA's: pip install 'vaegan-tf[faces]'."
        )
    local = [pathlib.Path(path).expanduser() for path in paths]
    return np.stack([cut(layout.read_image(f), data).image for f in local])


def conditions(
    items: Sequence[str] | None, run: Run, model: GenerativeModel, count: int
) -> np.ndarray | None:
    """The attributes that a run's model is given, the same for each image.

    `items` are those present, as `name`, which is 1, or `name=value`; all
    others are 0.

    Returns:
        float32 (count, num_attributes); `None` if the model takes none.

    Raises:
        ValueError: If an attribute is unknown, its value is no finite number,
            or the model is not conditional.
    """
    if not model.num_attributes:
        if items:
            raise ValueError(
                "--condition is for conditional models; this one was trained "
                "without --conditional."
            )
        return None
    known = run.read()["attribute_names"]
    attributes = np.zeros((count, len(known)), np.float32)
    for item in items or []:
        name, equals, value = item.partition("=")
        if name not in known:
            raise ValueError(
                f"--condition names {name!r}, which the model does not know. "
                f"It knows: {', '.join(known)}."
            )
        attributes[:, known.index(name)] = _number(value, item) if equals else 1
    return attributes


def check_output(output: str, count: int) -> None:
    """Refuses, before any work, what `write` could not write.

    Raises:
        ValueError: If the output is a URL or of the other kind, or one grid
            would be too large.
        OSError: If nothing can be written there.
    """
    if output.endswith("/"):
        files.check_output(f"{output}image.png")
        return
    files.check_output(output)
    if count > MOST_IN_GRID:
        raise ValueError(
            f"An image grid holds at most {MOST_IN_GRID:,} images. End "
            f"--output in a slash for a file each. Received: {count:,}."
        )


def write(
    output: str,
    images: np.ndarray,
    originals: np.ndarray | None = None,
    first: int = 0,
) -> None:
    """Writes images as one image grid, or one file each into a folder.

    Args:
        output: A file, or a folder if it ends in a slash.
        images: Images in [−1, 1], (count, height, width, channels).
        originals: What they are reconstructions of, shown above them in a grid.
        first: Number of the first image, for names of files.
    """
    path = pathlib.Path(output).expanduser()
    if output.endswith("/"):
        for index, image in enumerate(images, start=first):
            cell = layout.grid(image[None], padding=0)
            layout.write_png(path / f"{index:05d}.png", cell)
    elif originals is None:
        layout.write_png(path, layout.grid(images))
    else:
        layout.write_png(path, layout.pairs_grid([originals, images]))


def _number(text: str, item: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(
            f"--condition takes name or name=number. Received: {item!r}."
        )
    return number
