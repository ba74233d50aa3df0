"""Two replicas against NumPy on the whole batch."""

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import losses, replicas

WHOLE = np.random.default_rng(3).normal(2, 3, (5, 2, 4)).astype(np.float32)
SPLITS = [0, 1, 3]


def test_alone_nothing_is_shared():
    values = {"a": tf.constant(2.0)}
    assert replicas.total(values) is values
    assert replicas.rows(5) == (0, 5)
    assert replicas.share(5) == 1


def test_totals_are_sums_over_replicas(on_both):
    one, other = on_both(replicas.total, {"a": [1.0, 2.0]}, {"a": [3.0, 5.0]})
    np.testing.assert_array_equal(one["a"], [4, 7])
    np.testing.assert_array_equal(other["a"], [4, 7])


def test_gradients_flow_through_totals(on_both):
    """d/dx of (x + y)² on both replicas together is 4 (x + y)."""

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            square = tf.square(replicas.total(x))
        return tape.gradient(square, x)

    assert on_both(gradient, 2.0, 3.0) == [20, 20]


@pytest.mark.parametrize("first", SPLITS)
def test_rows_and_shares_follow_the_number_of_examples(on_both, first):
    rows = on_both(replicas.rows, first, 5 - first)
    assert rows == [(0, 5), (first, 5)]
    np.testing.assert_allclose(
        on_both(replicas.share, first, 5 - first), [first / 5, 1 - first / 5]
    )


@pytest.mark.parametrize("first", SPLITS)
def test_codes_are_crowded_by_those_of_all_replicas(on_both, first):
    """Values, and the gradient of their sum, are those of the whole batch."""

    def crowd(mean):
        with tf.GradientTape() as tape:
            tape.watch(mean)
            values = losses.uniformity(mean)
        return values, tape.gradient(values, mean)

    codes = WHOLE[:, 0]
    expected = crowd(tf.constant(codes))
    found = on_both(crowd, codes[:first], codes[first:])
    for parts, whole in zip(zip(*found), expected):
        np.testing.assert_allclose(
            np.concatenate(parts), whole, rtol=1e-4, atol=1e-6
        )


def test_means_weigh_replicas_by_their_share(on_both):
    def of_both(values):
        count = tf.size(values)
        means = {"a": tf.reduce_mean(values), "b": 2 * tf.reduce_mean(values)}
        return replicas.mean(means, replicas.share(count))

    # (1 + 2 + 3 + 10) / 4, and twice that.
    for found in on_both(of_both, np.float32([1, 2, 3]), np.float32([10])):
        assert found == {"a": 4, "b": 8}


def test_variance_alone_is_that_of_each_channel():
    np.testing.assert_allclose(
        replicas.variance(tf.constant(WHOLE)), WHOLE.var((0, 1)), rtol=1e-5
    )


@pytest.mark.parametrize("first", SPLITS)
def test_variance_is_that_of_the_global_batch(on_both, first):
    for found in on_both(replicas.variance, WHOLE[:first], WHOLE[first:]):
        np.testing.assert_allclose(found, WHOLE.var((0, 1)), rtol=1e-5)


def test_features_are_measured_in_the_spread_of_the_global_batch(on_both):
    other = WHOLE[::-1].copy()
    expected = losses.feature_nll(WHOLE, other, "batch")
    parts = on_both(
        lambda pair: losses.feature_nll(*pair, "batch"),
        (WHOLE[:2], other[:2]),
        (WHOLE[2:], other[2:]),
    )
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-5)
