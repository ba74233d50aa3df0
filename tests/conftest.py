"""What tests of training and of the commands share: tiny trained runs."""

import atexit
import fcntl
import gc
import os
import pathlib
import shutil
import tempfile

import pytest

if "PYTEST_XDIST_WORKER" not in os.environ:
    # The key of this user's runs: one for all processes of the tests.
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="state-")
    atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"])
else:  # Each process has one core.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import tensorflow as tf

import vaegan_tf.export
from vaegan_tf.cli import train
from vaegan_tf.data import load_dataset
from vaegan_tf.training.distribution import create_distribution

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
    "--learning_rate_decay=none",
)
# How the rate of a predictor falls.
COSINE = "--learning_rate_decay=cosine"


def pytest_configure():
    """Cuts the processor in two, for replicas; leaves graphs as they are.

    To optimise a graph takes longer than the few steps that tests run it for.
    """
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
    (cpu,) = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, parts)


def pytest_collection_finish():
    """Keeps the garbage collector from what was imported, a million objects.

    It comes seldom too: graphs are made of many objects, most of which stay.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def _in_float32():
    """Leaves to the next test the precision that this one began with.

    A run sets that of its process, by itself to what the processor is fast at.
    """
    yield
    keras.config.set_dtype_policy("float32")


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
            lambda argument: two_replicas.run(function, args=(argument,)),
            autograph=False,
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
def make_once(tmp_path_factory):
    """A function that makes a folder once for all processes of the tests.

    It takes the folder's name and a function that makes it, given its path.
    """
    parent = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        parent = parent.parent  # that of all of them
    parent = parent / "once"
    parent.mkdir(exist_ok=True)

    def once(name, make) -> pathlib.Path:
        folder, whole = parent / name, parent / f"{name}.whole"
        with open(parent / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                make(folder)
                whole.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def tiny_dir(make_once):
    """Where `avatars/tiny` lies prepared, for 32×32 images."""

    def prepare(folder):
        load_dataset("avatars/tiny", data_dir=folder, image_size=32)

    return make_once("tiny", prepare)


@pytest.fixture(scope="session")
def tiny_arguments(tiny_dir):
    """Arguments of a run of four steps on it, but for `--model_dir`."""
    return [*TINY, "--latent_dim=4", f"--data_dir={tiny_dir}"]


@pytest.fixture(scope="session")
def train_tiny(tiny_arguments):
    """A function that runs `vaegan-train` in this process; see `call_train`."""

    def run(model_dir, *arguments, **options):
        own = (f"--model_dir={model_dir}", *arguments)
        call_train(*tiny_arguments, *own, **options)

    return run


@pytest.fixture(scope="session")
def trained(train_tiny, tiny_dir, make_once):
    """A function from a kind of model to its finished run; leave it as is."""
    arguments = {
        "vae": ["--model=vae"],
        "gan": ["--model=gan"],
        "vaegan": ["--model=vaegan"],
        "conditional": ["--model=vaegan", "--conditional"],
        "learned_metric_vae": ["--model=learned_metric_vae"],
    }

    def make(kind, folder):
        extra = []
        if kind == "predictor":
            extra = [f"--data_dir={tiny_dir}", f"--model_dir={folder}"]
            call_train(*TINY, COSINE, *extra, "--model=predictor")
            return
        if kind == "learned_metric_vae":
            extra = [f"--discriminator_from={run('gan')}"]
        train_tiny(folder, *arguments[kind], *extra)

    def run(kind) -> pathlib.Path:
        return make_once(kind, lambda folder: make(kind, folder))

    return run


def call_train(*arguments, export=True):
    """Does what `vaegan-train` does, in this process.

    Without `export` the last thing that the command does is left out, which
    takes a third of a run so small.
    """
    *settings, _ = train.command.parse(arguments)
    with pytest.MonkeyPatch.context() as patch:
        if not export:
            patch.setattr(vaegan_tf.export, "served_ability", lambda _: None)
        train.command.main(*settings)
