import json

import keras
import numpy as np
import pytest

from tests.evaluation import inception_seeds
from vaegan_tf.evaluation import inception
from vaegan_tf.settings.choices import CONVENTIONS

REFERENCE = json.loads(inception_seeds.NUMBERS.read_text(encoding="utf-8"))
SHAPES = {name: tuple(shape) for name, shape in REFERENCE["shapes"].items()}


@pytest.fixture(scope="module")
def weights():
    return inception_seeds.seeded_weights(SHAPES)


@pytest.fixture(scope="module")
def path(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.npz"
    np.savez(path, **weights)
    return path


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_features_are_those_of_other_programs(path, convention):
    network = inception.Inception(path, convention)
    features = network(inception_seeds.seeded_images()).astype(np.float64)
    assert features.shape == (2, inception.DIMENSION)
    expected = REFERENCE[convention]
    some = features[:, :: inception_seeds.SHOWN]
    # float32 through 94 layers, the values themselves being up to 35.
    np.testing.assert_allclose(some, expected["some"], rtol=2e-5, atol=5e-5)
    norms = np.linalg.norm(features, axis=1)
    np.testing.assert_allclose(norms, expected["norms"], rtol=1e-6)
    sums = features.sum(axis=1)
    np.testing.assert_allclose(sums, expected["sums"], rtol=1e-6)


def test_maps_are_those_behind_the_third_convolution_at_any_size(path):
    network = inception.Inception(path)
    images = np.random.default_rng(0).integers(0, 256, (1, 299, 299, 3))
    layer = network.network.get_layer("Conv2d_2b_3x3")
    inner = keras.Model(network.network.input, layer.output)
    expected = inner(images.astype(np.float32) / 127.5 - 1.0)
    maps = network.maps(images.astype(np.uint8))
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-5)
    # Of 21 pixels, 10 after a stride of 2 and 8 after another 3 × 3.
    assert network.maps(images[:, :21, :25].astype(np.uint8)).shape == (
        1,
        8,
        10,
        64,
    )


def test_what_is_said_of_the_network(path):
    network = inception.Inception(path)
    assert not network.is_canonical
    assert len(network.digest) == 8
    assert network.resize == "bilinear 299 (tensorflow)"
    assert inception.Inception(path, "pytorch").resize.endswith("(pytorch)")


def test_grey_images_are_colour_images_without_colour(uniform):
    grey = uniform(2)[..., :1]
    found = inception.resized(grey, "tensorflow")
    expected = inception.resized(grey.repeat(3, axis=-1), "tensorflow")
    np.testing.assert_array_equal(found, expected)


def ramp():
    """Two columns: level 0 and level 254, in every channel."""
    return np.broadcast_to(
        np.array([0, 254], np.uint8)[None, None, :, None], (1, 2, 2, 3)
    )


def test_resizing_as_in_tensorflow_aligns_the_corner():
    # Column n of 299 lies at 2 n / 299 of the image, the last ones beyond
    # its last pixel.
    places = np.minimum(np.arange(299) * 2 / 299, 1.0)
    expected = (254 * places - 128) / 128
    found = inception.resized(ramp(), "tensorflow")[0, 7, :, 1]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_resizing_as_in_pytorch_aligns_centres():
    places = np.clip((np.arange(299) + 0.5) * 2 / 299 - 0.5, 0.0, 1.0)
    expected = 254 * places / 127.5 - 1
    found = inception.resized(ramp(), "pytorch")[0, 7, :, 1]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_other_conventions_are_refused(path):
    with pytest.raises(ValueError, match=r"`convention` must be one of"):
        inception.Inception(path, "bicubic")


def test_a_part_of_the_network_is_refused(tmp_path):
    path = tmp_path / "part.npz"
    np.savez(path, **{"fc.weight": np.zeros((1008, 2))})
    message = r"part\.npz is not a whole Inception network: 'Conv2d_1a_3x3"
    with pytest.raises(ValueError, match=message):
        inception.Inception(path)


def test_the_network_of_other_classes_is_refused(tmp_path):
    path = tmp_path / "imagenet.npz"
    np.savez(path, **{"fc.weight": np.zeros((1000, 2048))})
    message = r"of 1000 classes\. .* in that of 1008: give pt_inception"
    with pytest.raises(ValueError, match=message):
        inception.Inception(path)


@pytest.mark.parametrize("name", ["broken.npz", "broken.pth"])
def test_damaged_files_are_refused(tmp_path, name):
    (tmp_path / name).write_text("no weights")
    with pytest.raises(ValueError, match=r"broken\."):
        inception.Inception(tmp_path / name)


@pytest.mark.parametrize("name", ["none.npz", "none.pth"])
def test_files_that_are_not_there(tmp_path, name):
    with pytest.raises(FileNotFoundError):
        inception.Inception(tmp_path / name)
