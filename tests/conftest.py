"""What tests of training and of the commands share: tiny trained runs."""

import pathlib

import pytest
import tensorflow as tf

from vaegan_tf.cli import app, train
from vaegan_tf.data import load_dataset
from vaegan_tf.training.distribution import create_distribution

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


def pytest_configure():
    """Cuts the processor in two: some tests take two replicas."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, parts)


@pytest.fixture(scope="session")
def two_replicas():
    """A strategy of two replicas."""
    return create_distribution("mirrored", 2).strategy


@pytest.fixture(scope="session")
def on_both(two_replicas):
    """A function that calls one on both replicas, each with its argument."""

    def call(function, first, second):
        parts = [tf.nest.map_structure(tf.constant, x) for x in (first, second)]
        argument = two_replicas.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )
        result = tf.function(
            lambda argument: two_replicas.run(function, args=(argument,))
        )(argument)
        return [
            tf.nest.map_structure(
                lambda value, n=n: two_replicas.experimental_local_results(
                    value
                )[n].numpy(),
                result,
                expand_composites=False,
            )
            for n in range(2)
        ]

    return call


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
