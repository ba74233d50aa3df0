"""The discriminator, whose layer l measures similarity: Dis and Dis_l."""

import math
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf.networks.blocks import Blocks, Network, image_input

FIRST_FILTERS = 32
FILTERS = {32: (128, 256), 64: (128, 256, 256), 128: (64, 128, 256, 256)}
DENSE_UNITS = 512


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Discriminator(Network):
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
        feature_layer: l, as the number of downsamplings before it, from 1;
            `None` for the third, or the last where there are fewer.
        **options: See `Network`, as for the arguments not named here.

    Reference:
        Larsen et al. (2016), table 1; layer l: `recon_depth=9` of the authors'
        code.
    """

    own_settings = ("feature_layer",)

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        num_attributes: int = 0,
        feature_layer: int | None = None,
        name: str = "discriminator",
        **options: Any,
    ):
        blocks = Blocks("discriminator", num_attributes, **options)
        image = image_input(image_size, num_channels)
        feature_layer = _resolve_layer(feature_layer, image_size)

        first = blocks.scaled(FIRST_FILTERS)
        x = blocks.conv(image, first, 0, use_bias=True)
        x = blocks.relu(x, "conv_0")
        for index, filters in enumerate(FILTERS[image_size], start=1):
            x = blocks.conv(x, blocks.scaled(filters), index, strides=2)
            if index == feature_layer:
                features = blocks.float32(x, "features")
            x = blocks.norm_relu(x, f"conv_{index}")
        x = blocks.with_attributes(blocks.flatten(x), "dense")
        x = blocks.dense(x, blocks.scaled(DENSE_UNITS), "dense")
        x = blocks.norm_relu(x, "dense")
        x = blocks.with_attributes(x, "logit")
        logit = blocks.dense(x, 1, "logit", use_bias=True, dtype="float32")
        super().__init__(
            inputs={"image": image, **blocks.condition},
            outputs={"logit": logit, "features": features},
            image_size=image_size,
            num_channels=num_channels,
            num_attributes=num_attributes,
            feature_layer=feature_layer,
            name=name,
            **options,
        )
        self.feature_layer = feature_layer
        self.num_features = math.prod(features.shape[1:])

    @property
    def feature_variance(self) -> tf.Tensor:
        """Running variance of each channel of layer l, (channels,).

        That of the normalisation behind it: of all images it was trained on,
        real and generated.
        """
        layer = self.get_layer(f"discriminator_conv_{self.feature_layer}_norm")
        return layer.moving_variance


def _resolve_layer(feature_layer: int | None, image_size: int) -> int:
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
