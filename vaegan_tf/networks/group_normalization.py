"""Group normalisation in two passes over the maps."""

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FusedGroupNormalization(keras.layers.Layer):
    """Normalises groups of channels of each image by themselves.

    No image depends on others of its batch, and training and use compute the
    same. Sums are taken over places first and over a group's channels after,
    and the result is one multiplication and one addition: half the passes
    over memory that Keras's layer makes, forward and back.

    Args:
        channels_per_group: Channels that share a mean and a variance; where
            a map has fewer, all of them.
        epsilon: Added to the variance.
        **kwargs: `name` and `dtype` of `keras.layers.Layer`.

    Reference:
        Wu & He (2018), "Group normalization".
    """

    def __init__(
        self,
        channels_per_group: int = 16,
        epsilon: float = 1e-5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.channels_per_group = channels_per_group
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Makes the scale and the offset of each channel."""
        channels = input_shape[-1]
        self.groups = max(1, channels // self.channels_per_group)
        if channels % self.groups:
            self.groups = 1
        self.gamma = self.add_weight(
            name="gamma", shape=(channels,), initializer="ones"
        )
        self.beta = self.add_weight(
            name="beta", shape=(channels,), initializer="zeros"
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalises maps, (batch, height, width, channels)."""
        dtype = _sum_dtype(inputs)
        return group_normalize(
            inputs,
            tf.cast(self.gamma.value, dtype),
            tf.cast(self.beta.value, dtype),
            self.groups,
            self.epsilon,
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the maps."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "channels_per_group": self.channels_per_group,
            "epsilon": self.epsilon,
        }


def group_normalize(
    x: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    groups: int,
    epsilon: float,
) -> tf.Tensor:
    """γ (x − mean) / √(variance + ε) + β, with moments of groups of channels.

    Args:
        x: Maps, (batch, height, width, channels).
        gamma: γ, (channels,), float32 or better.
        beta: β, (channels,), float32 or better.
        groups: How many groups the channels make.
        epsilon: ε.

    Returns:
        As x.
    """

    @tf.custom_gradient
    def normalize(x, gamma, beta):
        mean = _group_means(_channel_means(x), groups)
        square = _group_means(_channel_means(tf.square(x)), groups)
        scale = tf.math.rsqrt(square - tf.square(mean) + epsilon)
        shift = -mean * scale  # x · scale + shift has mean 0 and variance 1.

        def gradients(dy):
            by_one = _channel_means(dy)
            by_normalized = scale * _channel_means(dy * x) + shift * by_one
            first = _group_means(gamma * by_one, groups)
            second = _group_means(gamma * by_normalized, groups)
            dx = _affine(dy, scale * gamma, -scale * (first + shift * second))
            dx -= _affine(x, tf.square(scale) * second)
            places = tf.cast(tf.reduce_prod(tf.shape(x)[1:3]), gamma.dtype)
            return (
                dx,
                places * tf.reduce_sum(by_normalized, axis=0),
                places * tf.reduce_sum(by_one, axis=0),
            )

        return _affine(x, scale * gamma, shift * gamma + beta), gradients

    return normalize(x, gamma, beta)


def _sum_dtype(x: tf.Tensor) -> tf.DType:
    """The precision of sums: float32, or that of x if it is better."""
    return tf.float64 if x.dtype == tf.float64 else tf.float32


def _channel_means(x: tf.Tensor) -> tf.Tensor:
    """Means over places, (batch, channels)."""
    return tf.reduce_mean(tf.cast(x, _sum_dtype(x)), axis=[1, 2])


def _group_means(values: tf.Tensor, groups: int) -> tf.Tensor:
    """Each channel's value replaced by the mean of its group's."""
    channels = values.shape[1]
    grouped = tf.reshape(values, (-1, groups, channels // groups))
    means = tf.reduce_mean(grouped, axis=-1, keepdims=True)
    means = tf.broadcast_to(means, tf.shape(grouped))
    return tf.reshape(means, (-1, channels))


def _affine(
    x: tf.Tensor, factor: tf.Tensor, offset: tf.Tensor | None = None
) -> tf.Tensor:
    """X · factor + offset, each (batch, channels), in the precision of x.

    Both are repeated along a row of places first: few channels by themselves
    make short vectors to multiply, which takes up to twice as long.
    """
    height, width, channels = x.shape[1:]

    def along_rows(values: tf.Tensor) -> tf.Tensor:
        row = tf.cast(values, x.dtype)[:, tf.newaxis]
        row = tf.broadcast_to(row, (tf.shape(values)[0], width, channels))
        return tf.reshape(row, (-1, 1, width * channels))

    result = tf.reshape(x, (-1, height, width * channels)) * along_rows(factor)
    if offset is not None:
        result += along_rows(offset)
    return tf.reshape(result, (-1, height, width, channels))
