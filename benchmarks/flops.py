"""How much arithmetic a training step needs, whoever computes it."""

import dataclasses
import itertools
from typing import Any

from vaegan_tf.networks import blocks, decoder, discriminator, encoder
from vaegan_tf.settings import NetworkSettings


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
    def all(self) -> int:
        """Those of all layers."""
        return sum(self.layers)

    @property
    def back(self) -> int:
        """Those of the gradients by its weights.

        These are the weights' of every layer, and the inputs' of every layer
        but the first, behind which no weights lie.
        """
        return 2 * self.all - self.layers[0]

    @property
    def to_features(self) -> int:
        """Those up to layer l."""
        return sum(self.layers[: self.features])


def networks(
    image_size: int = 64,
    width: float = 1.0,
    latent_dim: int = 128,
    encoder_units: int = 2048,
) -> dict[str, Network]:
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
    scaled = blocks.Blocks("counted", NetworkSettings(width=width)).scaled
    return {
        "encoder": _encoder(image_size, scaled, latent_dim, encoder_units),
        "decoder": _decoder(image_size, scaled, latent_dim),
        "discriminator": _discriminator(image_size, scaled),
    }


def step_flops(
    batch_size: int = 64, kind: str = "vaegan", **architecture: Any
) -> int:
    """Floating-point operations that a step of `vaegan-train` needs.

    Two for each multiply-add of the convolutions and fully connected layers,
    with the settings of `benchmarks.recipe`. Images go forward once. Then each
    network goes back by itself, from its own objective to its own weights, as
    in `vaegan_tf.models.base`. A network's inputs' gradients, or its weights',
    take as many multiply-adds as its forward pass.

    Args:
        batch_size: Images in a step.
        kind: `"vaegan"`, in either game, or `"vae"`.
        **architecture: Arguments of `networks`.

    Raises:
        KeyError: If the model is another.
    """
    return 2 * batch_size * _STEPS[kind](**networks(**architecture))


def _vaegan(encoder: Network, decoder: Network, discriminator: Network) -> int:
    """Multiply-adds of a step of VAE/GAN for one image.

    Forward go the encoder on it, the decoder on two codes (its own and one of
    the prior), the discriminator on three images (real, reconstructed,
    generated). Each network's objective then goes back:

    - the encoder's through the reconstruction, from layer l of the
      discriminator and through the decoder;
    - the decoder's through the reconstruction and the generated image, from
      the discriminator's logits: the feature error joins at layer l;
    - the discriminator's through its own layers on all three.
    """
    forward = encoder.all + 2 * decoder.all + 3 * discriminator.all
    for_encoder = discriminator.to_features + decoder.all + encoder.back
    for_decoder = 2 * (discriminator.all + decoder.back)
    return forward + for_encoder + for_decoder + 3 * discriminator.back


def _vae(encoder: Network, decoder: Network, discriminator: Network) -> int:
    """Multiply-adds of a step of a VAE for one image.

    The encoder's objective goes back through the whole decoder. So does the
    decoder's, with the same numbers: both hold the pixel error with a weight
    of 1, and TensorFlow computes the same operation of the same inputs once.
    What is left of the decoder's are the gradients by its weights.
    """
    forward = encoder.all + decoder.all
    return forward + decoder.all + encoder.back + decoder.all


_STEPS = {"vaegan": _vaegan, "vae": _vae}


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
