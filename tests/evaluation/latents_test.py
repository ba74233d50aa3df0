import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.evaluation.latents import Latents


def posteriors(count=40, latent_dim=3):
    generator = np.random.default_rng(0)
    mean = generator.standard_normal((count, latent_dim)) * [1.0, 0.05, 2.0]
    return mean, generator.uniform(-2, 0, (count, latent_dim))


def gathered(mean, log_variance, sizes=(15, 24, 1)):
    latents = Latents(mean.shape[1])
    places = np.cumsum(sizes)[:-1]
    for batch in zip(np.split(mean, places), np.split(log_variance, places)):
        latents.add(*batch)
    return latents


def test_kl_is_that_of_the_loss():
    mean, log_variance = posteriors()
    latents = gathered(mean, log_variance)
    expected = losses.gaussian_kl(tf.constant(mean), tf.constant(log_variance))
    value, error = latents.scores()["kl"]
    assert value == pytest.approx(np.mean(expected), rel=1e-12)
    assert error == pytest.approx(np.std(expected, ddof=1) / 40**0.5)
    assert latents.kl_per_dimension.sum() == pytest.approx(value, rel=1e-12)
    assert latents.kl_per_dimension.shape == (3,)


def test_units_are_active_whose_mean_varies():
    # Standard deviations 1, 0.05 and 2: variances 1, 0.0025 and 4.
    assert gathered(*posteriors()).scores()["active_units"] == (2.0, None)


def test_the_aggregate_has_the_moments_of_the_codes():
    mean, log_variance = posteriors()
    aggregate = gathered(mean, log_variance).aggregate
    generator = np.random.default_rng(1)
    noise = generator.standard_normal((20_000, *mean.shape))
    codes = (mean + np.exp(0.5 * log_variance) * noise).reshape(-1, 3)
    np.testing.assert_allclose(aggregate.mean, codes.mean(0), atol=0.01)
    # The encoder's means count with n − 1: 40 of them.
    between = np.cov(mean, rowvar=False) / 40
    np.testing.assert_allclose(
        aggregate.covariance, np.cov(codes.T) + between, atol=0.03
    )


def test_distances_of_the_aggregate_from_the_prior():
    # Two codes ±1 of no width but e^-2: mean 0, variance 2 + e^-2.
    variance = 2 + np.exp(-2.0)
    latents = gathered(np.array([[1.0], [-1.0]]), np.full((2, 1), -2.0), (2,))
    scores = latents.scores()
    divergence = 0.5 * (variance - 1 - np.log(variance))
    assert scores["aggregate_kl"][0] == pytest.approx(divergence, rel=1e-12)
    assert scores["aggregate_frechet_distance"][0] == pytest.approx(
        (np.sqrt(variance) - 1) ** 2, rel=1e-12
    )


def test_posteriors_that_are_the_prior_cost_nothing():
    scores = gathered(np.zeros((4, 2)), np.zeros((4, 2)), (4,)).scores()
    assert {name: value for name, (value, _) in scores.items()} == {
        "kl": 0.0,
        "active_units": 0.0,
        "aggregate_kl": 0.0,
        "aggregate_frechet_distance": 0.0,
    }
