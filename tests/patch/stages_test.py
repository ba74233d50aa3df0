import pytest

from tests.patch.conftest import tiny_settings
from vaegan_tf import hardware
from vaegan_tf.patch.pyramid import create_pyramid
from vaegan_tf.patch.stages import Stages, costs, forecast


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
    step = 130 * 2**20
    assert found[0].memory_bytes == step + 13 * (2 * 2) * 3 * 2 * 4
    assert found[2].memory_bytes == step + 17 * (2 * 8) * 3 * 2 * 4


def test_penalties_on_crops_cost_what_the_crop_has():
    """Of a picture of 8 × 16 above 4 × 8 and 6 × 12, in crops up to 8 × 8."""
    pyramid = create_pyramid((8, 16), 8, 0.5, (1,))
    whole, crops = (
        list(costs(pyramid, Stages(3, 1, 5), tiny_settings(**own), 1))
        for own in ({}, {"penalty_crop": 8})
    )
    saved = [a.operations - b.operations for a, b in zip(whole, crops)]
    # 6 passes, 2 operations, 9 taps, 2 × 2 channels, 1 layer.
    each = 6 * 2 * 9 * 4
    assert saved == [0, each * (6 * 12 - 6 * 8), each * (8 * 16 - 8 * 8)]
    saved = [a.memory_bytes - b.memory_bytes for a, b in zip(whole, crops)]
    each = 3 * 2 * 4
    assert saved == [0, each * (6 * 12 - 6 * 8), each * (8 * 16 - 8 * 8)]


def test_crops_are_suggested_where_they_would_do(monkeypatch):
    pyramid = create_pyramid((256, 512), 256, 0.5, (1,))
    stages, settings = Stages(3, 1, 5), tiny_settings(channels=32)
    # 130 MiB, and 14 and 3 maps of 16 MiB: crops hold 1 part in 32.
    need = {"whole": 402, "crops": 355.5}
    monkeypatch.setattr(hardware, "free_memory_bytes", lambda: free * 2**20)
    free = need["crops"] - 1
    with pytest.raises(ValueError, match="Choose a smaller `image_size`"):
        forecast(pyramid, stages, settings, batch_size=1)
    free = need["crops"] + 1
    with pytest.raises(ValueError, match="Choose `penalty_crop=64`, with wh"):
        forecast(pyramid, stages, settings, batch_size=1)
    with pytest.raises(ValueError, match="Choose a smaller `image_size`"):
        forecast(pyramid, Stages(3, 1, 5), settings, batch_size=2)


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
