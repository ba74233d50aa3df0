"""Which examples make up batch s? A function of (seed, s) alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from vaegan_tf.data.augmentation import AUGMENTATIONS, Rows
from vaegan_tf.settings import check


class Stream:
    """Examples in splits, and endless batches of them to train on.

    A subclass has `splits` and implements `load` and `part_of_batch`.

    Attributes:
        augmentations: What can be done to the images of a batch, by name.
    """

    augmentations: ClassVar[Mapping[str, Callable[..., tf.Tensor]]] = {
        "none": AUGMENTATIONS["none"]
    }
    splits: Any  # By name; whatever it is that a subclass keeps of them.

    def load(self, split: str) -> None:
        """Makes the tensors of a split.

        Called before any tracing: a tensor that is made inside a map would
        belong to its graph.
        """
        raise NotImplementedError

    def part_of_batch(
        self, split: str, step: tf.Tensor, rows: Rows, seed: int
    ) -> dict[str, tf.Tensor]:
        """Some rows of the batch of a step: a function of (seed, step)."""
        raise NotImplementedError

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
        """Endless batches; batch s depends on (seed, s) alone.

        To resume after n steps is to start at `start_step=n`.

        Args:
            batch_size: Number of examples in a batch, over all replicas.
            seed: Seed of the order and of the augmentation.
            start_step: Number of the first batch.
            augmentation: One of `augmentations`.
            split: Name of the split.
            parts: Which parts of every batch to return, one after the other.
            num_parts: How many parts make up a batch, of almost equal sizes.
        """
        check("split", split, choices=list(self.splits))
        check("start_step", start_step, low=0)
        check("batch_size", batch_size, low=num_parts)
        check("augmentation", augmentation, choices=list(self.augmentations))
        augment = self.augmentations[augmentation]
        self.load(split)

        def part_at(position):
            step, rows = _place(position, batch_size, parts, num_parts)
            example = self.part_of_batch(split, step, rows, seed)
            if augmentation == "none":
                return example
            step_seed = tf.random.experimental.stateless_fold_in(
                tf.constant([seed, 0], tf.int64), step
            )
            image = augment(example["image"], step_seed, rows)
            return {**example, "image": image}

        start = start_step * len(parts)
        return in_order(tf.data.Dataset.range(start, tf.int64.max), part_at)


def _place(position, batch_size, parts, num_parts):
    """Step and rows of one element of a stream of some parts of batches."""
    part = tf.gather(tf.constant(parts, tf.int64), position % len(parts))
    first = part * batch_size // num_parts
    size = (part + 1) * batch_size // num_parts - first
    if batch_size % num_parts == 0:
        size = batch_size // num_parts  # Known before it is computed.
    return position // len(parts), Rows(first, size, batch_size)


def shuffled_indices(
    step: tf.Tensor, batch_size: int, count: int, seed: int
) -> tf.Tensor:
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

    Small integers do not work: from the key 0, 0, 0 the shuffle of a small set
    leaves most of it in place.
    """
    seed = tf.constant([seed, 1], tf.int64)
    seeds = [
        tf.random.experimental.stateless_fold_in(seed, first_epoch + number)
        for number in range(num_epochs)
    ]
    draw = tf.random.stateless_uniform
    return tf.stack([draw([3], key, None, None, tf.int64) for key in seeds])


def in_order(dataset: tf.data.Dataset, function: Callable) -> tf.data.Dataset:
    """Maps a data set in parallel; its order stays."""
    # Nothing here branches on tensors; to convert it took half a second.
    mapped = dataset.map(
        tf.autograph.experimental.do_not_convert(function),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    # Autotuning gains a few per cent, and its thread may end a minute late.
    options = tf.data.Options()
    options.autotune.enabled = False
    return mapped.prefetch(tf.data.AUTOTUNE).with_options(options)
