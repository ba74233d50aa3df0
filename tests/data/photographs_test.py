import numpy as np
import pytest

from vaegan_tf.data import photographs
from vaegan_tf.settings import DataSettings

CELEB = DataSettings(dataset="celeb_a", image_size=32)
AVATARS = DataSettings(dataset="avatars", image_size=32, num_channels=1)
# Eyes and corners of the mouth where CelebA has them, one pixel further down.
FACE = np.array([[69.0, 112.0], [108, 112], [71.5, 154], [105.5, 154]])


def photograph(height, width):
    """Black, with a white central square of the height."""
    pixels = np.zeros((height, width, 3), np.uint8)
    left = (width - height) // 2
    pixels[:, left : left + height] = 255
    return pixels


@pytest.mark.parametrize(
    ("data", "shape", "part"),
    [
        (AVATARS, (32, 32, 3), "whole"),
        (AVATARS, (40, 60, 3), "square"),
        (CELEB, (32, 32, 3), "whole"),
        (CELEB, (218, 178, 3), "box"),
        (CELEB, (218, 300, 3), "no face"),
    ],
)
def test_what_is_taken_of_a_photograph(monkeypatch, data, shape, part):
    monkeypatch.setattr(photographs, "can_find_faces", lambda: True)
    monkeypatch.setattr(photographs, "find_face", lambda image: None)
    image, said = photographs.cut(np.zeros(shape, np.uint8), data)
    assert said == part
    assert part in photographs.PARTS
    np.testing.assert_array_equal(image, -np.ones((32, 32, data.num_channels)))


def test_without_a_detector_the_central_square_is_taken(monkeypatch):
    monkeypatch.setattr(photographs, "can_find_faces", lambda: False)
    image, said = photographs.cut(photograph(218, 300), CELEB)
    assert "pip install" in photographs.PARTS[said]
    np.testing.assert_array_equal(image, np.ones((32, 32, 3)))


def test_a_face_is_aligned_and_cut_as_celebas(monkeypatch):
    monkeypatch.setattr(photographs, "can_find_faces", lambda: True)
    monkeypatch.setattr(photographs, "find_face", lambda image: FACE)
    pixels = np.zeros((240, 200, 3), np.uint8)
    pixels[41:189, 15:163] = 255  # CelebA's box, one pixel further down.
    image, said = photographs.cut(pixels, CELEB)
    assert said == "face"
    np.testing.assert_allclose(image[1:-1, 1:-1], 1)
