import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from vaegan_tf import noise
from vaegan_tf.sampling import MixtureSampler, PriorSampler, TruncatedSampler

MIXTURE = MixtureSampler(
    weights=np.array([0.25, 0.75], np.float32),
    means=np.array([[-10.0, 0.0], [10.0, 5.0]], np.float32),
    scales=np.array(
        [[[1.0, 0.0], [0.0, 2.0]], [[0.6, 0.0], [0.8, 0.5]]], np.float32
    ),
)
SAMPLERS = [PriorSampler(2), TruncatedSampler(2, 0.5), MIXTURE]
every_sampler = pytest.mark.parametrize(
    "sampler", SAMPLERS, ids=lambda sampler: sampler.name
)


@every_sampler
def test_a_seed_decides_the_codes(sampler):
    codes = sampler.codes(5, 3)
    assert (codes.shape, codes.dtype) == ((5, 2), tf.float32)
    assert sampler.latent_dim == 2
    np.testing.assert_array_equal(codes, sampler.codes(5, 3))
    np.testing.assert_array_equal(codes, sampler.codes(5, [3, 0]))
    assert np.abs(codes - sampler.codes(5, 4)).max() > 1e-3


@every_sampler
def test_codes_are_drawn_in_graphs_too(sampler):
    drawn = tf.function(sampler.codes)(tf.constant(4), tf.constant([1, 2]))
    np.testing.assert_allclose(drawn, sampler.codes(4, [1, 2]), rtol=1e-6)


def test_the_prior_is_what_models_sample_from():
    np.testing.assert_array_equal(
        PriorSampler(3).codes(4, 7), noise.latent_codes(4, 3, 7)
    )


@pytest.mark.parametrize("truncation", [0.1, 0.7, 2.0, 5.0])
def test_truncated_codes_follow_the_truncated_normal(truncation):
    codes = TruncatedSampler(4, truncation).codes(5000, 1).numpy().ravel()
    assert np.abs(codes).max() <= np.float32(truncation)
    expected = stats.truncnorm(-truncation, truncation)
    assert stats.kstest(codes, expected.cdf).pvalue > 0.01
    # So few draws tell a normal distribution clipped to the bounds apart.
    clipped = np.clip(stats.norm.ppf(np.linspace(0.001, 0.999, 999)), -1, 1)
    if truncation == 0.7:
        assert stats.kstest(clipped, expected.cdf).pvalue < 0.01


def test_a_wide_truncation_leaves_the_prior():
    codes = TruncatedSampler(4, 50.0).codes(5000, 2).numpy().ravel()
    assert np.isfinite(codes).all()
    assert stats.kstest(codes, stats.norm.cdf).pvalue > 0.01


def test_a_smaller_truncation_draws_the_same_codes_inward():
    wide, narrow = (
        TruncatedSampler(8, truncation).codes(50, 3).numpy()
        for truncation in (2.0, 0.5)
    )
    assert (np.sign(wide) == np.sign(narrow)).all()
    assert (np.abs(narrow) < np.abs(wide)).all()
    assert (np.argsort(wide.ravel()) == np.argsort(narrow.ravel())).all()


@pytest.mark.parametrize("truncation", [0, -1.0, float("nan")])
def test_truncations_that_are_refused(truncation):
    message = r"`truncation` must be (above 0|finite)\. Received: truncation="
    with pytest.raises(ValueError, match=message):
        TruncatedSampler(2, truncation)


def test_a_mixture_draws_each_component_with_its_own_moments():
    codes = MIXTURE.codes(40_000, 5).numpy()
    first = codes[:, 0] < 0  # They lie 20 apart.
    np.testing.assert_allclose(first.mean(), 0.25, atol=0.01)
    for index, part in enumerate((codes[first], codes[~first])):
        scale = MIXTURE.scales[index]
        np.testing.assert_allclose(
            part.mean(axis=0), MIXTURE.means[index], atol=0.06
        )
        np.testing.assert_allclose(np.cov(part.T), scale @ scale.T, atol=0.12)


def test_which_component_is_drawn_does_not_depend_on_the_noise():
    same = MixtureSampler(
        weights=np.array([0.5, 0.5], np.float32),
        means=np.array([[-100.0], [100.0]], np.float32),
        scales=np.ones([2, 1, 1], np.float32),
    )
    codes = same.codes(4000, 0).numpy()[:, 0]
    spread = codes - 100 * np.sign(codes)
    high, low = spread[codes > 0], spread[codes < 0]
    assert stats.ks_2samp(high, low).pvalue > 0.01
