import numpy as np
import pytest
from scipy import stats

from vaegan_tf.sampling import fit_mixture
from vaegan_tf.sampling.fit import default_components


def two_clouds(count=600):
    generator = np.random.default_rng(0)
    left = generator.multivariate_normal([-8, 0], [[1, 0.8], [0.8, 1]], count)
    right = generator.multivariate_normal(
        [8, 3], [[4, 0], [0, 0.25]], count * 2
    )
    return np.concatenate([left, right]).astype(np.float32)


def covariances(mixture):
    return mixture.scales @ mixture.scales.swapaxes(1, 2)


def test_two_clouds_are_found():
    mixture = fit_mixture(two_clouds(), 2)
    left, right = np.argsort(mixture.means[:, 0])
    np.testing.assert_allclose(
        mixture.weights[[left, right]], [1 / 3, 2 / 3], atol=1e-3
    )
    codes = two_clouds()
    for index, part in ((left, codes[:600]), (right, codes[600:])):
        np.testing.assert_allclose(
            mixture.means[index], part.mean(axis=0), atol=0.01
        )
        np.testing.assert_allclose(
            covariances(mixture)[index], np.cov(part.T), atol=0.02
        )
    assert {a.dtype for a in vars(mixture).values()} == {np.dtype(np.float32)}


def test_one_gaussian_has_the_moments_of_the_codes():
    codes = two_clouds()
    mixture = fit_mixture(codes, 1)
    np.testing.assert_allclose(mixture.means[0], codes.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(
        covariances(mixture)[0], np.cov(codes.T, bias=True), rtol=1e-4
    )


def test_a_diagonal_mixture_has_independent_coordinates():
    codes = two_clouds()
    mixture = fit_mixture(codes, 1, covariance="diagonal")
    np.testing.assert_allclose(
        covariances(mixture)[0], np.diag(codes.var(axis=0)), rtol=1e-4
    )


def test_a_fit_depends_on_codes_and_seed_alone():
    one, again = (fit_mixture(two_clouds(), 4, seed=3) for _ in range(2))
    for key, value in vars(one).items():
        np.testing.assert_array_equal(value, vars(again)[key])


def test_what_it_draws_looks_like_the_codes():
    codes = two_clouds()
    drawn = fit_mixture(codes, 2).codes(3000, 1).numpy()
    for coordinate in range(2):
        test = stats.ks_2samp(codes[:, coordinate], drawn[:, coordinate])
        assert test.pvalue > 0.01


@pytest.mark.parametrize(
    ("count", "latent_dim", "expected"),
    [(5, 4, 1), (79, 4, 1), (80, 4, 2), (6840, 128, 5), (162_770, 128, 10)],
)
def test_components_follow_the_number_of_codes(count, latent_dim, expected):
    assert default_components(count, latent_dim) == expected


@pytest.mark.parametrize(
    ("count", "components", "covariance", "message"),
    [
        (
            9,
            3,
            "full",
            r"3 Gaussians in 3 dimensions needs 12 codes or more\. R",
        ),
        (9, 5, "diagonal", r"needs 10 codes or more\. Received: 9 codes\."),
        (9, 0, "full", r"`num_components` must be at least 1\. .*=0"),
        (
            9,
            1,
            "round",
            r"`covariance` must be one of full, diagonal\. .*'round",
        ),
    ],
)
def test_mixtures_that_are_refused(count, components, covariance, message):
    codes = np.random.default_rng(0).normal(size=(count, 3))
    with pytest.raises(ValueError, match=message):
        fit_mixture(codes, components, covariance=covariance)
