"""Samplers: each has a `name` and draws `codes(count, seed)`.

The same seed gives the same codes. They are latent codes alone: what a
conditional model is given comes beside them, when they are decoded.
"""

import dataclasses
from typing import Protocol

import numpy as np
import tensorflow as tf

from vaegan_tf import noise
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import check


class Sampler(Protocol):
    """What draws latent codes."""

    name: str

    def codes(self, count: int, seed: int = 0) -> tf.Tensor:
        """Codes, float32 (count, latent_dim); the same for the same seed."""


@dataclasses.dataclass(frozen=True)
class PriorSampler:
    """Codes from the prior N(0, I)."""

    latent_dim: int
    name = "prior"

    def codes(self, count: int, seed: int = 0) -> tf.Tensor:
        """Codes, float32 (count, latent_dim); the same for the same seed."""
        return noise.latent_codes(count, self.latent_dim, seed)


@dataclasses.dataclass(frozen=True)
class TruncatedSampler:
    """Codes from the prior without its tails, which few images taught.

    The smaller the truncation, the more typical and the more alike are the
    images. The same seed draws the same ones at every truncation, nearer to
    or farther from the average.

    Args:
        latent_dim: Dimension of z.
        truncation: The largest magnitude of a coordinate, above 0.

    Reference:
        Brock et al. (2019), "Large scale GAN training for high fidelity
        natural image synthesis", section 3.1.
    """

    latent_dim: int
    truncation: float = 1.5
    name = "truncated"

    def __post_init__(self) -> None:
        check("truncation", self.truncation, above=0)

    def codes(self, count: int, seed: int = 0) -> tf.Tensor:
        """Codes, float32 (count, latent_dim); the same for the same seed."""
        return noise.truncated_codes(
            count, self.latent_dim, seed, self.truncation
        )


@dataclasses.dataclass(frozen=True, eq=False)
class MixtureSampler:
    """Codes from a mixture of Gaussians.

    Args:
        weights: Probability of each component, (components,).
        means: Their means, (components, latent).
        scales: Lower triangular L of their covariances L·Lᵀ, (components,
            latent, latent).
    """

    weights: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    name = "mixture"

    @property
    def latent_dim(self) -> int:
        """Dimension of z."""
        return self.means.shape[1]

    def codes(self, count: int, seed: int = 0) -> tf.Tensor:
        """Codes, float32 (count, latent_dim); the same for the same seed."""
        logits = tf.math.log(tf.constant(self.weights, tf.float32))[None]
        key = noise.fold(seed, Purpose.COMPONENT)
        component = tf.random.stateless_categorical(logits, count, key)[0]
        normal = noise.latent_codes(count, self.latent_dim, seed)
        scales = tf.constant(self.scales, tf.float32)
        # A covariance for each code would not fit into memory.
        everywhere = self.means + tf.einsum("kij,nj->nki", scales, normal)
        return tf.gather(everywhere, component, axis=1, batch_dims=1)
