"""A prepared data set, and its batches as pure functions of (seed, step)."""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from vaegan_tf.data import transforms
from vaegan_tf.data.augmentation import AUGMENTATIONS, Rows
from vaegan_tf.data.order import Stream, in_order, shuffled_indices
from vaegan_tf.settings import check

MEMORY_LIMIT_BYTES = 4 * 2**30


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """The images and attributes of one split.

    Args:
        images_path: A `.npy` file, uint8 (examples, height, width, channels).
        attributes: float32 (examples, attributes).
        memory_limit_bytes: Images beyond this size stay on disk.
        images_digest: What tells these images from others, if known.
        rows: Those of the file that are in the split; all by default.
    """

    images_path: Path
    attributes: np.ndarray
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES
    images_digest: str = ""
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.attributes)

    @functools.cached_property
    def images(self) -> np.ndarray:
        """The images, read only; an `np.memmap` beyond the memory limit."""
        read = self._read()
        if read.nbytes > self.memory_limit_bytes:
            return read
        # A view: the pipeline reads the same memory.
        images = np.asarray(memoryview(self._images_tensor))
        images.flags.writeable = False
        return images

    @property
    def digest(self) -> str:
        """What tells these images and attributes from others."""
        content = self.images_digest.encode() + self.attributes.tobytes()
        if self.rows is not None:
            content += self.rows.tobytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def gather(self, indices: tf.Tensor) -> transforms.Example:
        """The examples at (batch,) positions, also inside `tf.data` maps.

        The entry `attributes` is absent where there are none.
        """
        example = {"image": self._gather_images(indices)}
        if self.attributes.shape[1]:
            example["attributes"] = tf.gather(self._attributes_tensor, indices)
        return example

    def _gather_images(self, indices):
        if not isinstance(self.images, np.memmap):
            return tf.gather(self._images_tensor, indices)
        read = self.images.__getitem__
        images = tf.numpy_function(read, [indices], tf.uint8, stateful=False)
        images.set_shape([*indices.shape, *self.images.shape[1:]])
        return images

    @functools.cached_property
    def _images_tensor(self):
        with tf.device("CPU:0"):
            return tf.constant(self._read())

    def _read(self):
        mapped = np.load(self.images_path, mmap_mode="r")
        return mapped if self.rows is None else mapped[self.rows]

    @functools.cached_property
    def _attributes_tensor(self):
        with tf.device("CPU:0"):
            return tf.constant(self.attributes)


@dataclasses.dataclass(frozen=True, eq=False)
class ImageDataset(Stream):
    """Images of one shape in the splits `train`, `validation` and `test`."""

    name: str
    image_shape: tuple[int, int, int]  # (height, width, channels)
    attribute_names: tuple[str, ...]  # Possibly none.
    splits: Mapping[str, Split]

    augmentations = AUGMENTATIONS

    @property
    def contents(self) -> dict[str, str]:
        """What each split holds, such as `8 images, 0f3a…`, to recognise it."""
        return {
            name: f"{len(split):,} images, {split.digest}"
            for name, split in self.splits.items()
        }

    def with_labels(self, count: int, seed: int) -> "ImageDataset":
        """The same with `count` training images only, drawn by a seed.

        Raises:
            ValueError: If there are not so many.
        """
        split = self.splits["train"]
        if not 1 <= count <= len(split):
            raise ValueError(
                f"`labels` must be at least 1 and at most the {len(split):,} "
                f"training images of {self.name}. Received: labels={count}."
            )
        drawn = np.random.default_rng(seed).permutation(len(split))[:count]
        rows = np.sort(drawn)
        few = dataclasses.replace(
            split, attributes=split.attributes[rows], rows=rows
        )
        return dataclasses.replace(self, splits={**self.splits, "train": few})

    def load(self, split: str) -> None:
        """Reads a split's images, or opens them where they are too many."""
        self.splits[split].gather(tf.zeros([1], tf.int64))

    def part_of_batch(
        self, split: str, step: tf.Tensor, rows: Rows, seed: int
    ) -> dict[str, tf.Tensor]:
        """As in every `Stream`; batches are shuffled.

        Every epoch is a new permutation of the split; batches cross its end.

        Returns:
            `image`, float32 (batch, height, width, channels) in [−1, 1], and
            `attributes`, float32 (batch, attributes), if there are any.
        """
        source = self.splits[split]
        indices = shuffled_indices(step, rows.total, len(source), seed)
        return transforms.to_float(source.gather(rows.of(indices)))

    def batches(
        self, split: str, batch_size: int, count: int | None = None
    ) -> tf.data.Dataset:
        """Examples of a split as from `train_batches`, each once, in order.

        The last batch may have fewer. With `count`, these are the examples at
        `positions`.
        """
        positions = self.positions(split, count)
        check("batch_size", batch_size, low=1)
        source = self.splits[split]
        self.load(split)

        def batch_of(indices):
            return transforms.to_float(source.gather(indices))

        slices = tf.data.Dataset.from_tensor_slices(positions)
        return in_order(slices.batch(batch_size), batch_of)

    def positions(self, split: str, count: int | None = None) -> np.ndarray:
        """Positions of `count` evenly spaced examples of a split, ascending."""
        check("split", split, choices=list(self.splits))
        total = len(self.splits[split])
        count = total if count is None else count
        if not 1 <= count <= total:
            raise ValueError(
                f"{self.name} has {total:,} images in its split {split}. "
                f"Asked for: {count:,}."
            )
        return np.arange(count, dtype=np.int64) * total // count
