import types

import numpy as np
import pytest
from PIL import Image

from vaegan_tf.cli.images import read
from vaegan_tf.settings import DataSettings, Experiment


def read_for(dataset, *paths):
    """Image files as a model of a data set takes them."""
    data = DataSettings(dataset=dataset, image_size=32)
    run = types.SimpleNamespace(settings=Experiment.of(data=data))
    return read(run, paths)


@pytest.fixture
def aligned(tmp_path):
    """An image of CelebA's size: white in the authors' box, black around."""
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[40:188, 15:163] = 255
    Image.fromarray(pixels).save(tmp_path / "aligned.png")
    return tmp_path / "aligned.png"


def test_celeb_images_are_cropped_as_for_training(aligned):
    cropped = read_for("celeb_a", aligned)
    np.testing.assert_array_equal(cropped, np.ones((1, 32, 32, 3)))


def test_other_models_see_the_central_square(aligned):
    square = read_for("avatars", aligned)
    assert square.min() == -1


def test_other_images_are_cut_to_the_central_square(tmp_path):
    pixels = np.zeros((218, 300, 3), np.uint8)
    pixels[:, 41:259] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    found = read_for("celeb_a", tmp_path / "photo.png")
    np.testing.assert_array_equal(found, np.ones((1, 32, 32, 3)))


def test_images_of_the_models_size_are_taken_whole(tmp_path):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[0] = 255
    Image.fromarray(pixels).save(tmp_path / "sample.png")
    found = read_for("celeb_a", tmp_path / "sample.png")
    np.testing.assert_array_equal(found[0], pixels / 127.5 - 1)
