"""What is known of a set of vectors: mean and covariance, in float64."""

import dataclasses
import functools

import numpy as np


class Moments:
    """Mean and covariance of vectors that come in batches.

    Batches are merged exactly (Chan et al., 1979, eqs. 2.1), so that the
    result does not depend on how the vectors were divided.

    Args:
        dimension: Length of a vector.
    """

    def __init__(self, dimension):
        self.count = 0
        self.mean = np.zeros(dimension)
        self.scatter = np.zeros((dimension, dimension))

    def add(self, vectors):
        """Adds a batch, (batch, dimension).

        Raises:
            ValueError: If a number is not finite.
        """
        vectors = np.asarray(vectors, np.float64)
        if not len(vectors):
            return
        if not np.isfinite(vectors).all():
            raise ValueError(
                "Features or codes are not finite, so there is no distance "
                "between them: the model or the predictor has diverged."
            )
        mean = vectors.mean(axis=0)
        centered = vectors - mean
        self._merge(len(vectors), mean, centered.T @ centered)

    def merged(self, other):
        """The moments of both sets together, as a new object."""
        result = Moments(len(self.mean))
        for part in (self, other):
            result._merge(part.count, part.mean, part.scatter)
        return result

    @property
    def covariance(self):
        """The unbiased covariance, (dimension, dimension).

        Raises:
            ValueError: If there are fewer than two vectors.
        """
        if self.count < 2:
            raise ValueError(
                "A covariance needs at least 2 vectors. "
                f"Received: {self.count}."
            )
        return self.scatter / (self.count - 1)

    @property
    def gaussian(self):
        """The Gaussian of this mean and covariance."""
        return Gaussian(self.mean, self.covariance)

    def _merge(self, count, mean, scatter):
        if not count:
            return
        total = self.count + count
        shift = mean - self.mean
        weight = self.count * count / total
        self.scatter += scatter + weight * np.outer(shift, shift)
        self.mean = self.mean + shift * (count / total)
        self.count = total


@dataclasses.dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian.

    Args:
        mean: (dimension,).
        covariance: (dimension, dimension), possibly singular.
    """

    mean: np.ndarray
    covariance: np.ndarray

    @functools.cached_property
    def factor(self):
        """A matrix F with F Fᵀ = covariance, (dimension, rank).

        Directions whose variance is rounding error are left out.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        noise = values[-1] * len(values) * np.finfo(np.float64).eps
        kept = values > max(noise, 0.0)
        return vectors[:, kept] * np.sqrt(values[kept])


def mean_and_error(values):
    """A mean and its standard error; `None` for that of a single value.

    Args:
        values: One number per example, (n,).

    Returns:
        `(mean, error)`.
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()), None
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(error)
