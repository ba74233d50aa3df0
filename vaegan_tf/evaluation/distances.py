"""How far apart are two sets of vectors? Everything is in float64."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

MAX_SUBSET_SIZE = 1000
MIN_SUBSETS = 10
NEAREST = 5
_BLOCK = 1024


class Moments:
    """Mean and covariance of vectors that arrive in batches.

    Batches are merged exactly (Chan et al., 1979, eqs. 2.1), so that the
    result does not depend on how the vectors were divided.
    """

    def __init__(self, dimension: int):
        self.count = 0
        self.mean = np.zeros(dimension)
        self.scatter = np.zeros((dimension, dimension))

    def add(self, vectors: np.ndarray) -> None:
        """Adds (batch, dimension) vectors; ValueError if one is not finite."""
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

    def merged(self, other: "Moments") -> "Moments":
        """The moments of both sets together, as a new object."""
        result = Moments(len(self.mean))
        for part in (self, other):
            result._merge(part.count, part.mean, part.scatter)
        return result

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance of two or more vectors."""
        if self.count < 2:
            raise ValueError(
                "A covariance needs at least 2 vectors. "
                f"Received: {self.count}."
            )
        return self.scatter / (self.count - 1)

    @property
    def gaussian(self) -> "Gaussian":
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
    """A mean, (d,), and a covariance, (d, d), possibly singular."""

    mean: np.ndarray
    covariance: np.ndarray

    @functools.cached_property
    def factor(self) -> np.ndarray:
        """F with F Fᵀ = covariance, (d, rank), without rounding errors."""
        values, vectors = np.linalg.eigh(self.covariance)
        noise = values[-1] * len(values) * np.finfo(np.float64).eps
        kept = values > max(noise, 0.0)
        return vectors[:, kept] * np.sqrt(values[kept])


def mean_and_error(
    values: np.ndarray | Sequence[float],
) -> tuple[float, float | None]:
    """The mean of (n,) values and its standard error, `None` of one value."""
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float(values.mean()), None
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(error)


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Squared Fréchet (Wasserstein-2) distance of two Gaussians.

    |m₁ − m₂|² + Tr(C₁ + C₂ − 2 (C₁ C₂)^½), in squared units of the vectors.

    Tr (C₁ C₂)^½ is the sum of the singular values of F₁ᵀ F₂, where
    C = F Fᵀ. The square root of the product itself, which is not symmetric,
    is complex or does not exist where a covariance is singular, as with fewer
    images than features; and the square roots of the product's eigenvalues
    have half the digits.

    Reference:
        Dowson & Landau (1982); Heusel et al. (2017), eq. 6.
    """
    shift = first.mean - second.mean
    trace = np.trace(first.covariance) + np.trace(second.covariance)
    common = np.linalg.svd(first.factor.T @ second.factor, compute_uv=False)
    return float(max(shift @ shift + trace - 2 * common.sum(), 0.0))


def divergence_from_prior(gaussian: Gaussian) -> float:
    """KL(N(m, C) || N(0, I)) in nats: ½ (Tr C + |m|² − d − log det C).

    The covariance C must not be singular.
    """
    mean, covariance = gaussian.mean, gaussian.covariance
    _, log_determinant = np.linalg.slogdet(covariance)
    trace = np.trace(covariance)
    return float(0.5 * (trace + mean @ mean - len(mean) - log_determinant))


def squared_mmd(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of (m, d) and (n, d) vectors.

    The kernel is k(x, y) = (x·y / d + 1)³, scikit-learn's default polynomial.
    The estimate may be negative where the sets are alike. Both have at least
    two vectors.

    Reference:
        Gretton et al. (2012), eq. 3; Bińkowski et al. (2018), section 4.
    """
    from sklearn.metrics.pairwise import polynomial_kernel

    first, second = (np.asarray(v, np.float64) for v in (first, second))
    result = -2 * polynomial_kernel(first, second).mean()
    for vectors in (first, second):
        kernel, count = polynomial_kernel(vectors), len(vectors)
        result += (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
    return float(result)


def kernel_distance(
    first: np.ndarray, second: np.ndarray, seed: int = 0
) -> tuple[float, float | None]:
    """`squared_mmd` of subsets of (m, d) and (n, d) vectors: mean and error.

    There are ten or more subsets of up to 1000 vectors; m and n are at least
    4. Subsets are disjoint, so that the estimates are independent, as the
    standard error assumes. Each estimate is unbiased: the size of the subsets
    does not shift the mean. The seed divides the vectors into subsets.

    Reference:
        Bińkowski et al. (2018), "Demystifying MMD GANs", section 4.
    """
    generator = np.random.default_rng(seed)
    count = min(len(first), len(second))
    size = min(MAX_SUBSET_SIZE, max(2, count // MIN_SUBSETS))
    subsets = count // size
    chosen = [
        np.split(generator.permutation(len(v))[: subsets * size], subsets)
        for v in (first, second)
    ]
    return mean_and_error(
        [squared_mmd(first[one], second[two]) for one, two in zip(*chosen)]
    )


def manifold_scores(
    real: np.ndarray, generated: np.ndarray, nearest: int = NEAREST
) -> dict[str, float]:
    """Precision, recall, density and coverage of generated vectors, by name.

    The manifold of a set is the union of balls around its vectors, each of
    the radius at which its k-th nearest neighbour in the set lies.
    *Precision* is the share of generated vectors on the real manifold,
    *recall* that of real vectors on the generated one, *density* the mean
    number of real balls around a generated vector, over k, and *coverage*
    the share of real balls with a generated vector inside.

    Args:
        real: (m, d), more than `nearest`.
        generated: (n, d), more than `nearest`.
        nearest: k.

    Reference:
        Kynkäänniemi et al. (2019), eqs. 1 and 2; Naeem et al. (2020), eqs. 4
        and 5.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    real, generated = (np.asarray(v, np.float64) for v in (real, generated))
    real_radii, generated_radii = (
        _radii(v, nearest) for v in (real, generated)
    )
    around = np.zeros(len(generated), np.int64)
    recalled, covered = [], []
    for start in range(0, len(real), _BLOCK):
        rows = slice(start, start + _BLOCK)
        distances = euclidean_distances(real[rows], generated)
        inside = distances < real_radii[rows, None]
        around += inside.sum(axis=0)
        covered.append(inside.any(axis=1))
        recalled.append((distances < generated_radii).any(axis=1))
    return {
        "precision": float((around > 0).mean()),
        "recall": float(np.concatenate(recalled).mean()),
        "density": float(around.mean() / nearest),
        "coverage": float(np.concatenate(covered).mean()),
    }


def _radii(vectors, nearest):
    """Distance of each vector's k-th nearest other one, (n,)."""
    from sklearn.neighbors import NearestNeighbors

    if len(vectors) <= nearest:
        raise ValueError(
            f"A manifold of {nearest} nearest neighbours needs at least "
            f"{nearest + 1} vectors. Received: {len(vectors)}."
        )
    neighbours = NearestNeighbors(n_neighbors=nearest, algorithm="brute")
    distances, _ = neighbours.fit(vectors).kneighbors()
    return distances[:, -1]
