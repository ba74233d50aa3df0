"""Loads a data set by name."""

import difflib
import json
import os
import tokenize
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vaegan_tf import hardware
from vaegan_tf.data import remote, sources, splits, transforms
from vaegan_tf.data.arrays import ArrayFormat, digest, prepare_arrays
from vaegan_tf.data.dataset import MEMORY_LIMIT_BYTES, ImageDataset, Split
from vaegan_tf.errors import first_line
from vaegan_tf.settings import DataSettings, check

# Raised for arrays and JSON that were cut short or changed.
_DAMAGED = (
    ValueError,
    EOFError,
    TypeError,
    AttributeError,
    SyntaxError,
    tokenize.TokenError,
    RecursionError,
)
_TORN = (
    tf.errors.DataLossError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.OutOfRangeError,
)
_CROPS = {
    "celeb": transforms.crop_box(*transforms.CELEB_BOX),
    "square": transforms.crop_square,
    "none": transforms.chain(),
}
_AUTO_CROPS = {"celeb_a": "celeb", "celeb_a_files": "celeb", "avatars": "none"}
_MOST_CLASSES = 1000


def load_dataset(
    name: str = "avatars",
    *,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
    image_size: int = 64,
    num_channels: int = 3,
    attributes: Sequence[str] | None = None,
    crop: str = "auto",
    seed: int = 0,
    memory_limit: float | None = None,
) -> ImageDataset:
    """Loads a data set of images, and prepares it first if needed.

    Args:
        name: `avatars` (or `avatars/tiny`), `celeb_a`, `celeb_a_files`,
            `image_folder`, or any data set of TFDS with an image.
        data_dir: Folder of prepared data sets; TFDS's by default. From a
            URL, such as `gs://bucket/data`, they are copied here once.
        source_dir: The folder or zip with the user's files, for
            `celeb_a_files` and `image_folder`; for `celeb_a`, the folder with
            the five official files, if they are not to be downloaded.
        image_size: Height and width of the images.
        num_channels: 3, or 1 for grey.
        attributes: Names of the attributes to keep, in order; all by default.
        crop: `celeb` (the authors' box), `square` (the central one), `none`,
            or `auto`: the first for CelebA, none for avatars, else square.
        seed: Seed of validation and test splits that the source lacks.
        memory_limit: GiB; a split's images beyond it stay on disk. By default
            4, or a third of the memory that is free if that is less.

    Raises:
        FileNotFoundError: If a file or folder is missing.
        ValueError: If the files do not make a data set.
        ConnectionError: If a download failed.
    """
    # Any size will do here; that it is one of a few is for the networks.
    DataSettings(num_channels=num_channels, crop=crop)
    check("image_size", image_size, low=1)
    if remote.is_url(data_dir):
        data_dir = remote.local_folder(data_dir, name)
    builder = sources.find_builder(name, data_dir, source_dir)
    crop = crop_of(builder.name, crop)
    _check_crop(name, crop, builder.info.features["image"].shape)
    carved = not splits.is_complete(builder.info.splits)
    seed_of_splits = seed if carved else None
    array_format = ArrayFormat(image_size, num_channels, crop, seed_of_splits)
    folder = _find_arrays(name, builder, array_format)
    return _select(name, folder, array_format, attributes, _bytes(memory_limit))


def crop_of(name: str, crop: str = "auto") -> str:
    """The crop of a data set: `celeb`, `square` or `none`, never `auto`."""
    auto = _AUTO_CROPS.get(name.partition("/")[0], "square")
    return auto if crop == "auto" else crop


def _bytes(limit):
    if limit is not None:
        return int(limit * 2**30)
    free = hardware.free_memory_bytes()
    return (
        MEMORY_LIMIT_BYTES
        if free is None
        else min(MEMORY_LIMIT_BYTES, free // 3)
    )


def _select(name, folder, array_format, attributes, memory_limit_bytes):
    """The data set of some arrays and some of their attributes."""
    available, digests, rows = _read_arrays(folder)
    columns = _columns(available, attributes)
    return ImageDataset(
        name=name,
        image_shape=array_format.image_shape,
        attribute_names=tuple(available[column] for column in columns),
        splits={
            split: Split(
                folder / f"{split}_images.npy",
                rows[split][:, columns],
                memory_limit_bytes,
                digests[split],
            )
            for split in splits.SPLITS
        },
    )


def _read_arrays(folder):
    """Names of the attributes, and by split digests and attributes."""
    try:
        names = json.loads((folder / "attributes.json").read_text())
        stored = folder / "digests.json"  # Not in those of earlier versions.
        digests = json.loads(stored.read_text()) if stored.exists() else {}
        rows = {}
        for split in splits.SPLITS:
            rows[split] = np.load(folder / f"{split}_attributes.npy")
            images = np.load(folder / f"{split}_images.npy", mmap_mode="r")
            if rows[split].shape != (len(images), len(names)):
                raise ValueError(f"{split} has rows of another shape")
            digests[split] = digests.get(split) or digest(folder, split)
    except (*_DAMAGED, FileNotFoundError) as error:
        raise ValueError(
            f"The prepared images in {folder} are damaged ({error}). Delete "
            "the folder, and they are prepared again."
        ) from error
    return names, digests, rows


def _find_arrays(name, builder, array_format):
    names, read_attributes = _attributes_of(builder)
    transform = transforms.chain(
        read_attributes,
        _CROPS[array_format.crop],
        transforms.resize(array_format.image_size),
        transforms.to_channels(array_format.num_channels),
        transforms.keep("image", "attributes"),
    )
    try:
        return prepare_arrays(builder, array_format, transform, names)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"The images of {name!r} must allow crop={array_format.crop!r}. "
            f"Received: {first_line(error)}"
        ) from error
    except _TORN as error:
        raise ValueError(
            f"What is prepared of {name!r} is damaged "
            f"({first_line(error)}). Delete {builder.data_path}, "
            "and it is prepared again."
        ) from error


def _attributes_of(builder):
    """Names of the attributes and the transform that makes them a vector."""
    features = dict(builder.info.features.items())
    attributes = features.get("attributes")
    if isinstance(attributes, tfds.features.FeaturesDict) and all(
        feature.shape == () and feature.np_dtype != np.object_
        for _, feature in attributes.items()
    ):
        names = list(attributes)
        return names, transforms.stack_attributes(names)
    label = features.get("label")
    if isinstance(label, tfds.features.ClassLabel) and (
        0 < (label.num_classes or 0) <= _MOST_CLASSES
    ):
        return list(label.names), transforms.one_hot_label(label.num_classes)
    return [], transforms.no_attributes


def _columns(available, wanted):
    if wanted is None:
        return list(range(len(available)))
    unknown = [name for name in wanted if name not in available]
    if unknown:
        near = difflib.get_close_matches(unknown[0], available, n=2)
        hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise ValueError(
            "`attributes` must name attributes of the data set. Received: "
            f"{unknown[0]!r}. {hint}Available: "
            f"{', '.join(available) or 'none'}."
        )
    return [available.index(name) for name in wanted]


def _check_crop(name, crop, shape):
    top, left, height, width = transforms.CELEB_BOX
    least = (top + height, left + width)
    is_small = any(side and side < end for side, end in zip(shape, least))
    if crop == "celeb" and is_small:
        raise ValueError(
            "crop='celeb' takes images of at least {} × {} ".format(*least)
            + "pixels (height × width). Received: "
            f"{name!r} with {shape[0]} × {shape[1]}."
        )
