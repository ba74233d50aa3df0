"""How far apart are two sets of vectors?"""

import numpy as np

MOST_IN_SUBSET = 1000
FEWEST_SUBSETS = 10


def frechet_distance(first, second):
    """Squared Fréchet (Wasserstein-2) distance of two Gaussians.

    |m₁ − m₂|² + Tr(C₁ + C₂ − 2 (C₁ C₂)^½)

    Tr (C₁ C₂)^½ is the sum of the singular values of F₁ᵀ F₂, where
    C = F Fᵀ. The square root of the product itself, which is not symmetric,
    comes out complex or not at all where a covariance is singular, as with
    fewer images than features; and the square roots of the product's
    eigenvalues have half the digits.

    Args:
        first: A `Gaussian`.
        second: Another.

    Returns:
        A non-negative number, in squared units of the vectors.

    Reference:
        Dowson & Landau (1982); Heusel et al. (2017), eq. 6.
    """
    shift = first.mean - second.mean
    spread = np.trace(first.covariance) + np.trace(second.covariance)
    common = np.linalg.svd(first.factor.T @ second.factor, compute_uv=False)
    return float(max(shift @ shift + spread - 2 * common.sum(), 0.0))


def divergence_from_prior(gaussian):
    """KL(N(m, C) || N(0, I)) in nats: ½ (Tr C + |m|² − d − log det C).

    Args:
        gaussian: A `Gaussian` whose covariance is not singular.
    """
    mean, covariance = gaussian.mean, gaussian.covariance
    _, log_determinant = np.linalg.slogdet(covariance)
    trace = np.trace(covariance)
    return float(0.5 * (trace + mean @ mean - len(mean) - log_determinant))


def squared_mmd(first, second):
    """Unbiased squared maximum mean discrepancy with a cubic kernel.

    The kernel is k(x, y) = (x·y / d + 1)³. The estimate may be negative where
    the sets are alike.

    Args:
        first: Vectors, (m, d), at least two.
        second: Vectors, (n, d), at least two.

    Reference:
        Gretton et al. (2012), eq. 3; Bińkowski et al. (2018), section 4.
    """
    first, second = (np.asarray(v, np.float64) for v in (first, second))
    within = _mean_off_diagonal(first) + _mean_off_diagonal(second)
    return float(within - 2 * _cubic(first, second).mean())


def kernel_distance(first, second, seed=0):
    """`squared_mmd` over subsets of the two sets, averaged.

    The subsets are disjoint, and so the estimates independent, which the
    standard error takes for granted: ten or more subsets of up to 1000
    vectors. As each estimate is unbiased, their size does not shift the mean.

    Args:
        first: Vectors, (m, d).
        second: Vectors, (n, d); m and n at least 4.
        seed: Seed of the division into subsets.

    Returns:
        `(mean, standard error of the mean)`.

    Reference:
        Bińkowski et al. (2018), "Demystifying MMD GANs", section 4.
    """
    generator = np.random.default_rng(seed)
    count = min(len(first), len(second))
    size = min(MOST_IN_SUBSET, max(2, count // FEWEST_SUBSETS))
    subsets = count // size
    chosen = [
        generator.permutation(len(vectors))[: subsets * size]
        for vectors in (first, second)
    ]
    estimates = [
        squared_mmd(first[one], second[other])
        for one, other in zip(*(np.split(c, subsets) for c in chosen))
    ]
    error = np.std(estimates, ddof=1) / np.sqrt(subsets)
    return float(np.mean(estimates)), float(error)


def _cubic(first, second):
    return (first @ second.T / first.shape[1] + 1.0) ** 3


def _mean_off_diagonal(vectors):
    kernel = _cubic(vectors, vectors)
    count = len(vectors)
    return (kernel.sum() - np.trace(kernel)) / (count * (count - 1))
