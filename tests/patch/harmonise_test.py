"""What is pasted is refined, what is around it fades, and the rest stays."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.patch.conftest import draw_pictures
from vaegan_tf.patch.harmonise import blended, softened


def mask(height, width, columns):
    """White in so many columns from the left."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :columns] = 255
    return image


def test_a_border_falls_from_white_to_nothing_by_the_same_steps():
    # A fiftieth of 100 pixels is 2: 5 steps.
    soft = softened(mask(20, 100, 30), (20, 100))
    assert soft.shape == (1, 20, 100, 1)
    row = [1.0] * 30 + [0.8, 0.6, 0.4, 0.2] + [0.0] * 66
    np.testing.assert_allclose(soft[0, :, :, 0], [row] * 20, atol=1e-6)


def test_a_mask_is_brought_to_the_size_of_samples():
    """Of 24 × 12 to 12 × 6, where the border is 1 pixel: 3 steps."""
    soft = softened(mask(12, 24, 8), (6, 12))
    row = [1.0] * 4 + [2 / 3, 1 / 3] + [0.0] * 6
    np.testing.assert_allclose(soft[0, :, :, 0], [row] * 6, atol=1e-6)


def test_white_over_black_shows_the_mask():
    soft = softened(mask(6, 12, 4), (6, 12))
    white, black = (tf.fill([2, 6, 12, 3], value) for value in (1.0, -1.0))
    found = blended(white, black, soft).numpy()
    row = [1.0] * 4 + [1 / 3, -1 / 3] + [-1.0] * 6
    expected = np.broadcast_to(np.array(row)[:, None], (2, 6, 12, 3))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_command_leaves_all_else_as_it_is(tmp_path):
    start = np.random.default_rng(0).integers(0, 256, (6, 12, 3), np.uint8)
    paths = {name: tmp_path / f"{name}.png" for name in ("start", "mask")}
    Image.fromarray(start).save(paths["start"])
    Image.fromarray(mask(6, 12, 4)).save(paths["mask"])
    found = {}
    for name, flags in {
        "all": [],
        "masked": [f"--mask={paths['mask']}"],
    }.items():
        draw_pictures(
            "--first_scale=1",
            f"--start={paths['start']}",
            "--count=1",
            f"--output={tmp_path / name}/",
            *flags,
        )
        with Image.open(tmp_path / name / "00000.png") as image:
            found[name] = np.asarray(image)
    np.testing.assert_array_equal(found["masked"][:, 6:], start[:, 6:])
    np.testing.assert_array_equal(found["masked"][:, :4], found["all"][:, :4])
    assert (found["all"] != start).mean() > 0.5


def test_a_mask_of_another_size_is_refused(tmp_path):
    Image.fromarray(mask(6, 12, 4)).save(tmp_path / "start.png")
    Image.fromarray(mask(12, 6, 4)).save(tmp_path / "mask.png")
    with pytest.raises(
        ValueError, match=r"size of --start, 12 × 6\. Received: .* of 6 × 12\."
    ):
        draw_pictures(
            "--first_scale=1",
            f"--start={tmp_path / 'start.png'}",
            f"--mask={tmp_path / 'mask.png'}",
            f"--output={tmp_path / 'drawn.png'}",
        )
    assert not (tmp_path / "drawn.png").exists()
