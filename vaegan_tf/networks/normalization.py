"""Statistics of a channel: batch normalisation, and running variances."""

import keras
import tensorflow as tf

from vaegan_tf import replicas

MOMENTUM = 0.9


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` computed by one fused operation.

    Weights, arguments and numbers are those of the Keras layer, within
    floating-point error. What the operation has no form for is left to Keras:
    statistics of several replicas (`synchronized=True` under a distribution
    strategy), float64, channels first. Statistics are in float32 always.
    """

    def call(
        self,
        inputs: tf.Tensor,
        training: bool | None = None,
        mask: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Normalises `inputs`, (batch, channels) or (batch, h, w, channels)."""
        if not self._is_fusable(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        inputs = tf.cast(inputs, self.compute_dtype)
        images = inputs if inputs.shape.rank == 4 else inputs[:, None, None, :]
        if training and self.trainable:
            outputs = self._normalize_by_batch(images)
        else:
            outputs, *_ = self._fused(images, is_training=False)
        return outputs if inputs.shape.rank == 4 else outputs[:, 0, 0, :]

    def _is_fusable(self, inputs: tf.Tensor, mask: tf.Tensor | None) -> bool:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return (
            mask is None
            and not self.renorm
            and not (self.synchronized and replicas > 1)
            and inputs.shape.rank in (2, 4)
            and self.axis in (-1, inputs.shape.rank - 1)
            and self.compute_dtype != "float64"
        )

    def _normalize_by_batch(self, images: tf.Tensor) -> tf.Tensor:
        outputs, mean, variance = self._fused(images, is_training=True)
        # The kernel reports the unbiased variance, Keras keeps the biased one.
        count = tf.cast(tf.size(images) / images.shape[-1], variance.dtype)
        self._update(self.moving_mean, mean)
        self._update(self.moving_variance, variance * (count - 1.0) / count)
        return outputs

    def _fused(
        self, images: tf.Tensor, is_training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        channels = (images.shape[-1],)
        history = (self.moving_mean, self.moving_variance)
        mean, variance = ([], []) if is_training else history
        return tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=self.gamma if self.scale else tf.ones(channels),
            offset=self.beta if self.center else tf.zeros(channels),
            mean=tf.convert_to_tensor(mean, tf.float32),
            variance=tf.convert_to_tensor(variance, tf.float32),
            epsilon=self.epsilon,
            is_training=is_training,
        )[:3]

    def _update(self, average: keras.Variable, value: tf.Tensor) -> None:
        value = tf.cast(tf.stop_gradient(value), average.dtype)
        average.assign(average * self.momentum + value * (1 - self.momentum))


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FeatureMap(keras.layers.Layer):
    """A map as it is, and the running variance of each of its channels.

    It is that of real training images: the unit in which a learned distance
    measures features.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the variance, (channels,)."""
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(input_shape[-1],),
            initializer="ones",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Maps, (batch, height, width, channels)."""
        return inputs

    def update_variance(self, maps: tf.Tensor) -> None:
        """Moves the variance towards that of a batch of maps."""
        variance = replicas.variance(tf.stop_gradient(maps))
        past = self.moving_variance
        past.assign(MOMENTUM * past + (1 - MOMENTUM) * variance)

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """That of the maps."""
        return input_shape
