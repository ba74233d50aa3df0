"""Layers whose largest singular value is 1: spectral normalisation."""

from typing import Any

import keras
import tensorflow as tf


class _SpectralLayer(keras.layers.Layer):
    """A layer that divides its kernel by an estimate of its spectral norm.

    (Keras's own wrapper writes the quotient back into the kernel, so that no
    gradient flows through the norm.)

    The kernel is taken as a matrix with one column per filter. Its norm is
    σ = uᵀ W v, with the singular vectors u and v that one step of the power
    method a training pass keeps up to date. Gradients flow through σ but not
    through the vectors.

    Reference:
        Miyato et al. (2018), "Spectral normalization for generative
        adversarial networks", algorithm 1.
    """

    # Those of Keras's convolutions know of kernel and bias alone.
    save_own_variables = keras.layers.Layer.save_own_variables
    load_own_variables = keras.layers.Layer.load_own_variables

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, and the left singular vector."""
        super().build(input_shape)
        self.vector = self.add_weight(
            name="vector",
            shape=(self.kernel.shape[-1],),
            initializer="random_normal",
            dtype="float32",
            autocast=False,  # Or TensorFlow multiplies in mixed precision.
            trainable=False,
            aggregation="only_first_replica",
        )

    def normalized_kernel(self, training: bool) -> tf.Tensor:
        """The kernel over its spectral norm, in the layer's precision."""
        kernel = tf.cast(self._kernel.value, tf.float32)
        matrix = tf.reshape(kernel, (-1, kernel.shape[-1]))
        frozen = tf.stop_gradient(matrix)
        vector = tf.expand_dims(self.vector, 0)
        right = _unit(tf.matmul(vector, frozen, transpose_b=True))
        left = _unit(tf.matmul(right, frozen))
        if training:
            self.vector.assign(tf.squeeze(left, 0))
        norm = tf.reduce_sum(tf.matmul(left, matrix, transpose_b=True) * right)
        return tf.cast(kernel / norm, self.compute_dtype)


class _SpectralConvolution(_SpectralLayer):
    """A convolution with spectral normalisation."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolves maps, (batch, *sizes, channels)."""
        kernel = self.normalized_kernel(training)
        outputs = self.convolution_op(inputs, kernel)
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class SpectralConvolution(_SpectralConvolution, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with spectral normalisation."""


@keras.saving.register_keras_serializable(package="vaegan_tf")
class SpectralConvolution3D(_SpectralConvolution, keras.layers.Conv3D):
    """`keras.layers.Conv3D` with spectral normalisation."""


@keras.saving.register_keras_serializable(package="vaegan_tf")
class SpectralDense(_SpectralLayer, keras.layers.Dense):
    """`keras.layers.Dense` with spectral normalisation."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Multiplies vectors, (batch, units)."""
        outputs = tf.matmul(inputs, self.normalized_kernel(training))
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)


def _unit(row: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(row, epsilon=1e-24)
