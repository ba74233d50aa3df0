"""Keras's layers of weights, by the kernels of `contractions`.

Weights, arguments and numbers are those of the Keras layers, within
floating-point error. What `contractions` has no form for (other paddings,
dilations, groups, channels first) is left to Keras.
"""

import keras
import tensorflow as tf

from vaegan_tf.networks.contractions import convolve, correlate, spread


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Convolution(keras.layers.Conv2D):
    """`keras.layers.Conv2D` by faster kernels."""

    def convolution_op(self, inputs, kernel):
        """Convolves maps, (batch, height, width, channels)."""
        if not _has_form(self, groups=self.groups):
            return super().convolution_op(inputs, kernel)
        return _convolution(inputs, kernel, self.strides[0])


@keras.saving.register_keras_serializable(package="vaegan_tf")
class TransposedConvolution(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` by faster kernels."""

    def call(self, inputs):
        """Enlarges maps, (batch, height, width, channels)."""
        if not _has_form(self) or self.output_padding is not None:
            return super().call(inputs)
        outputs = _transposed_convolution(inputs, self.kernel, self.strides[0])
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FullyConnected(keras.layers.Dense):
    """`keras.layers.Dense` with a faster gradient by its inputs."""

    def call(self, inputs, training=None):
        """Multiplies vectors, (batch, units)."""
        if inputs.shape.rank != 2:
            return super().call(inputs, training=training)
        outputs = _product(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


def _has_form(layer, groups=1):
    height, width = layer.strides
    return (
        layer.data_format == "channels_last"
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.kernel_size[0] == layer.kernel_size[1]
        and height == width
        and groups == 1
    )


def _convolution(x, k, strides):
    @tf.custom_gradient
    def convolution(x, k):
        def gradients(y):
            return (
                spread(y, k, tf.shape(x), strides),
                correlate(x, y, k.shape[0], strides),
            )

        return convolve(x, k, strides), gradients

    return convolution(x, tf.convert_to_tensor(k))


def _transposed_convolution(y, k, strides):
    @tf.custom_gradient
    def transposed_convolution(y, k):
        def gradients(x):
            return (
                convolve(x, k, strides),
                correlate(x, y, k.shape[0], strides),
            )

        batch, height, width, _ = tf.unstack(tf.shape(y))
        x_shape = (batch, height * strides, width * strides, k.shape[2])
        return spread(y, k, x_shape, strides), gradients

    return transposed_convolution(y, tf.convert_to_tensor(k))


@tf.custom_gradient
def _product(x, w):
    def gradients(y):
        # y · wᵀ, but TensorFlow is slow at it on a processor, in float32.
        by_x = tf.transpose(tf.matmul(w, y, transpose_b=True))
        return by_x, tf.matmul(x, y, transpose_a=True)

    return tf.matmul(x, w), gradients
