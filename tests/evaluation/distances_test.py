import itertools

import numpy as np
import pytest

from vaegan_tf.evaluation import distances
from vaegan_tf.evaluation.distances import Gaussian


def gaussian_of(vectors):
    return Gaussian(vectors.mean(0), np.cov(vectors, rowvar=False))


@pytest.fixture
def real():
    return np.random.default_rng(1).standard_normal((60, 8))


@pytest.fixture
def generated():
    generator = np.random.default_rng(1)
    generator.standard_normal((60, 8))
    return 0.8 * generator.standard_normal((50, 8)) + 0.3


def frechet(mean_1, covariance_1, mean_2, covariance_2):
    return distances.frechet_distance(
        Gaussian(np.array(mean_1), np.array(covariance_1)),
        Gaussian(np.array(mean_2), np.array(covariance_2)),
    )


def test_frechet_of_diagonal_covariances():
    # |m₁ − m₂|² + Σ (σ₁ − σ₂)² = 9 + 1 + (1 − 3)² + (2 − 5)².
    found = frechet(
        [0.0, 1.0], np.diag([1.0, 4.0]), [3.0, 0.0], np.diag([9.0, 25.0])
    )
    assert found == pytest.approx(10 + 4 + 9, rel=1e-12)


def test_frechet_of_covariances_that_do_not_commute():
    # Of 2×2 matrices Tr √M = √(Tr M + 2 √det M).
    one = np.array([[2.0, 1.0], [1.0, 3.0]])
    other = np.array([[5.0, -2.0], [-2.0, 1.0]])
    product = one @ other
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(one) + np.trace(other) - 2 * root
    found = frechet([0.0, 0.0], one, [0.0, 0.0], other)
    assert found == pytest.approx(expected, rel=1e-12)


def test_frechet_of_singular_covariances():
    # u uᵀ and v vᵀ: Tr √ is |u·v|.
    u, v = np.array([1.0, 2.0, 2.0]), np.array([0.0, 3.0, 4.0])
    zero = np.zeros(3)
    found = frechet(zero, np.outer(u, u), zero, np.outer(v, v))
    assert found == pytest.approx(9 + 25 - 2 * 14, rel=1e-12)


def test_frechet_of_fewer_vectors_than_dimensions():
    # Without rounding, Tr √ is the nuclear norm of the centred sets' product.
    generator = np.random.default_rng(0)
    one, other = generator.standard_normal((2, 20, 300))
    centered = [(v - v.mean(0)) / np.sqrt(19) for v in (one, other)]
    shift = one.mean(0) - other.mean(0)
    expected = (
        shift @ shift
        + sum(np.square(c).sum() for c in centered)
        - 2 * np.linalg.norm(centered[0] @ centered[1].T, "nuc")
    )
    found = distances.frechet_distance(gaussian_of(one), gaussian_of(other))
    assert found == pytest.approx(expected, rel=1e-10)


def test_frechet_of_equals_is_zero_and_never_negative(real):
    one = gaussian_of(real)
    assert 0 <= distances.frechet_distance(one, one) < 1e-12


def test_frechet_agrees_with_other_programs(real, generated):
    # pytorch-fid 0.3.0 and torch-fidelity 0.4.0 on the same vectors.
    found = distances.frechet_distance(
        gaussian_of(real), gaussian_of(generated)
    )
    assert found == pytest.approx(1.3770998867913669, rel=1e-10)


def test_divergence_from_the_prior():
    # ½ Σ (m² + σ² − log σ² − 1) of a diagonal covariance.
    mean, variance = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    expected = 0.5 * (mean**2 + variance - np.log(variance) - 1).sum()
    found = distances.divergence_from_prior(Gaussian(mean, np.diag(variance)))
    assert found == pytest.approx(expected, rel=1e-12)


def test_divergence_knows_of_correlation():
    # ½ (2 − 2 − log (1 − ρ²)).
    correlated = Gaussian(np.zeros(2), np.array([[1.0, 0.6], [0.6, 1.0]]))
    found = distances.divergence_from_prior(correlated)
    assert found == pytest.approx(-0.5 * np.log(0.64), rel=1e-12)


def test_mmd_is_the_mean_over_pairs(real, generated):
    def mean_kernel(pairs):
        return np.mean([(x @ y / 8 + 1) ** 3 for x, y in pairs])

    expected = (
        mean_kernel(itertools.permutations(real, 2))
        + mean_kernel(itertools.permutations(generated, 2))
        - 2 * mean_kernel(itertools.product(real, generated))
    )
    found = distances.squared_mmd(real, generated)
    assert found == pytest.approx(expected, rel=1e-10)


def test_mmd_agrees_with_torch_fidelity(real, generated):
    # torch-fidelity 0.4.0, kernel_mmd, on the same vectors.
    found = distances.squared_mmd(real[:50], generated)
    assert found == pytest.approx(0.3266010520871352, rel=1e-10)


def test_kernel_distance_is_the_mean_of_ten_subsets(real, generated):
    value, error = distances.kernel_distance(real, generated, seed=3)
    generator = np.random.default_rng(3)
    rows = generator.permutation(60)[:50].reshape(10, 5)
    others = generator.permutation(50).reshape(10, 5)
    estimates = [
        distances.squared_mmd(real[one], generated[other])
        for one, other in zip(rows, others)
    ]
    assert value == pytest.approx(np.mean(estimates), rel=1e-12)
    assert error == pytest.approx(np.std(estimates, ddof=1) / 10**0.5)


def test_kernel_distance_of_alike_sets_is_zero_within_its_error():
    generator = np.random.default_rng(0)
    one, other = generator.standard_normal((2, 2000, 16))
    value, error = distances.kernel_distance(one, other)
    assert abs(value) < 3 * error
    further, _ = distances.kernel_distance(one, other + 1)
    assert further > 20 * error


def test_subsets_have_a_thousand_vectors_at_most(monkeypatch):
    sizes = []
    monkeypatch.setattr(
        distances,
        "squared_mmd",
        lambda one, other: sizes.append((len(one), len(other))) or 0.0,
    )
    distances.kernel_distance(np.zeros((12_345, 1)), np.zeros((15_000, 1)))
    assert sizes == [(1000, 1000)] * 12
