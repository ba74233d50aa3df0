"""What the commands that show images share: reading, conditions, writing."""

import os
import pathlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf import images as layout
from vaegan_tf.data import crop_of, transforms
from vaegan_tf.data.faces import align_face, can_find_faces, find_face
from vaegan_tf.models import GenerativeModel
from vaegan_tf.runs import Run
from vaegan_tf.settings import DataSettings

MOST_IN_GRID = 10_000


def read(run: Run, paths: Sequence[str | os.PathLike]) -> np.ndarray:
    """Image files as a run's model takes them: cropped and resized.

    For a model of CelebA, images of that data set's size are cropped as for the
    training, and faces in others are found and aligned so if the extra `faces`
    is installed. Of all others the central square is taken.

    Returns:
        Images in [−1, 1], float32 (files, height, width, channels).
    """
    data = cast(DataSettings, run.settings.data)
    is_celeb = crop_of(data.dataset, data.crop) == "celeb"
    to_model = transforms.chain(
        _crop_celeb if is_celeb else transforms.crop_square,
        transforms.resize(data.image_size),
        transforms.to_channels(data.num_channels),
        transforms.to_float,
    )
    if is_celeb and not can_find_faces():
        logging.info(
            "Images are cut to the central square. To find faces in them and "
            "align these as CelebA's: pip install 'vaegan-tf[faces]'."
        )
    local = [pathlib.Path(path).expanduser() for path in paths]
    images = [to_model({"image": layout.read_image(file)}) for file in local]
    return np.stack([image["image"] for image in images])


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


def _crop_celeb(example: transforms.Example) -> transforms.Example:
    image = example["image"]
    if image.shape[:2] != transforms.CELEB_SIZE:
        face = find_face(image) if can_find_faces() else None
        if face is None:
            return transforms.crop_square(example)
        example = {**example, "image": align_face(image, face)}
    return transforms.crop_box(*transforms.CELEB_BOX)(example)


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
