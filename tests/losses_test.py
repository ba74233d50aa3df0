import math

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import losses


def test_kl_of_the_prior_itself_is_zero():
    np.testing.assert_array_equal(
        losses.gaussian_kl(tf.zeros((2, 3)), tf.zeros((2, 3))), [0, 0]
    )


def test_kl_sums_over_latent_dimensions():
    # ½ (mean² + variance − log variance − 1): ½·4 and ½ (3 − log 3 − 1).
    mean = tf.constant([[2.0, 0.0]])
    log_variance = tf.constant([[0.0, math.log(3.0)]])
    expected = 2 + 0.5 * (3 - math.log(3) - 1)
    np.testing.assert_allclose(
        losses.gaussian_kl(mean, log_variance), [expected], rtol=1e-6
    )


def test_kl_per_dimension_is_what_kl_sums():
    mean = np.array([[2.0, 0.0], [1.0, -1.0]])
    log_variance = np.array([[0.0, math.log(3.0)], [0.5, -0.5]])
    parts = losses.gaussian_kl_per_dimension(mean, log_variance)
    np.testing.assert_allclose(parts[0], [2, 0.5 * (3 - math.log(3) - 1)])
    np.testing.assert_allclose(
        losses.gaussian_kl(mean, log_variance), tf.reduce_sum(parts, 1)
    )


def test_kl_agrees_with_a_monte_carlo_estimate():
    mean, log_variance = 0.7, -0.5
    scale = math.exp(0.5 * log_variance)
    z = np.random.default_rng(0).normal(mean, scale, 1_000_000)
    log_q = -0.5 * ((z - mean) / scale) ** 2 - math.log(scale)
    estimate = np.mean(log_q + 0.5 * z**2)
    exact = losses.gaussian_kl(
        tf.constant([[mean]]), tf.constant([[log_variance]])
    )
    assert float(exact[0]) == pytest.approx(estimate, abs=0.005)


def test_uniformity_is_about_directions_and_every_other_example():
    # √4 times the cosines −1 and 0; 0 and 0.
    one, across = [3.0, 0, 0, 0], [0, 0.5, 0, 0]
    mean = tf.constant([one, [-1.0, 0, 0, 0], across])
    crowd = math.log((math.exp(-2) + 1) / 2)
    np.testing.assert_allclose(
        losses.uniformity(mean), [crowd, crowd, 0], atol=1e-6
    )


def test_uniform_codes_are_as_crowded_as_the_sphere_says():
    # E exp(κ cos) over the sphere in three dimensions is sinh(κ) / κ.
    codes = np.random.default_rng(0).normal(size=(4000, 3))
    found = losses.uniformity(tf.constant(codes, tf.float32))
    expected = math.sinh(math.sqrt(3)) / math.sqrt(3)
    assert np.mean(np.exp(found)) == pytest.approx(expected, rel=0.01)
    off_centre = codes + np.array([1, 0, 0])
    heap = losses.uniformity(tf.constant(off_centre, tf.float32))
    assert np.mean(heap) > np.mean(found) + 0.1


def test_nobody_crowds_an_example_alone():
    mean = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        value = losses.uniformity(mean)
    np.testing.assert_array_equal(value, [0])
    np.testing.assert_array_equal(tape.gradient(value, mean), [[0, 0]])


def test_gaussian_nll_is_half_the_summed_squared_error():
    target = tf.reshape(tf.range(12, dtype=tf.float32), (1, 2, 2, 3))
    np.testing.assert_allclose(
        losses.gaussian_nll(target, target - 2.0), [0.5 * 12 * 4]
    )


def test_gaussian_nll_has_a_variance_for_each_channel():
    target = tf.zeros((1, 2, 2, 3))
    variance = tf.constant([1.0, 4.0, 16.0]) - losses.VARIANCE_EPSILON
    # Four places of 2² / 1, 2² / 4 and 2² / 16.
    np.testing.assert_allclose(
        losses.gaussian_nll(target, target + 2.0, variance),
        [0.5 * 4 * (4 + 1 + 0.25)],
        rtol=1e-6,
    )


def test_unit_features_are_compared_as_they_are():
    real = tf.constant([[1.0, 10.0], [3.0, 30.0]])
    other = tf.constant([[0.0, 10.0], [3.0, 34.0]])
    np.testing.assert_allclose(losses.feature_nll(real, other), [0.5, 8.0])


