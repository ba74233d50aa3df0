"""A prepared data set, and its batches as pure functions of (seed, step)."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from vaegan_tf.data import transforms
from vaegan_tf.data.augmentation import AUGMENTATIONS, Rows

DEFAULT_MEMORY_LIMIT_BYTES = 4 * 2**30


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """The images and attributes of one split.

    Args:
        images_path: A `.npy` file, uint8 (examples, height, width, channels).
        attributes: float32 (examples, attributes).
        memory_limit_bytes: Images beyond this size stay on disk.
    """

    images_path: Path
    attributes: np.ndarray
    memory_limit_bytes: int = DEFAULT_MEMORY_LIMIT_BYTES

    def __len__(self) -> int:
        return len(self.attributes)

    @functools.cached_property
    def images(self) -> np.ndarray:
        """The images, uint8 (examples, height, width, channels), read only.

        An `np.memmap` where they exceed the memory limit.
        """
        mapped = np.load(self.images_path, mmap_mode="r")
        if mapped.nbytes > self.memory_limit_bytes:
            return mapped
        # A view: the pipeline reads the same memory.
        images = np.asarray(memoryview(self._images_tensor))
        images.flags.writeable = False
        return images

    def gather(self, indices: tf.Tensor) -> transforms.Example:
        """The examples at some positions, also inside `tf.data` maps.

        Args:
            indices: Integers (batch,).

        Returns:
            `image`, uint8 (batch, height, width, channels), and, unless
            there are none, `attributes`, float32 (batch, attributes).
        """
        example = {"image": self._gather_images(indices)}
        if self.attributes.shape[1]:
            example["attributes"] = tf.gather(self._attributes_tensor, indices)
        return example

    def _gather_images(self, indices):
        if not isinstance(self.images, np.memmap):
            return tf.gather(self._images_tensor, indices)
        images = tf.numpy_function(
            lambda positions: self.images[positions],
            [indices],
            tf.uint8,
            stateful=False,
        )
        images.set_shape([*indices.shape, *self.images.shape[1:]])
        return images

    @functools.cached_property
    def _images_tensor(self):
        return _host_tensor(np.load(self.images_path, mmap_mode="r"))

    @functools.cached_property
    def _attributes_tensor(self):
        return _host_tensor(self.attributes)


@dataclasses.dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images of one shape in three splits, with their attributes.

    Args:
        name: Name of the data set.
        image_shape: (height, width, channels).
        attribute_names: Names of the attributes, possibly none.
        splits: `train`, `validation` and `test`.
    """

    name: str
    image_shape: tuple[int, int, int]
    attribute_names: tuple[str, ...]
    splits: Mapping[str, Split]

    def train_batches(
        self,
        batch_size: int,
        *,
        seed: int,
        start_step: int = 0,
        augmentation: str = "none",
        split: str = "train",
        parts: Sequence[int] = (0,),
        num_parts: int = 1,
    ) -> tf.data.Dataset:
        """Shuffled batches without end; batch s depends on (seed, s) alone.

        Every pass over the split is a new permutation of it, and batches run
        on from one pass to the next. To resume after n steps is to start at
        `start_step=n`.

        Args:
            batch_size: Number of images in a batch, over all replicas.
            seed: Seed of the order and of the augmentation.
            start_step: Number of the first batch.
            augmentation: `none`, `flip` or `authors` (see `augmentation`).
            split: Name of the split.
            parts: Which parts of every batch to give, one after the other.
            num_parts: How many parts a batch has; where it does not divide
                evenly, some have an image more. Together they are the batch,
                whatever their number.

        Returns:
            Dictionaries of `image`, float32 (batch, height, width, channels)
            in [−1, 1], and `attributes`, float32 (batch, attributes), which
            is absent from a data set without attributes.

        Raises:
            ValueError: If an argument is out of its range.
        """
        source = self._split(split)
        _check_at_least("batch_size", batch_size, 1)
        _check_at_least("start_step", start_step, 0)
        _check_at_least("batch_size", batch_size, num_parts)
        augment = _find_augmentation(augmentation)
        _load(source)

        def part_at(position):
            step, rows = _place(position, batch_size, parts, num_parts)
            indices = _shuffled_indices(step, batch_size, len(source), seed)
            example = transforms.to_float(source.gather(rows.of(indices)))
            step_seed = tf.random.experimental.stateless_fold_in(
                tf.constant([seed, 0], tf.int64), step
            )
            image = augment(example["image"], step_seed, rows)
            return {**example, "image": image}

        start = start_step * len(parts)
        return _map(tf.data.Dataset.range(start, tf.int64.max), part_at)

    def batches(
        self, split: str, batch_size: int, count: int | None = None
    ) -> tf.data.Dataset:
        """Examples of a split, each once, in order.

        Args:
            split: Name of the split.
            batch_size: Number of images in a batch; the last may have fewer.
            count: How many examples, at the positions of `positions`; by
                default all.

        Returns:
            Dictionaries as from `train_batches`.

        Raises:
            ValueError: If an argument is out of its range.
        """
        source = self._split(split)
        _check_at_least("batch_size", batch_size, 1)
        positions = self.positions(split, count)
        _load(source)

        def batch_of(indices):
            return transforms.to_float(source.gather(indices))

        slices = tf.data.Dataset.from_tensor_slices(positions)
        return _map(slices.batch(batch_size), batch_of)

    def positions(self, split: str, count: int | None = None) -> np.ndarray:
        """Positions of examples that are evenly spread over a split.

        Args:
            split: Name of the split.
            count: How many; by default all.

        Returns:
            Ascending integers, (count,).

        Raises:
            ValueError: If an argument is out of its range.
        """
        total = len(self._split(split))
        count = total if count is None else count
        if not 1 <= count <= total:
            raise ValueError(
                f"{self.name} has {total:,} images in its split {split}. "
                f"Asked for: {count:,}."
            )
        return np.arange(count, dtype=np.int64) * total // count

    def _split(self, name):
        if name not in self.splits:
            raise ValueError(
                f"`split` must be one of {', '.join(self.splits)}. "
                f"Received: {name!r}."
            )
        return self.splits[name]


