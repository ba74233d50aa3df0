"""One transposed convolution does what two steps would."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.networks.upsampling import NearestConvolution


def in_two_steps(maps, kernel):
    doubled = tf.repeat(tf.repeat(maps, 2, axis=1), 2, axis=2)
    return tf.nn.conv2d(doubled, kernel, 1, "SAME")


@pytest.mark.parametrize("side", [1, 4, 5])
def test_it_is_nearest_neighbours_and_then_a_convolution(side):
    maps = np.random.default_rng(0).normal(size=(2, side, side, 3))
    layer = NearestConvolution(5, dtype="float64")
    received = layer(maps)
    assert received.shape == (2, 2 * side, 2 * side, 5)
    expected = in_two_steps(maps, layer.kernel.value)
    np.testing.assert_allclose(received, expected, atol=1e-12)


def test_its_gradients_are_those_of_the_two_steps():
    maps = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 4, 3)))
    layer = NearestConvolution(5, dtype="float64")
    layer(maps)

    def gradients(function):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            loss = tf.reduce_sum(tf.sin(function()))
        return tape.gradient(loss, [maps, layer.kernel.value])

    received = gradients(lambda: layer(maps))
    expected = gradients(lambda: in_two_steps(maps, layer.kernel.value))
    for ours, theirs in zip(received, expected):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_it_can_be_saved(tmp_path):
    inputs = keras.Input((4, 4, 3))
    outputs = NearestConvolution(5, kernel_regularizer="l2")(inputs)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    maps = np.ones((1, 4, 4, 3), np.float32)
    np.testing.assert_array_equal(loaded(maps), model(maps))
    assert float(loaded.losses[0]) == float(model.losses[0]) > 0
