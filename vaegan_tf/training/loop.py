"""The training loop: steps, watched by observers, until the last one."""

import dataclasses
import math
import signal

import tensorflow as tf
from absl import logging

from vaegan_tf.training.checkpoints import Checkpoints
from vaegan_tf.training.distribution import Distribution

RUNAWAY = 1e8


class DivergenceError(FloatingPointError):
    """A number of the training is not finite, or has run away."""


@dataclasses.dataclass
class Moment:
    """Where a training stands, for its observers.

    Attributes:
        model: The model.
        step: How many steps have been made.
        last_step: How many there will be.
        means: Means of every number since the last log; empty before it.
    """

    model: object
    step: int
    last_step: int
    means: dict


class Observer:
    """Looks at a training every so many steps; this one sees nothing.

    Args:
        every: Steps between two looks; the last step is always looked at.
    """

    def __init__(self, every):
        self.every = every

    def begin(self, moment):
        """Called once before the first step, and after going back."""

    def look(self, moment):
        """Called at every multiple of `every`, and at the last step."""

    def end(self, moment):
        """Called once after the last step."""

    def is_due(self, moment):
        """Whether the training stands where this observer looks."""
        return moment.step % self.every == 0 or (
            moment.step == moment.last_step
        )


class Training:
    """A training that can be watched, stopped and resumed.

    Batches and noise are functions of the step alone and checkpoints hold
    every variable, so a training that went on from a checkpoint computes what
    one never stopped would have.

    Args:
        model: A compiled `ObjectiveModel`.
        batches: Function from a step to the batches of that step and all
            later ones: a `tf.data.Dataset`, or what `Distribution.batches`
            makes of it.
        checkpoints: The run's `Checkpoints`.
        train_steps: Steps in all, those before a resume included.
        log_every: Steps over which numbers are averaged.
        checkpoint_every: Steps between checkpoints.
        observers: `Observer`s, looked after in their order.
        learning_rates: Schedules by network, functions of the step; networks
            without one keep their rate.
        nan_retries: How often to go back to the last checkpoint with other
            noise when a number is not finite or runs away.
        distribution: The `Distribution` whose replicas make the steps; one by
            default. Only its chief has observers.
        steps_per_execution: Steps that the device makes before the host looks
            again. Whatever happens every so many steps must happen at
            multiples of it.

    Raises:
        ValueError: If something happens at other steps than these.
    """

    def __init__(
        self,
        model,
        batches,
        checkpoints: Checkpoints,
        *,
        train_steps,
        log_every=100,
        checkpoint_every=1000,
        observers=(),
        learning_rates=None,
        nan_retries=0,
        distribution=None,
        steps_per_execution=1,
    ):
        self.model = model
        self.batches = batches
        self.checkpoints = checkpoints
        self.train_steps = train_steps
        self.log_every = log_every
        self.checkpoint_every = checkpoint_every
        self.observers = list(observers)
        self.learning_rates = learning_rates or {}
        self.nan_retries = nan_retries
        self.distribution = distribution or Distribution()
        self.steps_per_execution = steps_per_execution
        self.retries = 0
        self.stop_requested = False
        self._means = {}
        self._names = []
        self._step = tf.function(self._distributed_step, autograph=False)
        self._steps = tf.function(self._several_steps, autograph=False)
        named = [
            (type(observer).__name__, observer.every) for observer in observers
        ]
        named += [
            ("log_every", log_every),
            ("checkpoint_every", checkpoint_every),
        ]
        check_intervals(steps_per_execution, named)

    def run(self):
        """Trains to the last step, or until asked to stop.

        Returns:
            Whether the last step was reached.

        Raises:
            DivergenceError: If a number is not finite or runs away, and no
                retry is left.
            CheckpointError: If a checkpoint cannot be written or read.
        """
        self.checkpoints.restore()
        with _stopping_on_signals(self):
            while True:
                self._tell("begin")
                self.checkpoints.save()
                try:
                    self._run_from_here()
                    break
                except DivergenceError as error:
                    self._go_back(error)
        if self._moment().step < self.train_steps:
            return False
        self._tell("end")
        return True

    def _run_from_here(self):
        iterator = iter(self.batches(self._moment().step))
        while not self._is_over():
            self._check(self._execute(iterator))
            moment = self._moment()
            if self._is_due(self.log_every, moment.step):
                self._means = self._mean_numbers()
                moment = self._moment()
            for observer in self.observers:
                if observer.is_due(moment):
                    observer.look(moment)
            if self._is_due(self.checkpoint_every, moment.step):
                self.checkpoints.save()
        self.checkpoints.save()

    def _execute(self, iterator):
        """Makes the steps up to the next that the host looks at."""
        if self.steps_per_execution == 1:
            return self._step(iterator)
        step = self._moment().step
        ahead = self.steps_per_execution - step % self.steps_per_execution
        return self._steps(iterator, tf.minimum(ahead, self.train_steps - step))

    def _several_steps(self, iterator, count):
        """So many steps, and of each number the worst."""

        def another(done, worst):
            numbers = self._distributed_step(iterator)
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

    def _distributed_step(self, iterator):
        """One step on every replica, and its numbers, equal on all.

        They come as one vector: one transfer from a GPU, not one for each.
        """
        with self.distribution.scope():
            for name, schedule in self.learning_rates.items():
                rate = schedule(self.model.step)
                self.model.optimizers[name].learning_rate = rate
            example = next(iterator)
            numbers = self.distribution.run(self.model.optimize, example)
            self.model.log(numbers)
        self._names = list(numbers)
        return tf.stack([tf.cast(n, tf.float32) for n in numbers.values()])

    def _check(self, numbers):
        for name, value in zip(self._names, numbers.numpy().tolist()):
            if not math.isfinite(value) or abs(value) > RUNAWAY:
                raise DivergenceError(
                    f"{name} is {value:g} after step {self._moment().step}."
                )

    def _go_back(self, error):
        """Returns to the last checkpoint with other noise, or gives up."""
        good = self.checkpoints.restore()
        if self.retries == self.nan_retries:
            raise DivergenceError(
                f"{error} The training has diverged and was stopped. The last "
                f"good checkpoint is that of step {good}; go on from it with "
                "--nan_retries=N, or train anew with a lower --learning_rate."
            ) from error
        self.retries += 1
        # The checkpoint brought its own seed back: each retry adds another.
        self.model.noise_seed.assign_add(1_000_003 * self.retries)
        logging.warning(
            "%s Going back to step %d with other noise; %d retries left.",
            error,
            good,
            self.nan_retries - self.retries,
        )

    def _mean_numbers(self):
        means = {m.name: float(m.result()) for m in self.model.metrics}
        self.model.reset_metrics()
        return means

    def _moment(self):
        step = int(self.model.step.numpy())
        return Moment(self.model, step, self.train_steps, self._means)

    def _is_over(self):
        last = self._moment().step >= self.train_steps
        return last or self.distribution.any(self.stop_requested)

    def _is_due(self, every, step):
        return step % every == 0 or step == self.train_steps

    def _tell(self, event):
        for observer in self.observers:
            getattr(observer, event)(self._moment())


def check_intervals(steps_per_execution, intervals):
    """Refuses intervals that executions of several steps would pass over.

    Args:
        steps_per_execution: As in `Training`.
        intervals: Pairs of name and steps; `None` for what never happens.

    Raises:
        ValueError: If one is no multiple of `steps_per_execution`.
    """
    for name, every in intervals:
        if every is not None and every % steps_per_execution:
            raise ValueError(
                f"`{name}` must be a multiple of `steps_per_execution`. "
                f"Received: {name}={every}, "
                f"steps_per_execution={steps_per_execution}."
            )


class _stopping_on_signals:  # noqa: N801 - reads as a statement
    """Lets SIGTERM and the first Ctrl-C end a training after its step."""

    def __init__(self, training):
        self.training = training

    def __enter__(self):
        self.before = {
            number: signal.signal(number, self._stop)
            for number in (signal.SIGTERM, signal.SIGINT)
        }

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _stop(self, number, frame):
        self.training.stop_requested = True
        signal.signal(number, self.before[number])
        logging.info(
            "%s: a checkpoint is written after this step.",
            signal.Signals(number).name,
        )
