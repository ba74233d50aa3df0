import pytest

from tests.patch.conftest import tiny_settings
from vaegan_tf.patch.pyramid import create_pyramid
from vaegan_tf.patch.stages import Stages, costs


def test_each_scale_has_its_steps():
    stages = Stages(num_scales=3, vae_scales=1, steps=5)
    assert stages.last_step == 15
    assert [stages.scale_at(s) for s in (0, 4, 5, 14, 15)] == [0, 0, 1, 2, 2]
    assert [stages.is_vae(scale) for scale in range(3)] == [True, False, False]
    assert [s for s in range(16) if stages.ends_with(s)] == [5, 10, 15]


def test_costs_are_those_of_the_convolutions():
    """Of a picture of 2 × 4 above 1 × 2, by hand."""
    settings = tiny_settings(channels=3, layers=2)
    pyramid = create_pyramid((2, 4), 2, 0.5, (1,))
    assert [h * w for h, w in pyramid.shapes] == [2, 6, 8]
    found = list(costs(pyramid, Stages(3, 1, 5), settings, batch_size=2))
    # 2 operations, batch 2, 9 taps, 3 × 3 channels, 2 layers.
    each = 2 * 2 * 9 * 9 * 2
    assert found[0].operations == 3 * 2 * each
    assert found[1].operations == 19 * 6 * each + 2 * 2 * each
    assert found[2].operations == 19 * 8 * each + 2 * (2 + 6) * each
    assert found[2].memory_bytes == 32 * (2 * 8) * 3 * 2 * 4


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([4, 2], "must end in 1"),
        ([1, 2], "none above the one before"),
        ([], "must be whole numbers from 1"),
        ([0], "must be whole numbers from 1"),
    ],
)
def test_sampling_rates_that_cannot_be(rates, message):
    with pytest.raises(ValueError, match=message):
        tiny_settings(sampling_rates=rates)
