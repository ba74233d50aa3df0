"""Stateless noise: the same seed, step and purpose give the same numbers.

No generator keeps a state that a checkpoint could miss, and no replica draws
what another one drew: every replica draws the noise of the whole global batch
(which is small) and takes its own rows. One replica with a batch of 64 and
two with 32 each therefore see the same numbers for the same examples.
"""

import enum
import math

import tensorflow as tf

from vaegan_tf import replicas


class Purpose(enum.IntEnum):
    """What a draw is for; draws for different purposes are independent."""

    POSTERIOR = 0
    PRIOR = 1
    EVALUATION = 2
    AUGMENTATION = 3
    DROPOUT = 4
    COMPONENT = 5


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
    draw = tf.random.stateless_normal
    return _own_rows(draw, shape, fold(seed, step, purpose))


def uniform(shape, seed, step, purpose):
    """Noise from [0, 1) for this replica's part of the global batch.

    Args:
        shape: As for `normal`.
        seed: As for `normal`.
        step: As for `normal`.
        purpose: As for `normal`.

    Returns:
        float32 of the given shape.
    """
    draw = tf.random.stateless_uniform
    return _own_rows(draw, shape, fold(seed, step, purpose))


def latent_codes(count, latent_dim, seed):
    """Codes drawn from the prior N(0, I), (count, latent_dim).

    Args:
        count: How many, an integer or an integer scalar.
        latent_dim: Dimension of z.
        seed: An integer, or an integer tensor () or (2,).
    """
    return tf.random.stateless_normal([count, latent_dim], fold(seed))


def truncated_codes(count, latent_dim, seed, truncation):
    """Codes of the prior with every coordinate in [−truncation, truncation].

    A coordinate is distributed as N(0, 1) would be if what falls outside were
    drawn again: z = √2 erf⁻¹(u · erf(truncation / √2)), u uniform in [−1, 1).

    Args:
        count: How many, an integer or an integer scalar.
        latent_dim: Dimension of z.
        seed: An integer, or an integer tensor () or (2,).
        truncation: A positive number.

    Returns:
        float32 (count, latent_dim).
    """
    bound = tf.cast(truncation, tf.float64)
    uniform = tf.random.stateless_uniform(
        [count, latent_dim], fold(seed), -1.0, 1.0, dtype=tf.float64
    )
    root = math.sqrt(2.0)
    codes = root * tf.math.erfinv(uniform * tf.math.erf(bound / root))
    return tf.cast(tf.clip_by_value(codes, -bound, bound), tf.float32)


def _own_rows(draw, shape, seed):
    """This replica's rows of what is drawn for the global batch."""
    batch_size, rest = shape[0], list(shape[1:])
    first, total = replicas.rows(batch_size)
    return draw([total, *rest], seed)[first : first + batch_size]
