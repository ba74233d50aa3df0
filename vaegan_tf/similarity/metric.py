"""The learned distance: that of two images in layer l of a discriminator."""

import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models import GenerativeModel, require

NUMBERS = ("feature_distance", "feature_nll", "pixel_distance")


class LearnedMetric:
    """Compares images by the features in layer l of a discriminator.

    The discriminator uses the batch statistics of its training, so that a
    pair's numbers do not depend on other pairs. For the same reason features
    in units of their standard deviation (`scale="batch"`) are divided by the
    running deviation that the normalisation after layer l keeps for each
    channel, over real and generated images, and not, as in training, by that
    of a batch of real ones.

    Layer l of a conditional discriminator lies before attributes join it, so
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
        losses.check_feature_scale(scale)
        self.model = model
        self.scale = scale

    def __call__(
        self, image: tf.Tensor, other: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Compares (batch, height, width, channels) images in [−1, 1] in pairs.

        Returns:
            A dict of three numbers for each pair, (batch,):
            `feature_distance`: root mean squared difference of features, in
            their unit or that of their deviation.
            `feature_nll`: half the sum of squares instead, in nats: the
            reconstruction error of eqs. 6 and 7, if `other` is one.
            `pixel_distance`: root mean squared difference of pixels; black
            and white are 2 apart.
        """
        features, others = self.features(image), self.features(other)
        feature_nll = losses.gaussian_nll(features, others)
        pixel_nll = losses.gaussian_nll(image, other)
        return {
            "feature_distance": _root_mean_square(feature_nll, features),
            "feature_nll": feature_nll,
            "pixel_distance": _root_mean_square(pixel_nll, image),
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

    def features(self, image: tf.Tensor) -> tf.Tensor:
        """Features of layer l, (batch, h, w, channels), scaled."""
        features = self.model.features(image)
        if self.scale == "unit":
            return features
        variance = self.model.discriminator.feature_variance
        return losses.standardize(features, variance)


def _root_mean_square(nll, example):
    size = tf.size(example[0], out_type=tf.int32)
    return tf.sqrt(2.0 * nll / tf.cast(size, nll.dtype))
