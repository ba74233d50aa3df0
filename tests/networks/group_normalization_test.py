"""The fused layer computes what Keras's does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.networks.group_normalization import FusedGroupNormalization


def pair(maps, channels_per_group, groups):
    """Our layer and Keras's, with the same weights."""
    generator = np.random.default_rng(1)
    weights = [generator.normal(size=maps.shape[-1]) for _ in range(2)]
    layers = (
        FusedGroupNormalization(channels_per_group, 1e-3, dtype="float64"),
        keras.layers.GroupNormalization(groups, epsilon=1e-3, dtype="float64"),
    )
    for layer in layers:
        layer.build(maps.shape)
        layer.set_weights(weights)
    return layers


def outputs_and_gradients(layer, maps):
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = layer(maps)
        loss = tf.reduce_sum(tf.sin(outputs))
    variables = [layer.gamma.value, layer.beta.value]
    return [outputs, *tape.gradient(loss, [maps, *variables])]


@pytest.mark.parametrize(
    ("channels", "channels_per_group", "groups"),
    [(32, 16, 2), (8, 16, 1), (32, 1, 32), (24, 16, 1)],
)
def test_numbers_and_gradients_are_those_of_keras(
    channels, channels_per_group, groups
):
    maps = np.random.default_rng(0).normal(1, 2, (3, 4, 5, channels))
    maps = tf.constant(maps)
    ours, theirs = pair(maps, channels_per_group, groups)
    for received, expected in zip(
        outputs_and_gradients(ours, maps), outputs_and_gradients(theirs, maps)
    ):
        np.testing.assert_allclose(received, expected, rtol=1e-9, atol=1e-9)


def test_images_do_not_depend_on_each_other():
    maps = np.random.default_rng(0).normal(size=(2, 4, 4, 32))
    layer = FusedGroupNormalization(16)
    together = layer(tf.constant(maps, tf.float32))
    alone = layer(tf.constant(maps[:1], tf.float32))
    np.testing.assert_allclose(together[:1], alone, atol=1e-6)
