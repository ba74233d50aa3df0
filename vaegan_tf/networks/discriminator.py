"""The discriminator, whose layers l measure similarity: Dis and Dis_l."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf.networks.blocks import Blocks, Network, image_input
from vaegan_tf.networks.normalization import FeatureMap
from vaegan_tf.settings import DiscriminatorSettings

FIRST_FILTERS = 32
FILTERS = {32: (128, 256), 64: (128, 256, 256), 128: (64, 128, 256, 256)}
DENSE_UNITS = 512


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Discriminator(Network):
    """Tells real images from generated ones, and returns features of layers l.

    At 64×64: a 5×5 convolution of 32 channels with ReLU, 5×5 convolutions
    with stride 2 of 128, 256 and 256 channels, 512 fully connected units, all
    with batch normalisation and ReLU, and one logit. Attributes, if any, join
    the inputs of the fully connected layers.

    Features are outputs of convolutions *before* normalisation and rectifier:
    in the authors' code, of the third strided one.

    Call it on `{"image": (batch, size, size, channels)}`, conditional ones
    with `"attributes": (batch, num_attributes)` beside it; it returns
    `{"logit": (batch, 1), "features": [(batch, h, w, channels), ...]}` in
    float32, one map for each layer l.

    Args:
        feature_layers: Layers l, as the numbers of downsamplings before them:
            0 for the first convolution; `()` for all.
        discriminator_normalization: `"batch"` as in the paper, or
            `"spectral"`, with biases and leaky rectifiers.
        **options: See `Network`, as for the arguments not named here.

    Reference:
        Larsen et al. (2016), table 1; layer l: `recon_depth=9` of the authors'
        code.
    """

    own_settings = ("feature_layers", "discriminator_normalization")

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        num_attributes: int = 0,
        feature_layers: Sequence[int] = (),
        discriminator_normalization: str = "batch",
        name: str = "discriminator",
        **options: Any,
    ):
        normalization = discriminator_normalization
        options["discriminator_normalization"] = normalization
        settings = DiscriminatorSettings(
            feature_layers=tuple(feature_layers), **options
        )
        blocks = Blocks(
            "discriminator", settings, num_attributes, normalization
        )
        image = image_input(image_size, num_channels)
        layers = _resolve_layers(settings.feature_layers, image_size)

        first = blocks.scaled(FIRST_FILTERS)
        maps = [blocks.conv(image, first, 0, use_bias=True)]
        x = blocks.relu(maps[0], "conv_0")
        for index, filters in enumerate(FILTERS[image_size], start=1):
            maps.append(
                blocks.conv(x, blocks.scaled(filters), index, strides=2)
            )
            x = blocks.norm_relu(maps[index], f"conv_{index}")
        features = [blocks.features(maps[layer], layer) for layer in layers]
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
            feature_layers=layers,
            name=name,
            **options,
        )
        self.feature_layers = layers

    @property
    def num_features(self) -> float:
        """How many numbers a layer l has, the mean of all layers l."""
        maps = self.output["features"]
        return sum(math.prod(m.shape[1:]) for m in maps) / len(maps)

    @property
    def feature_variances(self) -> list[tf.Tensor]:
        """Running variances of the channels of each layer l, (channels,)."""
        return [layer.moving_variance for layer in self._feature_maps]

    def update_variances(self, features: Sequence[tf.Tensor]) -> None:
        """Moves `feature_variances` towards those of a batch's features.

        Args:
            features: Maps of each layer l, (batch, h, w, channels).
        """
        for layer, maps in zip(self._feature_maps, features):
            layer.update_variance(maps)

    @property
    def _feature_maps(self) -> list[FeatureMap]:
        return [
            self.get_layer(f"discriminator_features_{layer}")
            for layer in self.feature_layers
        ]


def _resolve_layers(
    feature_layers: tuple[int, ...], image_size: int
) -> tuple[int, ...]:
    downsamplings = range(1 + len(FILTERS[image_size]))
    if any(layer not in downsamplings for layer in feature_layers):
        raise ValueError(
            f"`feature_layers` must be between 0 and {downsamplings[-1]}, the "
            f"number of downsamplings at image_size={image_size}. "
            f"Received: feature_layers={feature_layers}."
        )
    return tuple(sorted(set(feature_layers))) or tuple(downsamplings)
