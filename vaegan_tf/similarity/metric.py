"""The learned distance: that of two images in layers l of a discriminator."""

import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models import GenerativeModel, require
from vaegan_tf.settings import check
from vaegan_tf.settings.choices import FEATURE_SCALES

NUMBERS = ("feature_distance", "feature_nll", "pixel_distance")


class LearnedMetric:
    """Compares images by the features in layers l of a discriminator.

    The discriminator uses the batch statistics of its training, so that a
    pair's numbers do not depend on other pairs. For the same reason features
    in units of their standard deviation (`scale="batch"`) are divided by the
    running deviation of each channel over real images, and not, as in
    training, by that of a batch.

    Layers l of a conditional discriminator lie before attributes join it, so
    that none are needed.

    Args:
        model: A model with a discriminator.
        scale: `"unit"` for features as they are, `"batch"` for units of their
            deviation; `None` for the model's own `feature_scale`, and
            `"batch"` for a GAN, which has none.

    Raises:
        ValueError: If the model has no discriminator, or `scale` is unknown.

    Reference:
        Larsen et al. (2016), eqs. 6 and 7.
    """

    def __init__(self, model: GenerativeModel, scale: str | None = None):
        require(model, "discriminate")
        if scale is None:
            scale = getattr(model.settings, "feature_scale", "batch")
        check("scale", scale, choices=FEATURE_SCALES)
        self.model = model
        self.scale = scale

    def __call__(
        self, image: tf.Tensor, other: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Compares (batch, height, width, channels) images in [−1, 1] in pairs.

        Returns:
            A dict of three numbers for each pair, (batch,):
            `feature_distance`: root mean squared difference of features, in
            their unit or that of their deviation, all layers weighing alike.
            `feature_nll`: half the sum of squares instead, in nats, of all
            layers as `losses.mean_over_layers` weighs them: the reconstruction
            error of eqs. 6 and 7, if `other` is one.
            `pixel_distance`: root mean squared difference of pixels; black
            and white are 2 apart.
        """
        layers = self.features(image)
        pairs = list(zip(layers, self.features(other)))
        errors = [losses.gaussian_nll(*pair) for pair in pairs]
        distances = [_mean_squares(*pair) for pair in pairs]
        return {
            "feature_distance": tf.sqrt(_mean(distances)),
            "feature_nll": losses.mean_over_layers(errors, layers),
            "pixel_distance": tf.sqrt(_mean_squares(image, other)),
        }

    def from_reconstruction(
        self, image: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Compares images with their reconstructions by the model.

        Images unlike those of the training set are reconstructed worse, so
        that the distances serve as anomaly scores. The attributes, (batch,
        num_attributes), are for conditional models; ValueError if the model
        has no encoder.
        """
        require(self.model, "reconstruct")
        return self(image, self.model.reconstruct(image, attributes))

    def difference_map(self, image: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        """Where images differ: their distance at every place.

        Each layer's features are compared place by place and channel by
        channel, and the squares brought to the images' size, linearly between
        the middles of the places.

        Returns:
            Root mean squared difference in the unit of `feature_distance`, all
            layers weighing alike, (batch, height, width).
        """
        size = tf.shape(image)[1:3]
        maps = [
            tf.image.resize(_squares(*pair), size)
            for pair in zip(self.features(image), self.features(other))
        ]
        return tf.sqrt(_mean(maps))[..., 0]

    def features(self, image: tf.Tensor) -> list[tf.Tensor]:
        """Features of each layer l, (batch, h, w, channels), scaled."""
        features = self.model.features(image)
        if self.scale == "unit":
            return features
        variances = self.model.discriminator.feature_variances
        return [
            losses.standardize(*layer) for layer in zip(features, variances)
        ]


def _mean(values: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(values) / len(values)


def _squares(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Mean squared difference over channels, (batch, height, width, 1)."""
    squares = tf.math.squared_difference(one, other)
    return tf.reduce_mean(squares, axis=-1, keepdims=True)


def _mean_squares(one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.math.squared_difference(one, other), [1, 2, 3])
