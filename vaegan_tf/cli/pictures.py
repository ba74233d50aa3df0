"""What the commands that show images share: reading, conditions, writing."""

import itertools
import pathlib

import numpy as np
from absl import logging

from vaegan_tf import images as layout
from vaegan_tf.data import load_dataset, transforms


def read(paths, image_shape, crop="square"):
    """Image files as a model takes them: cropped and resized.

    Args:
        paths: Files, or patterns of a shell that left them alone.
        image_shape: (height, width, channels) of the model.
        crop: The crop of the model's training. Where it is `celeb`, pictures
            of the size of CelebA's are cropped alike; of all others the
            central square is taken.

    Returns:
        Images in [−1, 1], float32 (files, height, width, channels).
    """
    to_model = transforms.chain(
        _crop_celeb if crop == "celeb" else transforms.crop_square,
        transforms.resize(image_shape[0]),
        transforms.to_channels(image_shape[2]),
        transforms.to_float,
    )
    images = [to_model({"image": layout.read_image(path)}) for path in paths]
    return np.stack([image["image"] for image in images])


def held_out(data, split, count):
    """The first images of a split of a run's data set, and attributes."""
    arguments = {k: v for k, v in data.items() if k != "attribute_names"}
    batches = load_dataset(**arguments).batches(split, count)
    return next(itertools.islice(batches.as_numpy_iterator(), 1))


def conditions(names, known, model):
    """The attributes that a conditional model is told, (1, num_attributes).

    Args:
        names: `name` for 1 or `name=value`, of the attributes present; `None`
            or empty for none.
        known: Names of all attributes, in the model's order.
        model: The model; without attributes the result is `None`.

    Raises:
        ValueError: If an attribute is unknown, its value is no number, or the
            model is not conditional.
    """
    if not model.num_attributes:
        if names:
            raise ValueError(
                "--condition is for conditional models; this one was trained "
                "without --conditional."
            )
        return None
    attributes = np.zeros((1, len(known)), np.float32)
    for item in names or []:
        name, _, value = item.partition("=")
        if name not in known:
            raise ValueError(
                f"--condition names {name!r}, which the model does not know. "
                f"It knows: {', '.join(known)}."
            )
        attributes[0, known.index(name)] = _number(value or "1", item)
    return attributes


def write(output, images):
    """Writes images as one picture, or one file each if a folder is meant.

    Args:
        output: A file, or a folder if it ends in a slash.
        images: Images in [−1, 1], (count, height, width, channels).
    """
    if not output.endswith("/"):
        layout.write_png(output, layout.grid(images))
    else:
        for index, image in enumerate(images):
            path = pathlib.Path(output) / f"{index:05d}.png"
            layout.write_png(path, layout.grid(image[None], padding=0))
    say_where(output, len(images))


def say_where(output, count):
    """Logs what was written where."""
    logging.info("Wrote %d images to %s.", count, output)


def _crop_celeb(example):
    if example["image"].shape[:2] != transforms.CELEB_SIZE:
        return transforms.crop_square(example)
    return transforms.crop_box(*transforms.CELEB_BOX)(example)


def _number(text, item):
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"--condition takes name or name=number. Received: {item!r}."
        ) from None
