"""What tests of the predictor share: a network known by heart, tiny runs."""

import pathlib

import keras
import pytest

from vaegan_tf.cli import app, predictor

TINY = (
    "--dataset=avatars/tiny",
    "--image_size=32",
    "--width=0.05",
    "--batch_size=8",
    "--train_steps=4",
    "--log_every=2",
    "--checkpoint_every=2",
    "--sample_every=2",
    "--precision=float32",
    "--augmentation=flip",
)


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
        argv = [*TINY, f"--data_dir={tiny_dir}", f"--model_dir={model_dir}"]
        flags = app.parse(
            ["vaegan-predictor", *argv, *arguments], predictor.define_flags
        )
        return predictor.main(flags)

    return run


@pytest.fixture(scope="session")
def trained_predictor(train_predictor, tmp_path_factory) -> pathlib.Path:
    """The folder of a finished run; leave it as it is."""
    folder = tmp_path_factory.mktemp("predictors") / "tiny"
    train_predictor(folder)
    return folder
