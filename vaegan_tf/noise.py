"""Stateless noise: the same seed, step and purpose give the same numbers.

No generator has a state that a checkpoint could miss, and no two replicas draw
the same numbers: every replica draws the noise of the whole global batch,
which is small, and uses its own rows. One replica with a batch of 64 and two
with 32 each therefore see the same numbers for the same examples.
"""

import enum
import math
from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from vaegan_tf import replicas

Integer: TypeAlias = int | tf.Tensor
Seed: TypeAlias = int | Sequence[int] | tf.Tensor


class Purpose(enum.IntEnum):
    """What a draw is for; draws for different purposes are independent."""

    POSTERIOR = 0
    PRIOR = 1
    EVALUATION = 2
    DROPOUT = 4
    COMPONENT = 5
    INTERPOLATION = 6
    NOVEL = 7
    NOVEL_INTERPOLATION = 8
    REFINEMENT = 9
    CROP = 10


def fold(seed: Seed, *numbers: Integer) -> tf.Tensor:
    """Mixes integers into a seed for `tf.random.stateless_*`, int32 (2,).

    The seed is an integer, or an integer tensor () or (2,).
    """
    seed = tf.cast(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, 0])
    for number in numbers:
        number = tf.cast(number, tf.int64)
        seed = tf.random.experimental.stateless_fold_in(seed, number)
    return seed


def normal(
    shape: Sequence[Integer], seed: Seed, step: Integer, purpose: Purpose
) -> tf.Tensor:
    """Standard normal noise for this replica's part of the global batch.

    The first dimension of the shape, and of the float32 result, is the batch
    on this replica.
    """
    return _own_rows(tf.random.stateless_normal, shape, seed, step, purpose)


def turned_normal(
    shape: Sequence[Integer],
    seed: Seed,
    step: Integer,
    purpose: Purpose,
    angle: float,
) -> tf.Tensor:
    """As `normal`, but on a circle through two draws; `angle` in radians.

    n(α) = cos α · n₁ + sin α · n₂ is standard normal at every angle, is
    `normal` at 0, and comes back to it after a full turn.
    """
    first = normal(shape, seed, step, purpose)
    if not angle:
        return first
    second = normal(shape, fold(seed, 1), step, purpose)
    return math.cos(angle) * first + math.sin(angle) * second


def uniform(
    shape: Sequence[Integer], seed: Seed, step: Integer, purpose: Purpose
) -> tf.Tensor:
    """As `normal`, but uniform in [0, 1)."""
    return _own_rows(tf.random.stateless_uniform, shape, seed, step, purpose)


def reparameterize(
    mean: tf.Tensor, log_variance: tf.Tensor, epsilon: tf.Tensor
) -> tf.Tensor:
    """Codes z = μ + σ ⊙ ε ~ q(z|x), through which gradients flow.

    All are (batch, latent); ε is standard normal noise.

    Reference:
        Larsen et al. (2016), eq. 1; Kingma & Welling (2014), section 2.4.
    """
    return mean + tf.exp(0.5 * log_variance) * epsilon


def latent_codes(count: Integer, latent_dim: int, seed: Seed) -> tf.Tensor:
    """Codes of the prior N(0, I), (count, latent_dim); `seed` as in `fold`."""
    return tf.random.stateless_normal([count, latent_dim], fold(seed))


def truncated_codes(
    count: Integer, latent_dim: int, seed: Seed, truncation: float | tf.Tensor
) -> tf.Tensor:
    """Codes of the prior with every coordinate in [−truncation, truncation].

    A coordinate has the distribution of N(0, 1) where values outside are drawn
    again: z = √2 erf⁻¹(u · erf(truncation / √2)), u uniform in [−1, 1).
    """
    bound = tf.cast(truncation, tf.float64)
    uniform = tf.random.stateless_uniform(
        [count, latent_dim], fold(seed), -1.0, 1.0, dtype=tf.float64
    )
    root = math.sqrt(2.0)
    codes = root * tf.math.erfinv(uniform * tf.math.erf(bound / root))
    return tf.cast(tf.clip_by_value(codes, -bound, bound), tf.float32)


def _own_rows(draw, shape, seed, step, purpose):
    """This replica's rows of the noise of the global batch."""
    batch_size, *rest = shape
    first, total = replicas.rows(batch_size)
    noise = draw([total, *rest], fold(seed, step, purpose))
    return noise[first : first + batch_size]
