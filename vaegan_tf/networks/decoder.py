"""The decoder, which is the generator: p(x|z)."""

from typing import Any

import keras

from vaegan_tf.networks.blocks import (
    SMALLEST_MAP,
    Blocks,
    Network,
    check_image,
)
from vaegan_tf.settings import GenerativeSettings

FIRST_FILTERS = 256
FILTERS = {32: (256, 128), 64: (256, 128, 32), 128: (256, 128, 64, 32)}


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Decoder(Network):
    """Maps latent codes to images in [−1, 1].

    At 64×64: a fully connected layer to 8×8 maps of 256 channels, 5×5
    transposed convolutions with stride 2 of 256, 128 and 32 channels, each
    with batch normalisation and ReLU, and a 5×5 convolution with tanh.
    Attributes, if any, join the latent code and every map.

    Call it on `{"latent": (batch, latent)}`, conditional ones with
    `"attributes": (batch, num_attributes)` beside it; it returns images,
    float32 (batch, size, size, channels).

    Args:
        latent_dim: Dimension of z.
        decoder_normalization: `"batch"` as in the paper, or `"group"`, of
            the convolutions alone; the fully connected layer has an offset
            then, without which the length of a code would not matter.
        upsampling: `"transposed"` convolutions as in the paper, or
            `"nearest"` neighbours and 3×3 convolutions.
        **options: See `Network`, as for the arguments not named here.

    Reference:
        Larsen et al. (2016), table 1.
    """

    own_settings = ("latent_dim", "decoder_normalization", "upsampling")

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        latent_dim: int = 128,
        num_attributes: int = 0,
        decoder_normalization: str = "batch",
        upsampling: str = "transposed",
        name: str = "decoder",
        **options: Any,
    ):
        check_image(image_size, num_channels)
        options |= {
            "latent_dim": latent_dim,
            "decoder_normalization": decoder_normalization,
            "upsampling": upsampling,
        }
        settings = GenerativeSettings(**options)
        blocks = Blocks(
            "decoder", settings, num_attributes, decoder_normalization
        )
        nearest = upsampling == "nearest"
        conv_up = blocks.nearest_up if nearest else blocks.conv_up
        latent = keras.Input((latent_dim,), name="latent")

        side, channels = SMALLEST_MAP, blocks.scaled(FIRST_FILTERS)
        x = blocks.with_attributes(latent, "dense")
        x = blocks.dense(x, side * side * channels, "dense")
        x = blocks.norm_relu(x, "dense")
        x = keras.layers.Reshape((side, side, channels), name="decoder_map")(x)
        last = len(FILTERS[image_size])
        for index, filters in enumerate(FILTERS[image_size]):
            x = blocks.with_attributes(x, f"conv_{index}")
            x = conv_up(x, blocks.scaled(filters), index)
            x = blocks.norm_relu(x, f"conv_{index}")
        x = blocks.with_attributes(x, f"conv_{last}")
        x = blocks.conv(x, num_channels, last, use_bias=True)
        image = blocks.float32(x, "image", activation="tanh")
        super().__init__(
            inputs={"latent": latent, **blocks.condition},
            outputs=image,
            image_size=image_size,
            num_channels=num_channels,
            num_attributes=num_attributes,
            name=name,
            **options,
        )
