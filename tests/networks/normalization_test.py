import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.networks import FusedBatchNormalization

SHAPES = {"maps": (6, 4, 5, 3), "vectors": (8, 3)}


def pair(shape, **options):
    """The fused layer and Keras's own, with the same weights."""
    fused = FusedBatchNormalization(momentum=0.9, epsilon=1e-6, **options)
    stock = keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-6, **options
    )
    weights = []
    for layer in (fused, stock):
        layer.build((None, *shape[1:]))
    generator = np.random.default_rng(1)
    weights = [
        generator.uniform(0.5, 2, weight.shape) for weight in stock.weights
    ]
    fused.set_weights(weights)
    stock.set_weights(weights)
    return fused, stock


def inputs(shape):
    return tf.constant(np.random.default_rng(0).normal(2, 3, shape), "float32")


@pytest.mark.parametrize("options", [{}, {"center": False, "scale": False}])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_outputs_and_gradients_are_those_of_keras(shape, training, options):
    results = []
    x = inputs(shape)
    for layer in pair(shape, **options):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            value = tf.reduce_sum(tf.sin(y))
        sources = [x, *[w.value for w in layer.trainable_weights]]
        results.append([y, *tape.gradient(value, sources)])
    for fused, stock in zip(*results):
        np.testing.assert_allclose(fused, stock, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_moving_statistics_are_those_of_keras(shape):
    fused, stock = pair(shape)
    for layer in (fused, stock):
        layer(inputs(shape), training=True)
    np.testing.assert_allclose(fused.moving_mean, stock.moving_mean, 1e-5)
    np.testing.assert_allclose(
        fused.moving_variance, stock.moving_variance, 1e-5
    )


def test_a_frozen_layer_keeps_its_statistics():
    fused, _ = pair((8, 3))
    fused.trainable = False
    before = fused.moving_mean.numpy().copy()
    fused(inputs((8, 3)), training=True)
    np.testing.assert_array_equal(fused.moving_mean, before)


def test_bfloat16_keeps_statistics_in_float32():
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    y = layer(inputs((6, 4, 5, 3)), training=True)
    assert y.dtype == tf.bfloat16
    assert layer.moving_mean.dtype == "float32"
    # One step of momentum 0.99 towards the batch mean.
    expected = 0.01 * np.mean(inputs((6, 4, 5, 3)), axis=(0, 1, 2))
    np.testing.assert_allclose(layer.moving_mean, expected, rtol=1e-2)


@pytest.mark.parametrize(
    "options", [{"axis": 1}, {"dtype": "float64"}, {"renorm": True}]
)
def test_what_cannot_be_fused_is_left_to_keras(options):
    shape = (6, 4, 5, 3)
    x = tf.cast(inputs(shape), options.get("dtype", "float32"))
    fused = FusedBatchNormalization(**options)
    stock = keras.layers.BatchNormalization(**options)
    np.testing.assert_array_equal(
        fused(x, training=True), stock(x, training=True)
    )
