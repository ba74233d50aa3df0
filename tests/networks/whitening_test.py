"""Codes get the covariance of the prior, whatever means were."""

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from vaegan_tf.networks.whitening import (
    FROZEN_SHRINKAGE,
    SHRINKAGE,
    Whitening,
)

SIZE = 3


def posteriors(count, seed=0):
    """Standardised, correlated means, and log-variances below 0."""
    generator = np.random.default_rng(seed)
    mixing = np.array([[1.0, 0, 0], [0.5, 1, 0], [-0.3, 0.4, 1]])
    mean = generator.normal(size=(count, SIZE)) @ mixing.T
    mean = (mean - mean.mean(axis=0)) / mean.std(axis=0)
    log_variance = -generator.uniform(0.1, 3, size=(count, SIZE))
    return mean.astype(np.float32), log_variance.astype(np.float32)


def settled(mean, log_variance, trainable=True):
    """A layer whose statistics are those of one batch."""
    layer = Whitening(dtype="float32", trainable=trainable)
    layer((mean, log_variance))
    step = tf.function(
        lambda: layer((mean, log_variance), training=True), autograph=False
    )
    for _ in range(1500):  # 0.99¹⁵⁰⁰ is 3e-7.
        step()
    return layer


@pytest.mark.parametrize(
    ("trainable", "shrinkage"), [(True, SHRINKAGE), (False, FROZEN_SHRINKAGE)]
)
def test_codes_have_the_covariance_of_the_prior(trainable, shrinkage):
    mean, log_variance = posteriors(500)
    layer = settled(mean, log_variance, trainable)
    correlation = np.corrcoef(mean.T)
    np.testing.assert_allclose(layer.correlation, correlation, atol=1e-4)
    codes = layer((mean, log_variance), training=False).numpy()
    ridge = shrinkage * np.eye(SIZE)
    white = mean @ scipy.linalg.inv(scipy.linalg.sqrtm(correlation + ridge))
    white *= np.sqrt(SIZE) / np.linalg.norm(white, axis=1, keepdims=True)
    variance = np.exp(log_variance).mean(axis=0)
    expected = white * np.sqrt(1 - variance)
    np.testing.assert_allclose(codes, expected, atol=1e-3)
    # Of 500 directions: 1 / √500 = 0.045 is their standard error.
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=0.1)
    total = np.cov(codes.T, bias=True) + np.diag(variance)
    np.testing.assert_allclose(total, np.eye(SIZE), atol=0.1)


def test_means_of_all_images_are_as_long_as_the_prior_s_codes():
    mean, log_variance = posteriors(20)
    narrow = np.full_like(log_variance, -50.0)
    layer = settled(mean, narrow)
    far = np.concatenate([mean, 100 * mean[:1], 0.01 * mean[1:2]])
    codes = layer((far, np.full_like(far, -50.0)), training=False)
    lengths = np.linalg.norm(codes, axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(SIZE), rtol=1e-5)


def test_use_neither_moves_statistics_nor_looks_at_other_examples():
    mean, log_variance = posteriors(20)
    layer = settled(mean, log_variance)
    before = [w.numpy() for w in layer.weights]
    together = layer((mean, log_variance), training=False)
    alone = layer((mean[:1], log_variance[:1]), training=False)
    np.testing.assert_allclose(alone, together[:1], rtol=1e-5)
    for old, new in zip(before, layer.weights):
        np.testing.assert_array_equal(old, new)


def test_variances_leave_less_room_to_means_and_gradients_know():
    mean, log_variance = (tf.constant(x) for x in posteriors(4))
    layer = Whitening(dtype="float32")
    layer.build(((None, SIZE), (None, SIZE)))
    with tf.GradientTape() as tape:
        tape.watch(log_variance)
        # Correlations are I here, but for what one batch adds.
        energy = tf.reduce_sum(
            tf.square(layer((mean, log_variance), training=True))
        )
    assert (tape.gradient(energy, log_variance).numpy() < 0).all()


def test_two_replicas_have_the_statistics_of_all(two_replicas, on_both):
    mean, log_variance = posteriors(5)
    one = Whitening(dtype="float32")
    expected = one((mean, log_variance), training=True)
    with two_replicas.scope():
        two = Whitening(dtype="float32")
        two.build((mean.shape, log_variance.shape))
    parts = [(mean[:3], log_variance[:3]), (mean[3:], log_variance[3:])]
    received = on_both(lambda pair: two(pair, training=True), *parts)
    np.testing.assert_allclose(
        np.concatenate(received), expected, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(two.correlation, one.correlation, rtol=1e-4)


@pytest.mark.parametrize("training", [False, True])
def test_posteriors_as_wide_as_the_prior_leave_no_nans(training):
    mean, _ = posteriors(4)
    layer = Whitening(dtype="float32")
    wide = tf.zeros_like(mean)
    with tf.GradientTape() as tape:
        tape.watch(wide)
        outputs = layer((mean, wide), training=training)
    gradient = tape.gradient(outputs, wide)
    assert np.isfinite(outputs).all()
    assert gradient is None or np.isfinite(gradient).all()
