import numpy as np
import pytest

from sweeps import neighbours


def example(shape):
    """Random levels, so that no two patches are the same."""
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


@pytest.mark.parametrize(
    ("shape", "window"), [((8, 13), (3, 3)), ((5, 8, 13), (3, 3, 3))]
)
def test_colours_of_origins_are_places(shape, window):
    own = example(shape)
    key = neighbours.origins(own, own, window)
    assert key.shape == own.shape
    # Of 13 columns 11 are centres: 0 to 255 in ten steps of 25.5.
    inside = key[..., 1:-1, 1:-1, :]
    inside = inside[1:-1] if len(shape) == 3 else inside
    assert (inside[..., 0] == np.round(np.arange(11) * 25.5)).all()
    assert (inside[..., 1] == 51 * np.arange(6)[:, None]).all()
    blue = [0, 128, 255] if len(shape) == 3 else [0]
    assert np.unique(inside[..., 2]).tolist() == blue
    assert (key[..., 0, :] == 255).all()
    moved = neighbours.origins(np.roll(own, -2, axis=-2), own, window)
    np.testing.assert_array_equal(moved[..., 1:-3, :], key[..., 3:-1, :])


def test_the_figure_shows_the_example_and_samples_above_their_origins():
    own = example((5, 8, 13))
    found = neighbours.figure(own, np.stack([own[:, :, ::-1], own]))
    assert found.shape == (2 * (8 + 4), 3 * (13 + 4), 3)
    np.testing.assert_array_equal(found[:8, :13], own[2])
    np.testing.assert_array_equal(found[:8, 17:30], own[2, :, ::-1])
    key = found[12:20, :13]
    np.testing.assert_array_equal(found[12:20, 34:47], key)
    assert np.abs(found[12:20, 17:30].astype(int) - key).max() > 0
