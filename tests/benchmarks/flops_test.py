"""The count of operations, by hand and by the layers that are there."""

import keras
import pytest

from benchmarks import flops
from vaegan_tf.models import create_model


def macs(layer):
    if isinstance(layer, keras.layers.Dense):
        return layer.input.shape[-1] * layer.units
    if isinstance(layer, keras.layers.Conv2DTranspose):
        places = layer.input.shape[1] * layer.input.shape[2]
    elif isinstance(layer, keras.layers.Conv2D):
        places = layer.output.shape[1] * layer.output.shape[2]
    else:
        return 0
    return places * 25 * layer.input.shape[-1] * layer.filters


def test_layers_by_hand():
    # Width 1/32 at 32×32: channels 4 and 8; 8 and 4; 1, 4 and 8.
    net = flops.networks(32, 1 / 32, latent_dim=2, encoder_units=64)
    assert net["encoder"].layers == (
        16 * 16 * 25 * 3 * 4,
        8 * 8 * 25 * 4 * 8,
        8 * 8 * 8 * 2,
        2 * 2 * 2,
    )
    assert net["decoder"].layers == (
        2 * 8 * 8 * 8,
        8 * 8 * 25 * 8 * 8,
        16 * 16 * 25 * 8 * 4,
        32 * 32 * 25 * 4 * 3,
    )
    assert net["discriminator"].layers == (
        32 * 32 * 25 * 3 * 1,
        16 * 16 * 25 * 1 * 4,
        8 * 8 * 25 * 4 * 8,
        8 * 8 * 8 * 16,
        16,
    )


def test_step_by_hand():
    net = flops.networks(32, 1 / 32, latent_dim=2, encoder_units=64)
    encoder = 76_800 + 51_200 + 1_024 + 8
    decoder = 1_024 + 102_400 + 204_800 + 307_200
    discriminator = 76_800 + 25_600 + 51_200 + 8_192 + 16
    assert sum(net["decoder"].layers) == decoder
    forward = encoder + 2 * decoder + 3 * discriminator
    features = 76_800 + 25_600 + 51_200
    backward = [
        features + decoder + (encoder - 76_800) + encoder,
        2 * 76_800 + 2 * (decoder - 1_024) + 2 * decoder,
        3 * (discriminator - 76_800) + 3 * discriminator,
    ]
    assert flops.step_flops(
        5, image_size=32, width=1 / 32, latent_dim=2, encoder_units=64
    ) == 2 * 5 * (forward + sum(backward))


@pytest.mark.parametrize("image_size", [32, 64, 128])
def test_count_is_that_of_the_networks(image_size):
    model = create_model(image_size=image_size, width=1 / 16)
    counted = flops.networks(image_size, 1 / 16)
    for name, network in counted.items():
        layers = getattr(model, name).layers
        assert sum(network.layers) == sum(map(macs, layers))


def test_unknown_size_is_refused():
    with pytest.raises(ValueError, match=r"must be one of \(32, 64, 128\)"):
        flops.networks(48)
