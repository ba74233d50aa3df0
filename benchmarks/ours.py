"""This project's training, timed and watched from outside."""

import itertools
import time

import keras
import tensorflow as tf

from benchmarks import recipe
from vaegan_tf.data import load_dataset
from vaegan_tf.models import create_model
from vaegan_tf.training.loop import Observer, Training
from vaegan_tf.training.optimizers import compile_model
from vaegan_tf.training.precision import set_precision


class NoCheckpoints:
    """Stands in for a run's checkpoints where nothing is to be kept."""

    def save(self):
        """Keeps nothing."""

    def restore(self):
        """Brings nothing back."""


class Clock(Observer):
    """Notes when each step ended, its numbers having arrived."""

    def __init__(self):
        super().__init__(every=1)
        self.ticks = []

    def begin(self, moment):
        """Notes when the training began."""
        self.ticks.append(time.perf_counter())

    def look(self, moment):
        """Notes when a step ended."""
        self.ticks.append(time.perf_counter())

    @property
    def seconds(self):
        """Duration of every step."""
        return [b - a for a, b in itertools.pairwise(self.ticks)]


class Diary(Observer):
    """Keeps every term and objective of every step."""

    def __init__(self):
        super().__init__(every=1)
        self.numbers = {}

    def look(self, moment):
        """Writes down a step's numbers."""
        for name, value in moment.means.items():
            self.numbers.setdefault(name, []).append(value)


class Waits(Observer):
    """Notes how long each step waited for its batch.

    Args:
        batches: The `TimedBatches` that the training takes.
    """

    def __init__(self, batches):
        super().__init__(every=1)
        self.batches = batches
        self.seconds = []

    def look(self, moment):
        """Notes the wait of one step."""
        total = float(self.batches.waited)
        self.seconds.append(total - sum(self.seconds))


class TimedBatches:
    """Batches that sum up how long a training waited for them.

    Args:
        dataset: A `tf.data.Dataset`.
    """

    def __init__(self, dataset):
        self.iterator = iter(dataset)
        self.waited = tf.Variable(0.0, dtype=tf.float64)

    def __iter__(self):
        return self

    def __next__(self):
        before = tf.timestamp()
        with tf.control_dependencies([before]):
            example = next(self.iterator)
        with tf.control_dependencies(list(example.values())):
            self.waited.assign_add(tf.timestamp() - before)
        return example


def train(
    precision="auto",
    image_size=64,
    width=1.0,
    batch_size=64,
    warm_up=1,
    timed=2,
):
    """Trains VAE/GAN on images in memory.

    Args:
        precision: As `--precision`.
        image_size: As `--image_size`.
        width: As `--width`.
        batch_size: As `--batch_size`.
        warm_up: Steps before those that count.
        timed: Steps that count.

    Returns:
        `seconds` of each step that counts, `first_step_seconds`, and the
        `precision` that was chosen.
    """
    image = recipe.images(batch_size, image_size)
    batches = tf.data.Dataset.from_tensors({"image": image}).repeat()
    chosen, _ = set_precision(precision)
    clock = Clock()
    model, schedules = _model(image_size=image_size, width=width)
    _run(model, schedules, batches, warm_up + timed, [clock])
    return {
        "seconds": clock.seconds[warm_up:],
        "first_step_seconds": clock.seconds[0],
        "precision": chosen,
    }


def train_on(data, augmentation, width=1.0, batch_size=64, warm_up=2, timed=3):
    """Trains VAE/GAN on a data set, in the precision of `auto`.

    Args:
        data: Arguments of `load_dataset`.
        augmentation: As `--augmentation`.
        width: As `--width`.
        batch_size: As `--batch_size`.
        warm_up: Steps before those that count.
        timed: Steps that count.

    Returns:
        `seconds` of each step that counts, and `waiting_seconds`, how many of
        them the step waited for its batch.
    """
    dataset = load_dataset(**data)
    set_precision("auto")
    model, schedules = _model(width=width)
    batches = TimedBatches(
        dataset.train_batches(batch_size, seed=0, augmentation=augmentation)
    )
    clock, waits = Clock(), Waits(batches)
    _run(model, schedules, batches, warm_up + timed, [clock, waits])
    return {
        "seconds": clock.seconds[warm_up:],
        "waiting_seconds": waits.seconds[warm_up:],
    }


def curves(data, precision, steps, noise_seed=0, batch_size=64, **model_flags):
    """Trains VAE/GAN on a data set and keeps all numbers.

    Args:
        data: Arguments of `load_dataset`.
        precision: As `--precision`.
        steps: Steps to train for.
        noise_seed: Seed of the noise; weights and order of the data have 0.
        batch_size: As `--batch_size`.
        **model_flags: Flags of the model.

    Returns:
        `numbers`: every term and objective by name, a value for each step.
    """
    dataset = load_dataset(**data)
    set_precision(precision)
    model, schedules = _model(**model_flags)
    model.noise_seed.assign(noise_seed)
    diary = Diary()
    batches = dataset.train_batches(batch_size, seed=0, augmentation="flip")
    _run(model, schedules, batches, steps, [diary], log_every=1)
    return {"numbers": diary.numbers}


def _model(**flags):
    settings = recipe.settings(**flags)
    keras.utils.set_random_seed(0)
    model = create_model(**settings["model"], seed=0)
    return model, compile_model(model, 1, **settings["optimisation"])


def _run(model, schedules, batches, steps, observers, log_every=50):
    Training(
        model,
        lambda step: batches,
        NoCheckpoints(),
        train_steps=steps,
        log_every=log_every,
        observers=observers,
        learning_rates=schedules,
    ).run()
