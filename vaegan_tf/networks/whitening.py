"""Codes with the mean, the covariance and the lengths of the prior's."""

import math
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf import replicas

MOMENTUM = 0.99
# Of correlations, which are nearly singular: while an encoder trains, running
# ones lag behind; those of its average do not.
SHRINKAGE, FROZEN_SHRINKAGE = 1e-2, 1e-4
SMALLEST_ROOM = 1e-6


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Whitening(keras.layers.Layer):
    """Whitens posterior means, to one length that leaves room for variance.

    Codes z = mean + σ ε have the covariance Cov[mean] + E[σ²] over the data.
    Means that are standardised over the batch come in. Multiplied by the
    inverse square root of their running correlations, brought to the length
    √d, where nearly all codes of the prior are, and scaled by √(1 − E[σ²]),
    they give codes of mean 0 and covariance I, as the prior's are: the decoder
    sees one population of codes instead of two. No gradient flows through the
    correlations.

    A frozen layer keeps statistics too, so that the running average of an
    encoder has those of its own codes.

    Reference:
        After Huang et al. (2018), "Decorrelated batch normalization", of
        features. Why codes of the prior have about one length: White (2016),
        "Sampling generative networks".
    """

    def build(self, input_shape: Any) -> None:
        """Makes the correlations, (d, d), and the mean variances, (d,)."""
        size = input_shape[0][-1]
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        self.correlation = self.add_weight(
            name="correlation",
            shape=(size, size),
            initializer="identity",
            **fixed,
        )
        self.variance = self.add_weight(
            name="variance", shape=(size,), initializer="zeros", **fixed
        )

    def call(
        self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Means of q(z|x), (batch, latent), all of about one length.

        Args:
            inputs: Means, standardised, and log-variances below 0.
            training: Whether to take the variances of the global batch and to
                keep statistics, rather than to use those kept.
        """
        mean, log_variance = inputs
        variance = tf.convert_to_tensor(self.variance)
        if training:
            total = tf.reduce_sum(tf.exp(log_variance), axis=0)
            variance = _over_examples(total, mean)
            self._keep(self.variance, variance)
            products = tf.matmul(mean, mean, transpose_a=True)
            self._keep(self.correlation, _over_examples(products, mean))
        room = tf.maximum(1.0 - variance, SMALLEST_ROOM)
        direction = tf.math.l2_normalize(tf.matmul(mean, self._whiten()), -1)
        return direction * math.sqrt(mean.shape[-1]) * tf.sqrt(room)

    def _whiten(self) -> tf.Tensor:
        """(C + shrinkage)^(−1/2), a constant of exported models."""
        shrinkage = SHRINKAGE if self.trainable else FROZEN_SHRINKAGE
        values, vectors = tf.linalg.eigh(self.correlation)
        scales = tf.math.rsqrt(tf.maximum(values, 0.0) + shrinkage)
        return tf.matmul(vectors * scales, vectors, transpose_b=True)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the means."""
        return input_shape[0]

    def _keep(self, average: keras.Variable, value: tf.Tensor) -> None:
        value = tf.stop_gradient(value)
        average.assign(MOMENTUM * average + (1 - MOMENTUM) * value)


def _over_examples(total: tf.Tensor, examples: tf.Tensor) -> tf.Tensor:
    """A mean over the examples of all replicas from each one's sum."""
    count = tf.cast(tf.shape(examples)[0], total.dtype)
    return replicas.total(total) / replicas.total(count)
