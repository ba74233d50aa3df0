import numpy as np
import pytest
from PIL import Image

from vaegan_tf.cli import pictures


@pytest.fixture
def aligned(tmp_path):
    """A picture of CelebA's size: white in the authors' box, black around."""
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[40:188, 15:163] = 255
    Image.fromarray(pixels).save(tmp_path / "aligned.png")
    return tmp_path / "aligned.png"


def test_celeb_pictures_are_cropped_as_for_training(aligned):
    cropped = pictures.read([aligned], (32, 32, 3), "celeb")
    np.testing.assert_array_equal(cropped, np.ones((1, 32, 32, 3)))


def test_other_models_see_the_central_square(aligned):
    square = pictures.read([aligned], (32, 32, 3))
    assert square.min() == -1


def test_other_pictures_are_cut_to_the_central_square(tmp_path):
    pixels = np.zeros((218, 300, 3), np.uint8)
    pixels[:, 41:259] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    found = pictures.read([tmp_path / "photo.png"], (32, 32, 3), "celeb")
    np.testing.assert_array_equal(found, np.ones((1, 32, 32, 3)))