def test_batch_features_are_compared_in_units_of_their_deviation():
    # Standard deviations of the real features: 1 and 10.
    real = tf.constant([[1.0, 10.0], [3.0, 30.0]])
    other = tf.constant([[0.0, 10.0], [3.0, 34.0]])
    np.testing.assert_allclose(
        losses.feature_nll(real, other, "batch"), [0.5, 0.08], rtol=1e-5
    )


def test_layers_weigh_as_the_roots_of_their_sizes():
    layers = [tf.zeros((2, 3, 3, 2)), tf.zeros((2, 1, 1, 2))]
    errors = [tf.constant([36.0, 0.0]), tf.constant([1.0, 6.0])]
    # 18 and 2 features, 10 on average, weigh as 3 to 1: errors of 2 and 0.5 a
    # feature make 10 (3 · 2 + 0.5) / 4, of 0 and 3 make 10 · 3 / 4.
    received = losses.mean_over_layers(errors, layers)
    np.testing.assert_allclose(received, [16.25, 7.5], rtol=1e-6)
    alone = losses.mean_over_layers(errors[:1], layers[:1])
    np.testing.assert_allclose(alone, errors[0], rtol=1e-6)


def test_no_gradient_flows_through_the_deviation():
    real, other = tf.constant([[1.0], [3.0]]), tf.zeros((2, 1))
    with tf.GradientTape() as tape:
        tape.watch(real)
        total = tf.reduce_sum(losses.feature_nll(real, other, "batch"))
    # The deviation is 1: were it not held fixed, the gradient would be 0 in
    # the direction of `real`, which scales numerator and denominator alike.
    np.testing.assert_allclose(tape.gradient(total, real), [[1], [3]], 1e-5)


def test_standardized_features_by_hand():
    features = tf.constant([[[6.0, 1.0]], [[2.0, 3.0]]])
    found = losses.standardize(features, tf.constant([4.0, 1e-6 * 3]))
    # Divided by √4 and by √(3·10⁻⁶ + 10⁻⁶) = 0.002.
    np.testing.assert_allclose(
        found, [[[3.0, 500.0]], [[1.0, 1500.0]]], rtol=1e-6
    )


@pytest.mark.parametrize("epsilon", [0.0, 1e-3])
@pytest.mark.parametrize("logit", [-3.0, 0.0, 2.5])
def test_adversarial_costs_are_logarithms_of_probabilities(logit, epsilon):
    probability = 1 / (1 + math.exp(-logit))
    logits = tf.constant([[logit]])
    np.testing.assert_allclose(
        losses.real_nll(logits, epsilon),
        [-math.log(probability + epsilon)],
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        losses.generated_nll(logits, epsilon),
        [-math.log(1 - probability + epsilon)],
        rtol=1e-5,
    )


def test_adversarial_costs_of_extreme_logits_are_finite():
    logits = tf.constant([[-200.0], [200.0]])
    np.testing.assert_allclose(losses.real_nll(logits), [200, 0], atol=1e-6)
    np.testing.assert_allclose(
        losses.generated_nll(logits), [0, 200], atol=1e-6
    )
    # With ε inside, the cost of being surely wrong is −log ε.
    np.testing.assert_allclose(
        losses.real_nll(logits, 1e-3)[0], -math.log(1e-3), rtol=1e-5
    )


def test_attribute_nll_by_hand():
    # σ(0) = ½ and σ(log 3) = ¾.
    attributes = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    logits = tf.constant([[0.0, math.log(3)]] * 2)
    np.testing.assert_allclose(
        losses.attribute_nll(attributes, logits),
        [math.log(2) + math.log(4), math.log(2) + math.log(4 / 3)],
        rtol=1e-6,
    )


def test_attribute_nll_weighs_presence_and_absence():
    attributes = tf.constant([[1.0, 0.0], [0.0, 1.0]])
    found = losses.attribute_nll(
        attributes, tf.zeros((2, 2)), np.float32([2, 3]), np.float32([5, 7])
    )
    np.testing.assert_allclose(
        found, np.log(2) * np.array([2 + 7, 5 + 3]), rtol=1e-6
    )


def test_attribute_nll_of_sure_answers_is_finite():
    found = losses.attribute_nll(
        tf.constant([[1.0, 0.0]]), tf.constant([[1e4, 1e4]])
    )
    np.testing.assert_allclose(found, [1e4])


def test_hinge_losses_by_hand():
    logits = np.array([[-2.0], [0.25], [3.0]], np.float32)
    np.testing.assert_allclose(losses.real_hinge(logits), [3, 0.75, 0])
    np.testing.assert_allclose(losses.generated_hinge(logits), [0, 1.25, 4])
