"""What tests of the predictor share: a network known by heart, tiny runs."""

import keras
import pytest

from tests.conftest import COSINE, TINY
from vaegan_tf.cli import predictor


@pytest.fixture
def mean_backbone():
    """A backbone whose features are the means of an image's channels."""
    image = keras.Input((2, 2, 3), name="image")
    features = keras.layers.GlobalAveragePooling2D()(image)
    backbone = keras.Model({"image": image}, {"features": features})
    backbone.image_shape, backbone.num_features = (2, 2, 3), 3
    return backbone


@pytest.fixture(scope="session")
def train_predictor(tiny_dir):
    """A function that runs `vaegan-predictor` in this process."""

    def run(model_dir, *arguments):
        folders = (f"--data_dir={tiny_dir}", f"--model_dir={model_dir}")
        *settings, _ = predictor.command.parse(
            [*TINY, COSINE, *folders, *arguments]
        )
        predictor.command.main(*settings)

    return run


@pytest.fixture(scope="session")
def trained_predictor(trained):
    """The folder of a finished run; leave it as it is."""
    return trained("predictor")
