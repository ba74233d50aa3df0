"""Examples decoded, cropped and resized once, kept as arrays on disk."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vaegan_tf import files, locks
from vaegan_tf.data import splits
from vaegan_tf.data.progress import progress
from vaegan_tf.data.transforms import Transform

# Part of the folder's name: raise it when the same settings give new arrays.
PIPELINE_VERSION = 1
_BATCH_SIZE = 64


@dataclasses.dataclass(frozen=True)
class ArrayFormat:
    """Everything but the data set that determines the arrays.

    `seed` is that of splits carved from `train`; `None` where none are.
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


def prepare_arrays(
    builder: tfds.core.DatasetBuilder,
    array_format: ArrayFormat,
    transform: Transform,
    attribute_names: list[str],
) -> Path:
    """Finds the arrays of a prepared data set, or makes them.

    `transform` makes an example of the builder one of that format, with those
    attributes.

    Returns:
        A folder that appears when it is complete, never before. It holds, for
        each of the three splits, `<split>_images.npy`, uint8 (examples,
        height, width, channels), and `<split>_attributes.npy`, float32
        (examples, attributes), whose columns `attributes.json` names.
    """
    parent = Path(builder.data_path) / "arrays"
    folder = parent / array_format.key
    if folder.is_dir():
        return folder
    with locks.exclusive(parent / ".lock"):
        if folder.is_dir():
            return folder
        with files.replacing_folder(folder, ".partial") as partial:
            _write(builder, array_format, transform, attribute_names, partial)
    return folder


def _write(builder, array_format, transform, attribute_names, folder):
    counts = {k: info.num_examples for k, info in builder.info.splits.items()}
    assigned = splits.assign(counts, array_format.seed or 0)
    every_target = np.concatenate(list(assigned.values()))
    shapes = {
        "images": (array_format.image_shape, np.uint8),
        "attributes": ((len(attribute_names),), np.float32),
    }
    with (
        _Writers(folder, every_target, shapes) as writers,
        progress(desc="Resizing images", total=len(every_target)) as bar,
    ):
        for source, targets in assigned.items():
            ends = range(_BATCH_SIZE, len(targets), _BATCH_SIZE)
            batches = _transformed(builder, source, transform)
            for part, batch in zip(np.split(targets, ends), batches):
                image, attributes = batch["image"], batch["attributes"]
                writers.append(part, images=image, attributes=attributes)
                bar.update(len(part))
    digests = {split: digest(folder, split) for split in splits.SPLITS}
    for name, value in (("attributes", attribute_names), ("digests", digests)):
        (folder / f"{name}.json").write_text(json.dumps(value))


def digest(folder: Path, split: str) -> str:
    """What the images of a split are, as 16 hexadecimal digits."""
    with (folder / f"{split}_images.npy").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _transformed(builder, split, transform) -> Iterator[dict[str, np.ndarray]]:
    # One file after the other: the records keep their order.
    config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    examples = builder.as_dataset(split=split, read_config=config).map(
        transform, num_parallel_calls=tf.data.AUTOTUNE
    )
    batches = examples.batch(_BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
    return batches.as_numpy_iterator()


class _Writers:
    """Files that grow by the rows of every split.

    They are written and not mapped into memory: on a full disk a write raises,
    while a map kills the process.
    """

    def __init__(self, folder, every_target, shapes):
        self._files = {}
        for target, split in enumerate(splits.SPLITS):
            count = int(np.sum(every_target == target))
            for kind, (shape, dtype) in shapes.items():
                file = (folder / f"{split}_{kind}.npy").open("wb")
                self._files[target, kind] = file
                descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
                header = {
                    "descr": descr,
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
            file.close()
