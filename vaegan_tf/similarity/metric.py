"""The learned distance: that of two images in layer l of a discriminator."""

import tensorflow as tf

from vaegan_tf import losses

NUMBERS = ("feature_distance", "feature_nll", "pixel_distance")
_EPSILON = 1e-6  # As in `losses.standardize`.


class LearnedMetric:
    """Compares images by the features in layer l of a discriminator.

    The discriminator works as it does in use, with the batch statistics of
    its training, so that a pair's numbers do not depend on other pairs. For
    the same reason features that are to be measured in units of their spread
    (`scale="batch"`) are divided by the running standard deviation that the
    normalisation behind layer l has kept for each channel, over real and
    generated images, and not, as in training, by that of a batch of real ones.

    Layer l of a conditional discriminator lies before attributes join it, so
    that none are needed.

    Args:
        model: A model with a discriminator.
        scale: `"unit"` for features as they are, `"batch"` for units of their
            spread; `None` for the model's own `feature_scale`, and `"batch"`
            for a GAN, which has none.

    Raises:
        ValueError: If the model has no discriminator, or `scale` is unknown.

    Reference:
        Larsen et al. (2016), eqs. 6 and 7.
    """

    def __init__(self, model, scale=None):
        if not hasattr(model, "discriminator"):
            raise ValueError(
                f"A {type(model).__name__} has no discriminator, and so has "
                "learned no distance. Take a GAN, VAEGAN or LearnedMetricVAE."
            )
        scale = scale or getattr(model, "feature_scale", "batch")
        losses.check_feature_scale(scale)
        self.model = model
        self.scale = scale

    def __call__(self, image, other):
        """Compares images, pair by pair.

        Args:
            image: Images in [−1, 1], (batch, height, width, channels).
            other: As many others.

        Returns:
            A dict of three numbers for each pair, (batch,):
            `feature_distance`: the root of the mean squared difference of
            features, in their unit or that of their spread.
            `feature_nll`: half the sum of squares instead, in nats: the
            reconstruction error of eqs. 6 and 7, if `other` is one.
            `pixel_distance`: the root of the mean squared difference of
            pixels; black and white are 2 apart.
        """
        features, others = self.features(image), self.features(other)
        feature_nll = losses.gaussian_nll(features, others)
        pixel_nll = losses.gaussian_nll(image, other)
        return {
            "feature_distance": _root_mean_square(feature_nll, features),
            "feature_nll": feature_nll,
            "pixel_distance": _root_mean_square(pixel_nll, image),
        }

    def from_reconstruction(self, image, attributes=None):
        """Compares images with what the model makes of them.

        Images unlike those of the training are reconstructed worse, so that
        the distances serve as scores of anomaly.

        Args:
            image: Images in [−1, 1], (batch, height, width, channels).
            attributes: (batch, num_attributes), for conditional models.

        Returns:
            As above.

        Raises:
            ValueError: If the model has no encoder.
        """
        if not hasattr(self.model, "reconstruct"):
            raise ValueError(
                f"A {type(self.model).__name__} has no encoder: it cannot "
                "reconstruct, and images alone have nothing to be compared "
                "with. Compare two images or two folders."
            )
        return self(image, self.model.reconstruct(image, attributes))

    def features(self, image):
        """Features of layer l, (batch, h, w, channels), scaled."""
        discriminator = self.model.discriminator
        nothing = tf.zeros([tf.shape(image)[0], self.model.num_attributes])
        example = self.model.conditioned({"image": image}, nothing)
        features = discriminator(example, training=False)["features"]
        if self.scale == "unit":
            return features
        return features * tf.math.rsqrt(
            discriminator.feature_variance + _EPSILON
        )


def _root_mean_square(nll, example):
    size = tf.size(example[0], out_type=tf.int32)
    return tf.sqrt(2.0 * nll / tf.cast(size, nll.dtype))
