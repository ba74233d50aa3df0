"""This project's training, timed and watched from outside."""

import itertools
import time
from collections.abc import Callable, Iterable
from typing import Any, Self

import keras
import tensorflow as tf

from benchmarks import children, recipe
from vaegan_tf.data import load_dataset
from vaegan_tf.models import ObjectiveModel, create_model
from vaegan_tf.runs.precision import set_precision
from vaegan_tf.settings import Experiment
from vaegan_tf.training import Distribution, Trainer
from vaegan_tf.training.optimizers import compile_model


class NoCheckpoints:
    """Stands in for a run's checkpoints where nothing is to be kept."""

    variables = ()

    def save(self) -> None:
        """Keeps nothing."""

    def restore(self) -> None:
        """Brings nothing back."""


class Clock(keras.callbacks.Callback):
    """Notes when each step ended, its numbers having arrived."""

    def __init__(self):
        super().__init__()
        self.ticks: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Notes when the run began."""
        self.ticks.append(time.perf_counter())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Notes when a step ended."""
        self.ticks.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Duration of every step."""
        return [b - a for a, b in itertools.pairwise(self.ticks)]


class Memory(keras.callbacks.Callback):
    """Notes the bytes held at most, before a run and up to each step."""

    def __init__(self):
        super().__init__()
        self.peaks: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Notes what the process has held before."""
        self.peaks.append(children.peak_bytes())

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Notes what it has held by the end of a step."""
        # Linux counts some pages late: what it says may fall a little.
        self.peaks.append(max(self.peaks[-1], children.peak_bytes()))


class Diary(keras.callbacks.Callback):
    """Keeps every term and objective of every step."""

    def __init__(self):
        super().__init__()
        self.numbers: dict[str, list[float]] = {}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Writes down a step's numbers."""
        for name, value in logs.items():
            if name in self.model.term_names or name.endswith("_loss"):
                self.numbers.setdefault(name, []).append(value)


class TimedBatches:
    """Batches that sum up how long a run waited for them.

    Args:
        dataset: The batches.
    """

    def __init__(self, dataset: tf.data.Dataset):
        self.iterator = iter(dataset)
        self.waited = tf.Variable(0.0, dtype=tf.float64)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, tf.Tensor]:
        before = tf.timestamp()
        with tf.control_dependencies([before]):
            example = next(self.iterator)
        with tf.control_dependencies(list(example.values())):
            self.waited.assign_add(tf.timestamp() - before)
        return example


class Waits(keras.callbacks.Callback):
    """Notes how long each step waited for its batch.

    Args:
        batches: Those that the run takes.
    """

    def __init__(self, batches: TimedBatches):
        super().__init__()
        self.batches = batches
        self.seconds: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Notes the wait of one step."""
        total = float(self.batches.waited)
        self.seconds.append(total - sum(self.seconds))


def train(
    kind: str = "vaegan",
    *,
    batch_size: int = 64,
    image_size: int = 64,
    warm_up: int = 1,
    timed: int = 2,
    **choices: Any,
) -> dict[str, Any]:
    """Trains a model on images in memory.

    Args:
        kind: The kind of model.
        batch_size: Images in a step.
        image_size: Height and width of the images.
        warm_up: Steps before those that count.
        timed: Steps that count.
        **choices: Settings that differ from their defaults.

    Returns:
        `seconds` of each step that counts, `first_step_seconds`, and the
        `precision` that was chosen.
    """
    image = recipe.images(batch_size, image_size)
    batches = tf.data.Dataset.from_tensors({"image": image}).repeat()
    settings = recipe.experiment(kind, image_size=image_size, **choices)
    chosen, _ = set_precision(settings.optimisation.precision)
    clock = Clock()
    run(*compiled(settings), batches, warm_up + timed, [clock])
    return {
        "seconds": clock.seconds[warm_up:],
        "first_step_seconds": clock.seconds[0],
        "precision": chosen,
    }


def train_on(
    data: dict[str, Any],
    augmentation: str,
    *,
    batch_size: int = 64,
    warm_up: int = 2,
    timed: int = 3,
    **choices: Any,
) -> dict[str, list[float]]:
    """Trains VAE/GAN on a data set, in the precision of `auto`.

    Args:
        data: Arguments of `load_dataset`.
        augmentation: Variation of the images.
        batch_size: Images in a step.
        warm_up: Steps before those that count.
        timed: Steps that count.
        **choices: Settings that differ from their defaults.

    Returns:
        `seconds` of each step that counts, and `waiting_seconds`, how many of
        them the step waited for its batch.
    """
    dataset = load_dataset(**data)
    set_precision("auto")
    batches = TimedBatches(
        dataset.train_batches(batch_size, seed=0, augmentation=augmentation)
    )
    clock, waits = Clock(), Waits(batches)
    settings = recipe.experiment(**choices)
    run(*compiled(settings), batches, warm_up + timed, [clock, waits])
    return {
        "seconds": clock.seconds[warm_up:],
        "waiting_seconds": waits.seconds[warm_up:],
    }


def curves(
    data: dict[str, Any],
    steps: int,
    *,
    noise_seed: int = 0,
    batch_size: int = 64,
    **choices: Any,
) -> dict[str, dict[str, list[float]]]:
    """Trains VAE/GAN on a data set and keeps all numbers.

    Args:
        data: Arguments of `load_dataset`.
        steps: Steps to train for.
        noise_seed: Seed of the noise; weights and order of the data have 0.
        batch_size: Images in a step.
        **choices: Settings that differ from their defaults.

    Returns:
        `numbers`: every term and objective by name, a value for each step.
    """
    dataset = load_dataset(**data)
    settings = recipe.experiment(**choices)
    set_precision(settings.optimisation.precision)
    model, schedules = compiled(settings)
    model.noise_seed.assign(noise_seed)
    diary = Diary()
    batches = dataset.train_batches(batch_size, seed=0, augmentation="flip")
    run(model, schedules, batches, steps, [diary])
    return {"numbers": diary.numbers}


def created(settings: Experiment) -> ObjectiveModel:
    """A model of seed 0, without attributes, in Keras's precision.

    Args:
        settings: Its settings.
    """
    keras.utils.set_random_seed(0)
    return create_model(
        settings.kind,
        image_size=settings.data.image_size,
        num_channels=settings.data.num_channels,
        **settings.model.as_dict(),
    )


def compiled(
    settings: Experiment,
) -> tuple[ObjectiveModel, dict[str, Callable]]:
    """What `created` returns, compiled, and its learning rates' schedules."""
    model = created(settings)
    return model, compile_model(model, settings.optimisation)


def run(
    model: ObjectiveModel,
    schedules: dict[str, Callable],
    batches: Iterable,
    steps: int,
    callbacks: list[keras.callbacks.Callback],
    distribution: Distribution | None = None,
) -> None:
    """Trains by the loop of `vaegan-train`, keeping nothing.

    Args:
        model: A compiled model.
        schedules: Of its learning rates.
        batches: Batches without end.
        steps: Steps to train for.
        callbacks: What watches the run.
        distribution: The devices; one by default.
    """
    Trainer(
        model,
        lambda step: batches,
        NoCheckpoints(),
        train_steps=steps,
        callbacks=callbacks,
        learning_rates=schedules,
        distribution=distribution,
    ).run()
