"""The training loop: steps, watched by callbacks, until the last one."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vaegan_tf.models import ObjectiveModel
from vaegan_tf.runs import Checkpoints
from vaegan_tf.settings import RunSettings
from vaegan_tf.training.distribution import Distribution
from vaegan_tf.training.signals import StopSignals

DIVERGED = 1e8


class DivergenceError(FloatingPointError):
    """A number of the run is not finite, or diverges."""


class Trainer:
    """Trains a model; can be watched, stopped and resumed.

    Batches and noise are functions of the step alone and checkpoints hold
    every variable, so a resumed run computes what one never stopped would have.

    To callbacks, `log_every` steps are an epoch: its logs are the means of
    every number over them. Logs of a batch are its own numbers.

    Args:
        model: A compiled `ObjectiveModel`.
        batches: Function from a step to the batches of that step, one for
            each of the model's rounds, and of all later ones: a
            `tf.data.Dataset`, or what `Distribution.batches` makes of it.
        checkpoints: The run's `Checkpoints`.
        settings: Intervals and retries.
        train_steps: Steps in all, those before a resume included.
        callbacks: Only on the chief. If one has a method `rewind`, it is called
            with the step that the run returns to.
        learning_rates: Schedules by network, functions of the step; networks
            without one keep their rate.
        distribution: The devices; one by default.
    """

    def __init__(
        self,
        model: ObjectiveModel,
        batches: Callable[[int], Iterable],
        checkpoints: Checkpoints,
        settings: RunSettings | None = None,
        *,
        train_steps: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        learning_rates: Mapping[str, Callable] | None = None,
        distribution: Distribution | None = None,
    ):
        settings = settings or RunSettings()
        timed = [c for c in callbacks if hasattr(c, "every")]
        check_intervals(settings, **{type(c).__name__: c.every for c in timed})
        self.model = model
        self.batches = batches
        self.checkpoints = checkpoints
        self.settings = settings
        self.train_steps = train_steps
        self.learning_rates = learning_rates or {}
        self.distribution = distribution or Distribution()
        self.retries = 0
        self.signals = StopSignals()
        self._callbacks = keras.callbacks.CallbackList(
            list(callbacks),
            model=model,
            steps=settings.log_every,
            epochs=math.ceil(train_steps / settings.log_every),
            train_steps=train_steps,
            verbose=0,
        )
        self._names: dict[int, list[str]] = {}  # Of a step's numbers, by stage.
        self._execute = tf.function(self._distributed_steps, autograph=False)

    def run(self, signals: StopSignals | None = None) -> bool:
        """Trains to the last step, or until asked to stop.

        Args:
            signals: Notes the signal that stops the run, if one does.

        Returns:
            Whether the last step was reached, or a callback has set
            `model.stop_training`.

        Raises:
            DivergenceError: If a number diverges, and no retry is left.
            CheckpointError: If a checkpoint cannot be written or read.
        """
        self._restore()
        self.model.stop_training = False
        with signals or StopSignals() as self.signals:
            self._callbacks.on_train_begin()
            while True:
                self._save()
                try:
                    self._run_from_here()
                    break
                except DivergenceError as error:
                    self._return_to_checkpoint(error)
            self._callbacks.on_train_end()
        return self._step >= self.train_steps or self.model.stop_training

    def _run_from_here(self) -> None:
        iterator = iter(self.batches(self._step))
        is_new_epoch = True
        while not self._is_over():
            if is_new_epoch:
                self._callbacks.on_epoch_begin(
                    self._step // self.settings.log_every
                )
            self._callbacks.on_train_batch_begin(self._step)
            stage = self.model.prepare_step(self._step)
            values = self._execute(iterator, self._ahead(), stage)
            numbers = self._checked(values, stage)
            self._callbacks.on_train_batch_end(self._step - 1, numbers)
            is_new_epoch = self._is_due(self.settings.log_every)
            if is_new_epoch:
                epoch = (self._step - 1) // self.settings.log_every
                self._callbacks.on_epoch_end(epoch, self._means())
            if self._is_due(self.settings.checkpoint_every):
                self._save()
        self._save()

    @property
    def _step(self) -> int:
        return int(self.model.step.numpy())

    def _ahead(self) -> tf.Tensor:
        """Steps up to the next at which the host reads numbers, a scalar."""
        most = self.settings.steps_per_execution
        ahead = min(most - self._step % most, self.train_steps - self._step)
        return tf.constant(ahead)

    def _distributed_steps(
        self, iterator: Any, count: tf.Tensor, stage: int
    ) -> tf.Tensor:
        """So many steps of one of the model's stages, of each number the worst.

        Each stage is traced by itself.
        """
        if self.settings.steps_per_execution == 1:
            return self._distributed_step(iterator, stage)

        def another(done, worst):
            numbers = self._distributed_step(iterator, stage)
            is_worse = tf.abs(numbers) > tf.abs(worst)
            is_worse |= tf.math.is_nan(numbers)
            is_worse &= tf.math.is_finite(worst)
            return done + 1, tf.where(is_worse, numbers, worst)

        _, worst = tf.while_loop(
            lambda done, worst: done < count,
            another,
            (0, tf.zeros(1)),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
            parallel_iterations=1,
        )
        return worst

    def _distributed_step(self, iterator: Any, stage: int) -> tf.Tensor:
        """One step on every replica; its numbers, equal on all, as a vector."""
        with self.distribution.scope():
            for name, schedule in self.learning_rates.items():
                rate = schedule(self.model.step)
                self.model.optimizers[name].learning_rate = rate
            examples = [next(iterator) for _ in range(self.model.rounds)]
            numbers = self.distribution.run(self.model.optimize, *examples)
            self.model.log(numbers)
        self._names[stage] = list(numbers)
        # One transfer from a GPU, not one for each number.
        return tf.stack([tf.cast(n, tf.float32) for n in numbers.values()])

    def _checked(self, numbers: tf.Tensor, stage: int) -> dict[str, float]:
        """A step's numbers by name, none of which diverges."""
        named = dict(zip(self._names[stage], numbers.numpy().tolist()))
        for name, value in named.items():
            if not math.isfinite(value) or abs(value) > DIVERGED:
                raise DivergenceError(
                    f"{name} is {value:g} after step {self._step}."
                )
        return named

    def _return_to_checkpoint(self, error: DivergenceError) -> None:
        """Returns to the last checkpoint with other noise, or gives up."""
        good = self._restore()
        if self.retries == self.settings.nan_retries:
            raise DivergenceError(
                f"{error} The run has diverged and was stopped. The last good "
                f"checkpoint is that of step {good}; resume from it with "
                "`nan_retries`, or train anew with a lower `learning_rate`."
            ) from error
        self.retries += 1
        # The checkpoint brought its own seed back: each retry adds another.
        self.model.noise_seed.assign_add(1_000_003 * self.retries)
        logging.warning(
            "%s Returning to step %d with other noise; %d retries left.",
            error,
            good,
            self.settings.nan_retries - self.retries,
        )
        for callback in self._callbacks.callbacks:
            if hasattr(callback, "rewind"):
                callback.rewind(self._step)

    def _save(self) -> None:
        """Writes a checkpoint, on the chief."""
        if self.distribution.is_chief:
            self.checkpoints.save()

    def _restore(self) -> int:
        """Reads the newest checkpoint on the chief, for all; its step."""
        if self.distribution.is_chief:
            self.checkpoints.restore()
        self.distribution.from_chief(self.checkpoints.variables)
        return self._step

    def _means(self) -> dict[str, float]:
        """Means of the numbers that there were since the last time."""
        means = {
            metric.name: float(metric.result())
            for metric in self.model.metrics
            if float(tf.convert_to_tensor(metric.count))
        }
        self.model.reset_metrics()
        return means

    def _is_over(self) -> bool:
        stop = bool(self.signals.received or self.model.stop_training)
        return self._step >= self.train_steps or self.distribution.any(stop)

    def _is_due(self, every: int) -> bool:
        return self._step % every == 0 or self._step == self.train_steps


def check_intervals(settings: RunSettings, **others: int | None) -> None:
    """Refuses intervals that executions of several steps would pass over.

    Args:
        settings: They hold intervals too.
        **others: Further intervals by name; `None` for what never happens.
    """
    count = settings.steps_per_execution
    names = ("log_every", "checkpoint_every")
    own = {name: getattr(settings, name) for name in names}
    for name, every in (own | others).items():
        if every is not None and every % count:
            raise ValueError(
                f"`{name}` must be a multiple of `steps_per_execution`. "
                f"Received: {name}={every}, steps_per_execution={count}."
            )
