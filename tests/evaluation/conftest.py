"""A predictor small enough to know all its answers."""

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.data import load_dataset


class Predictor:
    """Features are the mean colours of the image's four quarters.

    An attribute is present where its quarter is red: brighter than -0.5.
    """

    def __init__(self, dataset="avatars/tiny", names=("Hat", "Bald"), size=32):
        self.dataset = dataset
        self.attribute_names = names
        self.image_shape = (size, size, 3)
        self.weights = [np.arange(3.0)]

    def analyze(self, images):
        half = self.image_shape[0] // 2
        quarters = tf.nn.avg_pool2d(images, half, half, "VALID")
        features = tf.reshape(quarters, [-1, 12])
        return {
            "features": features,
            "logits": features[:, : len(self.attribute_names)] + 0.5,
        }


@pytest.fixture(scope="session")
def make_predictor():
    return Predictor


@pytest.fixture(scope="session")
def faces(tiny_dir):
    """`avatars/tiny` at 32×32; its test split has 32 images."""
    return load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)


@pytest.fixture
def uniform():
    """A function that draws uint8 images of a seed."""

    def draw(count, seed=0, size=32):
        generator = np.random.default_rng(seed)
        return generator.integers(0, 256, (count, size, size, 3), np.uint8)

    return draw


class Inception:
    """Stands for the network, with the mean colour as features."""

    digest = "0badf00d"
    convention = "tensorflow"
    is_canonical = False
    resize = "bilinear 299 (tensorflow)"

    def __call__(self, images):
        return images.mean((1, 2)).astype(np.float32)


@pytest.fixture
def inception():
    return Inception()