def _place(position, batch_size, parts, num_parts):
    """Step and rows of one element of a stream of some parts of batches."""
    if num_parts == 1:
        return position, Rows(0, batch_size, batch_size)
    part = tf.gather(tf.constant(parts, tf.int64), position % len(parts))
    first = part * batch_size // num_parts
    count = (part + 1) * batch_size // num_parts - first
    if batch_size % num_parts == 0:
        count = batch_size // num_parts  # Known before it is computed.
    return position // len(parts), Rows(first, count, batch_size)


def _shuffled_indices(step, batch_size, count, seed):
    """Positions step·B … step·B + B − 1 of the endless shuffled stream."""
    position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    epoch = position // count
    keys = _epoch_keys(seed, epoch[0], batch_size // count + 2)
    # Not tf.random.experimental.index_shuffle: it pads a batch of seeds
    # along the wrong axis (TensorFlow 2.21).
    return tf.raw_ops.RandomIndexShuffle(
        index=position % count,
        seed=tf.gather(keys, epoch - epoch[0]),
        max_index=tf.fill([batch_size], tf.constant(count - 1, tf.int64)),
        rounds=8,
    )


def _epoch_keys(seed, first_epoch, num_epochs):
    """Keys of the permutations of some epochs, int64 (epochs, 3).

    Plain small numbers will not do: from the key 0, 0, 0 the shuffle of a
    small set leaves most of it in place.
    """
    keys = [
        tf.random.stateless_uniform(
            [3],
            tf.random.experimental.stateless_fold_in(
                tf.constant([seed, 1], tf.int64), first_epoch + number
            ),
            minval=None,
            maxval=None,
            dtype=tf.int64,
        )
        for number in range(num_epochs)
    ]
    return tf.stack(keys)


def _map(dataset, function):
    options = tf.data.Options()
    options.deterministic = True
    return (
        dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
        .with_options(options)
    )


def _load(split):
    # Before any tracing: a tensor made inside a map would belong to its graph.
    split.gather(tf.zeros([1], tf.int64))


def _host_tensor(array):
    with tf.device("CPU:0"):
        return tf.constant(array)


def _find_augmentation(name):
    if name not in AUGMENTATIONS:
        raise ValueError(
            f"`augmentation` must be one of {', '.join(AUGMENTATIONS)}. "
            f"Received: {name!r}."
        )
    return AUGMENTATIONS[name]


def _check_at_least(name, value, lowest):
    if value < lowest:
        raise ValueError(
            f"`{name}` must be at least {lowest}. Received: {value}."
        )
