"""Which examples make up batch s? A function of (seed, s) alone."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from vaegan_tf.data.augmentation import Rows


def place(
    position: tf.Tensor, batch_size: int, parts: Sequence[int], num_parts: int
) -> tuple[tf.Tensor, Rows]:
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
    return mapped.prefetch(tf.data.AUTOTUNE)


def check_at_least(name: str, value: int, lowest: int) -> None:
    """Raises a ValueError if an argument is too small."""
    if value < lowest:
        raise ValueError(
            f"`{name}` must be at least {lowest}. Received: {value}."
        )
