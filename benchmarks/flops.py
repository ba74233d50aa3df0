"""How much arithmetic a training step needs, whoever computes it."""

import dataclasses
import itertools

from vaegan_tf.networks import blocks, decoder, discriminator, encoder


@dataclasses.dataclass(frozen=True)
class Network:
    """Multiply-adds of the layers of a network, for one image.

    Args:
        layers: One number for each convolution or fully connected layer.
        features: How many of them lie before layer l, it included.
    """

    layers: tuple[int, ...]
    features: int = 0

    @property
    def all(self):
        """Those of all layers."""
        return sum(self.layers)

    @property
    def first(self):
        """Those of the layers that see the input."""
        return self.layers[0]

    @property
    def to_features(self):
        """Those up to layer l."""
        return sum(self.layers[: self.features])


def networks(image_size=64, width=1.0, latent_dim=128, encoder_units=2048):
    """Multiply-adds of the paper's three networks, without attributes.

    A convolution of k×k from c to d channels with h×w outputs has h·w·k²·c·d
    of them, places beyond the border counted as if they were pixels; a
    transposed one counts its inputs' places instead; a fully connected layer
    has inputs · outputs. Biases, normalisation and activations are not
    counted.

    Args:
        image_size: Height and width of the images.
        width: Multiplies the channels and units of every layer.
        latent_dim: Dimension of z.
        encoder_units: Units of the encoder's fully connected layer.

    Returns:
        A `Network` each for `encoder`, `decoder` and `discriminator`.
    """
    blocks.check_image(image_size, 3)
    scaled = blocks.Blocks("counted", width=width).scaled
    return {
        "encoder": _encoder(image_size, scaled, latent_dim, encoder_units),
        "decoder": _decoder(image_size, scaled, latent_dim),
        "discriminator": _discriminator(image_size, scaled),
    }


def step_flops(batch_size=64, **architecture):
    """Floating-point operations that a step of `vaegan-train` needs.

    Two for each multiply-add of the convolutions and fully connected layers,
    every pass counted once for each image it must see, with the defaults of
    `vaegan-train`:

    - forward: the encoder on the batch, the decoder on two (reconstructions
      and samples), the discriminator on three;
    - what the encoder minimises, back to its weights: inputs' gradients from
      layer l of the discriminator down to the reconstructions, through the
      decoder and the encoder but its first layers; the encoder's weights';
    - what the discriminator minimises: inputs' gradients but its first
      layer's, and its weights', on three;
    - what the decoder minimises: inputs' gradients of the discriminator's
      first layer on two batches (those behind it are there: the decoder's
      L_GAN is the discriminator's with the other sign, and the feature error
      the encoder's times γ), through the decoder but its first layer, and its
      weights', on two.

    A network's inputs' gradients, or its weights', take as many multiply-adds
    as its forward pass. Passes that an implementation repeats are not counted
    again.

    Args:
        batch_size: Images in a step.
        **architecture: Arguments of `networks`.
    """
    net = networks(**architecture)
    enc, dec, dis = net["encoder"], net["decoder"], net["discriminator"]
    forward = enc.all + 2 * dec.all + 3 * dis.all
    for_encoder = dis.to_features + dec.all + (enc.all - enc.first) + enc.all
    for_decoder = 2 * dis.first + 2 * (dec.all - dec.first) + 2 * dec.all
    for_discriminator = 3 * (dis.all - dis.first) + 3 * dis.all
    macs = forward + for_encoder + for_decoder + for_discriminator
    return 2 * batch_size * macs


def _encoder(image_size, scaled, latent_dim, encoder_units):
    filters = [3, *map(scaled, encoder.FILTERS[image_size])]
    units = scaled(encoder_units)
    return Network(
        (
            *_halving(filters, image_size),
            filters[-1] * blocks.SMALLEST_MAP**2 * units,
            units * 2 * latent_dim,
        )
    )


def _decoder(image_size, scaled, latent_dim):
    first = scaled(decoder.FIRST_FILTERS)
    filters = [first, *map(scaled, decoder.FILTERS[image_size])]
    return Network(
        (
            latent_dim * first * blocks.SMALLEST_MAP**2,
            *_doubling(filters),
            _conv(image_size, filters[-1], 3),
        )
    )


def _discriminator(image_size, scaled):
    first = scaled(discriminator.FIRST_FILTERS)
    filters = [first, *map(scaled, discriminator.FILTERS[image_size])]
    halvings = len(filters) - 1
    units = scaled(discriminator.DENSE_UNITS)
    return Network(
        (
            _conv(image_size, 3, first),
            *_halving(filters, image_size),
            filters[-1] * (image_size >> halvings) ** 2 * units,
            units,
        ),
        features=1 + min(3, halvings),
    )


def _conv(side, channels, filters):
    return side**2 * blocks.KERNEL_SIZE**2 * channels * filters


def _halving(channels, side):
    pairs = enumerate(itertools.pairwise(channels), 1)
    return [_conv(side >> n, before, after) for n, (before, after) in pairs]


def _doubling(channels):
    side = blocks.SMALLEST_MAP
    pairs = enumerate(itertools.pairwise(channels))
    return [_conv(side << n, before, after) for n, (before, after) in pairs]
