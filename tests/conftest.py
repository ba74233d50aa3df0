"""What tests of training and of the commands share: tiny trained runs."""

import pathlib

import pytest

from vaegan_tf.cli import app, train
from vaegan_tf.data import load_dataset

TINY = (
    "--dataset=avatars/tiny",
    "--image_size=32",
    "--width=0.05",
    "--latent_dim=4",
    "--batch_size=8",
    "--train_steps=4",
    "--log_every=2",
    "--checkpoint_every=2",
    "--sample_every=2",
    "--precision=float32",
)


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory):
    """Where `avatars/tiny` lies prepared, for 32×32 images."""
    folder = tmp_path_factory.mktemp("tiny")
    load_dataset("avatars/tiny", data_dir=folder, image_size=32)
    return folder


@pytest.fixture(scope="session")
def tiny_arguments(tiny_dir):
    """Arguments of a training of four steps on it, but for `--model_dir`."""
    return [*TINY, f"--data_dir={tiny_dir}"]


@pytest.fixture(scope="session")
def train_tiny(tiny_arguments):
    """A function that runs `vaegan-train` in this process."""

    def run(model_dir, *arguments):
        argv = [*tiny_arguments, f"--model_dir={model_dir}", *arguments]
        train.main(app.parse(["vaegan-train", *argv], train.define_flags))

    return run


@pytest.fixture(scope="session")
def trained(train_tiny, tmp_path_factory):
    """A function from a kind of model to its finished run; leave it as is."""
    parent = tmp_path_factory.mktemp("runs")
    arguments = {
        "vae": ["--model=vae"],
        "gan": ["--model=gan"],
        "vaegan": ["--model=vaegan"],
        "conditional": ["--model=vaegan", "--conditional"],
        "learned_metric_vae": ["--model=learned_metric_vae"],
    }

    def run(kind) -> pathlib.Path:
        folder = parent / kind
        if not folder.exists():
            extra = []
            if kind == "learned_metric_vae":
                extra = [f"--discriminator_from={run('gan')}"]
            train_tiny(folder, *arguments[kind], *extra)
        return folder

    return run
