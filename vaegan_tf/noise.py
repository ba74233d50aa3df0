"""Stateless noise: the same seed, step and purpose give the same numbers.

No generator keeps a state that a checkpoint could miss, and no replica draws
what another one drew: every replica draws the noise of the whole global batch
(which is small) and takes its own rows. One replica with a batch of 64 and
two with 32 each therefore see the same numbers for the same examples.
"""

import enum

import tensorflow as tf

from vaegan_tf import replicas


class Purpose(enum.IntEnum):
    """What a draw is for; draws for different purposes are independent."""

    POSTERIOR = 0
    PRIOR = 1
    EVALUATION = 2
    AUGMENTATION = 3


def fold(seed, *numbers):
    """Mixes integers into a seed.

    Args:
        seed: An integer, or an integer tensor () or (2,).
        *numbers: Integers or integer scalars, each of which changes the seed.

    Returns:
        A seed for `tf.random.stateless_*`, int32 (2,).
    """
    seed = tf.cast(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, 0])
    for number in numbers:
        number = tf.cast(number, tf.int64)
        seed = tf.random.experimental.stateless_fold_in(seed, number)
    return seed


def normal(shape, seed, step, purpose):
    """Standard normal noise for this replica's part of the global batch.

    Args:
        shape: Shape on this replica; its first dimension is the batch.
        seed: The run's seed.
        step: The training step.
        purpose: A `Purpose`.

    Returns:
        float32 of the given shape.
    """
    batch_size, rest = shape[0], list(shape[1:])
    first, total = replicas.rows(batch_size)
    everyone = tf.random.stateless_normal(
        [total, *rest], fold(seed, step, purpose)
    )
    return everyone[first : first + batch_size]


def latent_codes(count, latent_dim, seed):
    """Codes drawn from the prior N(0, I), (count, latent_dim).

    Args:
        count: How many, an integer or an integer scalar.
        latent_dim: Dimension of z.
        seed: An integer, or an integer tensor () or (2,).
    """
    return tf.random.stateless_normal([count, latent_dim], fold(seed))
