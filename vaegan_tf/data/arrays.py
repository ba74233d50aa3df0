"""Examples decoded, cropped and resized once, kept as arrays on disk."""

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from tqdm import tqdm

from vaegan_tf.data import locks, splits
from vaegan_tf.data.transforms import Transform

# Part of the folder's name: raise it when the same settings give new arrays.
PIPELINE_VERSION = 1
_BATCH_SIZE = 64


@dataclasses.dataclass(frozen=True)
class ArrayFormat:
    """Everything beside the data set that determines the arrays.

    Args:
        image_size: Height and width.
        num_channels: 1 or 3.
        crop: Name of the crop.
        seed: Seed of the carved splits; None where none are carved.
    """

    image_size: int
    num_channels: int
    crop: str
    seed: int | None

    @property
    def key(self) -> str:
        """Name of the folder of such arrays."""
        shape = f"{self.image_size}x{self.image_size}x{self.num_channels}"
        carved = [] if self.seed is None else [f"seed{self.seed}"]
        return "-".join([shape, self.crop, *carved, f"v{PIPELINE_VERSION}"])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.image_size, self.image_size, self.num_channels


@dataclasses.dataclass(frozen=True)
class Arrays:
    """A folder of prepared arrays, two for each of the three splits."""

    folder: Path

    def images_path(self, split: str) -> Path:
        """The `.npy` of images, uint8 (examples, height, width, channels)."""
        return self.folder / f"{split}_images.npy"

    def attributes(self, split: str) -> np.ndarray:
        """The attributes, float32 (examples, attributes)."""
        return np.load(self.folder / f"{split}_attributes.npy")

    @property
    def attribute_names(self) -> list[str]:
        """Names of the columns of `attributes`."""
        return json.loads((self.folder / "attributes.json").read_text())


def prepare_arrays(
    builder: tfds.core.DatasetBuilder,
    array_format: ArrayFormat,
    transform: Transform,
    attribute_names: list[str],
) -> Arrays:
    """Find the arrays of a prepared data set, or make them.

    The folder appears under its name when it is complete, never before.

    Args:
        builder: A prepared data set.
        array_format: What the arrays are to be.
        transform: Makes an example of that format out of one of the builder.
        attribute_names: Names of the attributes that it makes.

    Returns:
        The folder.
    """
    parent = Path(builder.data_path) / "arrays"
    folder = parent / array_format.key
    if not folder.is_dir():
        with locks.exclusive(parent / ".lock"):
            for leftover in parent.glob(".partial-*"):
                shutil.rmtree(leftover)
            if not folder.is_dir():
                _make(builder, array_format, transform, attribute_names, folder)
    return Arrays(folder)


def _make(builder, array_format, transform, attribute_names, folder):
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        _write(builder, array_format, transform, attribute_names, partial)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(builder, array_format, transform, attribute_names, folder):
    counts = {
        name: info.num_examples for name, info in builder.info.splits.items()
    }
    assigned = splits.assign(counts, array_format.seed or 0)
    every_target = np.concatenate(list(assigned.values()))
    shapes = {
        "images": (array_format.image_shape, np.uint8),
        "attributes": ((len(attribute_names),), np.float32),
    }
    with (
        _Writers(folder, every_target, shapes) as writers,
        _progress(len(every_target)) as progress,
    ):
        for source, targets in assigned.items():
            position = 0
            for example in _transformed(builder, source, transform):
                size = len(example["image"])
                writers.append(
                    targets[position : position + size],
                    images=example["image"],
                    attributes=example["attributes"],
                )
                position += size
                progress.update(size)
    (folder / "attributes.json").write_text(json.dumps(attribute_names))


def _transformed(
    builder: tfds.core.DatasetBuilder, split: str, transform: Transform
) -> Iterator[dict[str, np.ndarray]]:
    dataset = builder.as_dataset(
        split=split,
        # One file after the other: the records keep their order.
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
    )
    batches = (
        dataset.map(transform, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(_BATCH_SIZE)
        .prefetch(tf.data.AUTOTUNE)
    )
    return batches.as_numpy_iterator()


def _progress(total):
    return tqdm(
        total=total, desc="Resizing images", unit=" images", disable=None
    )


class _Writers:
    """Files that grow by the rows of every split.

    Written and not mapped into memory: on a full disk a write raises, while a
    map kills the process.
    """

    def __init__(self, folder, every_target, shapes):
        self._files = {}
        for target, split in enumerate(splits.SPLITS):
            count = int(np.sum(every_target == target))
            for kind, (shape, dtype) in shapes.items():
                file = (folder / f"{split}_{kind}.npy").open("wb")
                self._files[target, kind] = file
                header = {
                    "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
                    "fortran_order": False,
                    "shape": (count, *shape),
                }
                np.lib.format.write_array_header_1_0(file, header)

    def append(self, targets, **rows):
        for target in np.unique(targets):
            for kind, values in rows.items():
                chosen = np.ascontiguousarray(values[targets == target])
                self._files[target, kind].write(chosen.data)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
