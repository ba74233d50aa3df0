"""The encoder: q(z|x)."""

import keras

from vaegan_tf.networks.blocks import Blocks, attribute_inputs, image_input

FILTERS = {32: (128, 256), 64: (64, 128, 256), 128: (32, 64, 128, 256)}


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Encoder(keras.Model):
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
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        latent_dim: Dimension of z.
        num_attributes: Length of the attribute vector; 0 if unconditional.
        dense_units: Units of the fully connected layer: 2048 in the paper,
            1024 in the authors' code.
        center_codes: Whether a batch normalisation with a scale but no offset
            follows the mean, so that codes average to 0 over the data as the
            prior does. Without it (the paper) the encoder can settle beside
            the prior, where the decoder has seen no reconstructions.
        name: Name of the network.
        **options: `width`, `initializer`, `weight_decay`, `synchronized`, as
            in `Blocks`.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        Larsen et al. (2016), table 1. `center_codes`: after Zhu et al.
        (2020), "A batch normalized inference network keeps the KL vanishing
        away", with a scale that is learned.
    """

    def __init__(
        self,
        image_size=64,
        num_channels=3,
        latent_dim=128,
        num_attributes=0,
        dense_units=2048,
        center_codes=False,
        name="encoder",
        **options,
    ):
        if latent_dim < 1:
            raise ValueError(
                "`latent_dim` must be at least 1. "
                f"Received: latent_dim={latent_dim}."
            )
        blocks = Blocks("encoder", **options)
        image = image_input(image_size, num_channels)
        condition = attribute_inputs(num_attributes)
        attributes = condition.get("attributes")

        x = image
        for index, filters in enumerate(FILTERS[image_size]):
            x = blocks.conv(x, blocks.scaled(filters), index, strides=2)
            x = blocks.norm_relu(x, f"conv_{index}")
        x = blocks.with_attributes(blocks.flatten(x), attributes, "dense")
        x = blocks.dense(x, blocks.scaled(dense_units), "dense")
        x = blocks.norm_relu(x, "dense")
        x = blocks.with_attributes(x, attributes, "posterior")
        posterior = {
            key: blocks.posterior(x, latent_dim, key)
            for key in ("mean", "log_variance")
        }
        if center_codes:
            posterior["mean"] = blocks.center(posterior["mean"], "mean")
        super().__init__(
            inputs={"image": image, **condition}, outputs=posterior, name=name
        )

        self.image_shape = (image_size, image_size, num_channels)
        self.latent_dim = latent_dim
        self.num_attributes = num_attributes
        self.dense_units = dense_units
        self.center_codes = center_codes
        self.options = options

    def get_config(self):
        """The constructor's arguments."""
        return {
            "image_size": self.image_shape[0],
            "num_channels": self.image_shape[2],
            "latent_dim": self.latent_dim,
            "num_attributes": self.num_attributes,
            "dense_units": self.dense_units,
            "center_codes": self.center_codes,
            "name": self.name,
            **self.options,
        }
