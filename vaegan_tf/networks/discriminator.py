"""The discriminator, whose layer l measures similarity: Dis and Dis_l."""

import keras

from vaegan_tf.networks.blocks import Blocks, attribute_inputs, image_input

FIRST_FILTERS = 32
FILTERS = {32: (128, 256), 64: (128, 256, 256), 128: (64, 128, 256, 256)}
DENSE_UNITS = 512


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Discriminator(keras.Model):
    """Tells real images from generated ones, and returns features of layer l.

    At 64×64: a 5×5 convolution of 32 channels with ReLU, 5×5 convolutions
    with stride 2 of 128, 256 and 256 channels, 512 fully connected units, all
    with batch normalisation and ReLU, and one logit. Attributes, if any, join
    the inputs of the fully connected layers.

    Layer l is the output of a strided convolution *before* its normalisation:
    the third by default, as in the authors' code.

    Call it on `{"image": (batch, size, size, channels)}`, conditional ones
    with `"attributes": (batch, num_attributes)` beside it; it returns
    `{"logit": (batch, 1), "features": (batch, h, w, channels)}` in float32.

    Args:
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        num_attributes: Length of the attribute vector; 0 if unconditional.
        feature_layer: l, as the number of downsamplings before it, from 1;
            `None` for the third, or the last where there are fewer.
        name: Name of the network.
        **options: `width`, `initializer`, `weight_decay`, `synchronized`, as
            in `Blocks`.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        Larsen et al. (2016), table 1; layer l: `recon_depth=9` of the authors'
        code.
    """

    def __init__(
        self,
        image_size=64,
        num_channels=3,
        num_attributes=0,
        feature_layer=None,
        name="discriminator",
        **options,
    ):
        blocks = Blocks("discriminator", **options)
        image = image_input(image_size, num_channels)
        condition = attribute_inputs(num_attributes)
        attributes = condition.get("attributes")
        feature_layer = _resolve_layer(feature_layer, image_size)

        first = blocks.scaled(FIRST_FILTERS)
        x = blocks.conv(image, first, 0, use_bias=True)
        x = blocks.relu(x, "conv_0")
        for index, filters in enumerate(FILTERS[image_size], start=1):
            x = blocks.conv(x, blocks.scaled(filters), index, strides=2)
            if index == feature_layer:
                features = blocks.float32(x, "features")
            x = blocks.norm_relu(x, f"conv_{index}")
        x = blocks.with_attributes(blocks.flatten(x), attributes, "dense")
        x = blocks.dense(x, blocks.scaled(DENSE_UNITS), "dense")
        x = blocks.norm_relu(x, "dense")
        x = blocks.with_attributes(x, attributes, "logit")
        logit = blocks.dense(x, 1, "logit", use_bias=True, dtype="float32")
        super().__init__(
            inputs={"image": image, **condition},
            outputs={"logit": logit, "features": features},
            name=name,
        )

        self.image_shape = (image_size, image_size, num_channels)
        self.num_attributes = num_attributes
        self.feature_layer = feature_layer
        self.options = options

    @property
    def feature_variance(self):
        """Running variance of each channel of layer l, (channels,).

        That of the normalisation behind it: of all images it was trained on,
        real and generated.
        """
        layer = self.get_layer(f"discriminator_conv_{self.feature_layer}_norm")
        return layer.moving_variance

    def get_config(self):
        """The constructor's arguments."""
        return {
            "image_size": self.image_shape[0],
            "num_channels": self.image_shape[2],
            "num_attributes": self.num_attributes,
            "feature_layer": self.feature_layer,
            "name": self.name,
            **self.options,
        }


def num_features(image_size, width=1.0, feature_layer=None):
    """How many numbers layer l holds: height · width · channels.

    The feature error sums over them, so weights set against it grow with it.
    """
    layer = _resolve_layer(feature_layer, image_size)
    channels = Blocks("discriminator", width=width).scaled(
        FILTERS[image_size][layer - 1]
    )
    return (image_size // 2**layer) ** 2 * channels


def _resolve_layer(feature_layer, image_size):
    downsamplings = len(FILTERS[image_size])
    if feature_layer is None:
        return min(3, downsamplings)
    if not 1 <= feature_layer <= downsamplings:
        raise ValueError(
            f"`feature_layer` must be between 1 and {downsamplings}, the "
            f"number of downsamplings at image_size={image_size}. "
            f"Received: feature_layer={feature_layer}."
        )
    return feature_layer
