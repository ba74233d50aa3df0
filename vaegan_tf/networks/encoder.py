"""The encoder: q(z|x)."""

from typing import Any

import keras

from vaegan_tf.networks.blocks import Blocks, Network, image_input
from vaegan_tf.settings import EncoderSettings

FILTERS = {32: (128, 256), 64: (64, 128, 256), 128: (32, 64, 128, 256)}


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Encoder(Network):
    """Maps images to the mean and log-variance of q(z|x) = N(mean, σ²).

    At 64×64: 5×5 convolutions with stride 2 of 64, 128 and 256 channels, each
    with batch normalisation and ReLU, then 2048 fully connected units, also
    normalised. Other sizes have a convolution more or fewer, so that the last
    map is 8×8. Attributes, if any, join the inputs of the fully connected
    layers.

    Call it on `{"image": (batch, size, size, channels)}`, conditional ones
    with `"attributes": (batch, num_attributes)` beside it; it returns
    `{"mean": (batch, latent), "log_variance": (batch, latent)}` in float32.

    Args:
        latent_dim: Dimension of z.
        encoder_units: Units of the fully connected layer: 2048 in the paper,
            1024 in the authors' code.
        codes: `"free"`, as in the paper: the encoder can settle beside the
            prior, where the decoder has seen no reconstructions;
            `"centered"`, by a batch normalisation of the mean with a scale
            but no offset; or `"white"`, with the prior's covariance too.
        **options: See `Network`, as for the arguments not named here.

    Reference:
        Larsen et al. (2016), table 1. Centred codes: after Zhu et al. (2020),
        "A batch normalized inference network keeps the KL vanishing away",
        with a scale that is learned.
    """

    own_settings = ("latent_dim", "encoder_units", "codes")

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        latent_dim: int = 128,
        num_attributes: int = 0,
        encoder_units: int = 2048,
        codes: str = "free",
        name: str = "encoder",
        **options: Any,
    ):
        options |= {
            "latent_dim": latent_dim,
            "encoder_units": encoder_units,
            "codes": codes,
        }
        settings = EncoderSettings(**options)
        blocks = Blocks("encoder", settings, num_attributes)
        image = image_input(image_size, num_channels)

        x = encoder_features(blocks, image, encoder_units)
        x = blocks.with_attributes(x, "posterior")
        posterior = {
            key: blocks.posterior(x, latent_dim, key)
            for key in ("mean", "log_variance")
        }
        if codes == "centered":
            posterior["mean"] = blocks.standardize(posterior["mean"], "mean")
        elif codes == "white":
            posterior = blocks.whiten(**posterior)
        super().__init__(
            inputs={"image": image, **blocks.condition},
            outputs=posterior,
            image_size=image_size,
            num_channels=num_channels,
            num_attributes=num_attributes,
            name=name,
            **options,
        )


def encoder_features(
    blocks: Blocks, image: keras.KerasTensor, encoder_units: int
) -> keras.KerasTensor:
    """The encoder's fully connected units, which q(z|x) is computed from."""
    x = image
    for index, filters in enumerate(FILTERS[image.shape[1]]):
        x = blocks.conv(x, blocks.scaled(filters), index, strides=2)
        x = blocks.norm_relu(x, f"conv_{index}")
    x = blocks.with_attributes(blocks.flatten(x), "dense")
    x = blocks.dense(x, blocks.scaled(encoder_units), "dense")
    return blocks.norm_relu(x, "dense")
