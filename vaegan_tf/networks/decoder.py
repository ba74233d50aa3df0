"""The decoder, which is the generator: p(x|z)."""

import keras

from vaegan_tf.networks.blocks import (
    SMALLEST_MAP,
    Blocks,
    attribute_inputs,
    check_image,
)

FIRST_FILTERS = 256
FILTERS = {32: (256, 128), 64: (256, 128, 32), 128: (256, 128, 64, 32)}


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Decoder(keras.Model):
    """Maps latent codes to images in [−1, 1].

    At 64×64: a fully connected layer to 8×8 maps of 256 channels, 5×5
    transposed convolutions with stride 2 of 256, 128 and 32 channels, each
    with batch normalisation and ReLU, and a 5×5 convolution with tanh.
    Attributes, if any, join the latent code and every map.

    Call it on `{"latent": (batch, latent)}`, conditional ones with
    `"attributes": (batch, num_attributes)` beside it; it returns images,
    float32 (batch, size, size, channels).

    Args:
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        latent_dim: Dimension of z.
        num_attributes: Length of the attribute vector; 0 if unconditional.
        name: Name of the network.
        **options: `width`, `initializer`, `weight_decay`, `synchronized`, as
            in `Blocks`.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        Larsen et al. (2016), table 1.
    """

    def __init__(
        self,
        image_size=64,
        num_channels=3,
        latent_dim=128,
        num_attributes=0,
        name="decoder",
        **options,
    ):
        check_image(image_size, num_channels)
        blocks = Blocks("decoder", **options)
        latent = keras.Input((latent_dim,), name="latent")
        condition = attribute_inputs(num_attributes)
        attributes = condition.get("attributes")

        side, channels = SMALLEST_MAP, blocks.scaled(FIRST_FILTERS)
        x = blocks.with_attributes(latent, attributes, "dense")
        x = blocks.dense(x, side * side * channels, "dense")
        x = blocks.norm_relu(x, "dense")
        x = keras.layers.Reshape((side, side, channels), name="decoder_map")(x)
        last = len(FILTERS[image_size])
        for index, filters in enumerate(FILTERS[image_size]):
            x = blocks.with_attributes(x, attributes, f"conv_{index}")
            x = blocks.conv_up(x, blocks.scaled(filters), index)
            x = blocks.norm_relu(x, f"conv_{index}")
        x = blocks.with_attributes(x, attributes, f"conv_{last}")
        x = blocks.conv(x, num_channels, last, use_bias=True)
        image = blocks.float32(x, "image", activation="tanh")
        super().__init__(
            inputs={"latent": latent, **condition}, outputs=image, name=name
        )

        self.image_shape = (image_size, image_size, num_channels)
        self.latent_dim = latent_dim
        self.num_attributes = num_attributes
        self.options = options

    def get_config(self):
        """The constructor's arguments."""
        return {
            "image_size": self.image_shape[0],
            "num_channels": self.image_shape[2],
            "latent_dim": self.latent_dim,
            "num_attributes": self.num_attributes,
            "name": self.name,
            **self.options,
        }
