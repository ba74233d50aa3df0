import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.networks.layers import (
    Convolution,
    FullyConnected,
    TransposedConvolution,
)

SAME = {"padding": "same"}
# A layer, Keras's own, their arguments and the shape of the inputs.
CASES = {
    "strided": (
        (Convolution, keras.layers.Conv2D),
        {"filters": 5, "kernel_size": 5, "strides": 2, **SAME},
        (3, 16, 16, 4),
    ),
    "to colours": (
        (Convolution, keras.layers.Conv2D),
        {"filters": 3, "kernel_size": 5, "activation": "tanh", **SAME},
        (3, 8, 8, 6),
    ),
    "from colours": (
        (Convolution, keras.layers.Conv2D),
        {"filters": 6, "kernel_size": 5, **SAME},
        (3, 8, 8, 3),
    ),
    "unpadded": (
        (Convolution, keras.layers.Conv2D),
        {"filters": 3, "kernel_size": 5},
        (3, 8, 8, 6),
    ),
    "dilated": (
        (Convolution, keras.layers.Conv2D),
        {"filters": 3, "kernel_size": 3, "dilation_rate": 2, **SAME},
        (3, 8, 8, 6),
    ),
    "transposed": (
        (TransposedConvolution, keras.layers.Conv2DTranspose),
        {"filters": 5, "kernel_size": 5, "strides": 2, **SAME},
        (3, 8, 8, 4),
    ),
    "transposed, with output padding": (
        (TransposedConvolution, keras.layers.Conv2DTranspose),
        {
            "filters": 5,
            "kernel_size": 5,
            "strides": 2,
            "output_padding": 0,
            **SAME,
        },
        (3, 8, 8, 4),
    ),
    "transposed, unpadded, with an activation": (
        (TransposedConvolution, keras.layers.Conv2DTranspose),
        {"filters": 5, "kernel_size": 5, "strides": 2, "activation": "tanh"},
        (3, 8, 8, 4),
    ),
    "fully connected": (
        (FullyConnected, keras.layers.Dense),
        {"units": 4, "activation": "tanh"},
        (3, 6),
    ),
    "fully connected along rows": (
        (FullyConnected, keras.layers.Dense),
        {"units": 4},
        (3, 5, 6),
    ),
}


def results(layer, x, weights):
    """Outputs and gradients, traced for any number of images."""
    layer.build((None, *x.shape[1:]))
    layer.set_weights(weights or layer.get_weights())

    @tf.function(input_signature=[tf.TensorSpec((None, *x.shape[1:]))])
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            value = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32)))
        sources = [x, *[w.value for w in layer.trainable_weights]]
        return [y, *tape.gradient(value, sources)]

    return run(x)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize(
    ("classes", "options", "shape"), CASES.values(), ids=CASES
)
def test_outputs_and_gradients_are_those_of_keras(
    classes, options, shape, use_bias
):
    own, stock = (kind(**options, use_bias=use_bias) for kind in classes)
    x = tf.constant(np.random.default_rng(0).normal(size=shape), "float32")
    expected = results(stock, x, None)
    for actual, wanted in zip(results(own, x, stock.get_weights()), expected):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "options", "shape"), CASES.values(), ids=CASES
)
def test_mixed_precision_computes_in_bfloat16(classes, options, shape):
    layer = classes[0](**options, dtype="mixed_bfloat16")
    y, by_x, by_kernel, *_ = results(layer, tf.ones(shape), None)
    assert y.dtype == tf.bfloat16
    assert by_x.dtype == by_kernel.dtype == tf.float32
    assert by_kernel.shape == layer.kernel.shape


def test_gradients_of_gradients():
    # y = 2 w x, so dy/dx = 2 w and its gradient by w is 2.
    layer = FullyConnected(1, use_bias=False)
    layer.build((None, 1))
    x = tf.constant([[3.0]])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = 2 * layer(x)
        slope = inner.gradient(y, x)
    (kernel,) = layer.trainable_weights
    assert outer.gradient(slope, kernel.value).numpy().item() == 2.0


def test_maps_of_unknown_size():
    layer = Convolution(3, 5, strides=2, padding="same")
    layer.build((None, None, None, 6))
    stock = keras.layers.Conv2D(3, 5, strides=2, padding="same")
    stock.build((None, None, None, 6))
    stock.set_weights(layer.get_weights())
    x = tf.constant(
        np.random.default_rng(0).normal(size=(2, 8, 8, 6)), "float32"
    )

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 6))])
    def run(x):
        return layer(x)

    np.testing.assert_allclose(run(x), stock(x), rtol=1e-4, atol=1e-5)
