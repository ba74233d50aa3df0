"""What the commands that show images share: reading, conditions, writing."""

import os
import pathlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf import images as layout
from vaegan_tf.data import transforms
from vaegan_tf.data.faces import can_find_faces
from vaegan_tf.data.photographs import cut, is_of_faces
from vaegan_tf.models import GenerativeModel
from vaegan_tf.patch import HPVAEGAN
from vaegan_tf.patch.harmonise import softened
from vaegan_tf.runs import Run
from vaegan_tf.settings import DataSettings, named_number

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
        name, number = named_number(item, 1.0)
        if name not in known:
            raise ValueError(
                f"--condition names {name!r}, which the model does not know. "
                f"It knows: {', '.join(known)}."
            )
        if not np.isfinite(number):
            raise ValueError(
                f"--condition takes name or name=number. Received: {item!r}."
            )
        attributes[:, known.index(name)] = number
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


def check_drawings(output: str, count: int, shape: Sequence[int]) -> None:
    """Refuses, before any work, what `write_drawings` could not write.

    Raises:
        ValueError: As `check_output`, or if a picture shall move.
        OSError: If nothing can be written there.
    """
    is_clip = len(shape) == 3
    check_output(output, count * (shape[0] if is_clip else 1))
    allowed = (".png", ".gif", ".mp4", "/") if is_clip else (".png", "/")
    if not output.lower().endswith(allowed):
        raise ValueError(
            f"--output must end in {', '.join(allowed)} for "
            f"{'clips' if is_clip else 'pictures'}. Received: {output!r}."
        )


def example_of(
    run: Run, model: HPVAEGAN, path: str | None = None
) -> np.ndarray:
    """What a model refines: its own example, or a picture of the user's.

    Returns:
        float32 (1, *sizes, channels) in [−1, 1]; a picture given to a model
        of clips stands still.
    """
    if path is None:
        return run.dataset().batch
    image = transforms.to_float({"image": layout.read_image(path)})["image"]
    still = np.asarray(image)[None]
    if model.pyramid.is_clip:
        still = np.repeat(still[None], model.shape[0], axis=1)
    return still


def mask_of(path: str, start: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Where in a picture of the user's something new is drawn; `softened`.

    Args:
        path: The mask's file.
        start: The picture, (1, height, width, channels).
        shape: Height and width of samples.

    Raises:
        ValueError: If the mask has not the picture's size.
    """
    mask = layout.read_image(path)
    if mask.shape[:2] != start.shape[1:3]:
        sizes = [
            f"{image[1]} × {image[0]}"
            for image in (start.shape[1:], mask.shape)
        ]
        raise ValueError(
            f"--mask must have the size of --start, {sizes[0]}. "
            f"Received: {path} of {sizes[1]}."
        )
    return softened(mask, shape)


def write_drawings(output: str, samples: np.ndarray, first: int = 0) -> None:
    """Writes samples of a model of one picture or clip.

    Args:
        output: A PNG, where clips lie frame by frame; a GIF or MP4, where they
            move side by side; or a folder if it ends in a slash, of a PNG or
            GIF each, without a frame.
        samples: (count, *shape, channels) in [−1, 1].
        first: Number of the first sample, for names of files.
    """
    path = pathlib.Path(output).expanduser()
    if output.endswith("/"):
        suffix = "gif" if samples.ndim == 5 else "png"
        for index, sample in enumerate(samples, start=first):
            _write_drawn(path / f"{index:05d}.{suffix}", sample[None], 0)
    else:
        _write_drawn(path, samples, padding=2)


def _write_drawn(path: pathlib.Path, samples: np.ndarray, padding: int) -> None:
    if path.suffix.lower() == ".png":
        layout.write_png(path, layout.strips(samples, padding))
    else:
        frames = layout.moving(samples, padding)
        layout.write_film(path, frames, layout.CLIP_MILLISECONDS)
