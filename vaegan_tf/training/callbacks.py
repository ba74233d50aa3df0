"""What is written down while a model trains: Keras callbacks.

They work in `fit` as in `train`. They count the model's own steps, so that a
resumed run writes at the same steps as one never stopped.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf.training.summaries import SummaryWriter

MOST_KEPT = 200  # grids of one kind, and images of one name in TensorBoard
Logs = dict[str, float] | None


@dataclasses.dataclass(eq=False, repr=False)
class RunCallback(keras.callbacks.Callback):
    """A callback that writes something of a run.

    Args:
        path: File of JSON lines that numbers go to.
        writer: TensorBoard's logs, where numbers and images go too.
    """

    _: dataclasses.KW_ONLY
    path: str | os.PathLike | None = None
    writer: SummaryWriter | None = None

    def __post_init__(self) -> None:
        """Makes it a callback."""
        super().__init__()

    @property
    def step(self) -> int:
        """Steps that the model has made."""
        return int(self.model.step.numpy())

    @property
    def last_step(self) -> int:
        """The step that `train` ends with; in `fit`, that of all epochs."""
        in_fit = (self.params.get("steps") or 0) * self.params.get("epochs", 1)
        return self.params.get("train_steps", in_fit)

    def terms_in(self, logs: Logs) -> list[str]:
        """The model's terms in some logs, in words."""
        return [
            f"{name} {logs[name]:.4g}"
            for name in self.model.term_names
            if logs and name in logs
        ]

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal has stopped `train` before its last step."""
        is_short = self.step < self.params.get("train_steps", 0)
        return is_short and not self.model.stop_training

    def on_train_begin(self, logs: Logs = None) -> None:
        """Drops what a stopped run has written of later steps."""
        self.rewind(self.step)

    def rewind(self, step: int) -> None:
        """Drops what was written of steps after `step`."""

    def write_scalars(
        self,
        values: Mapping[str, float],
        curves: Mapping[str, float] | None = None,
    ) -> None:
        """Writes numbers of this step, to TensorBoard as `curves` if given."""
        if self.path:
            line = json.dumps({"step": self.step, **values}) + "\n"
            files.append_text(self.path, line)
        if self.writer:
            self.writer.scalars(self.step, values if curves is None else curves)

    def write_images(self, values: Mapping[str, np.ndarray]) -> None:
        """Writes image grids of this step for TensorBoard."""
        if self.writer:
            self.writer.images(self.step, values)


@dataclasses.dataclass(eq=False, repr=False)
class StepCallback(RunCallback):
    """Acts every `every` steps, and at the last step of `train` or `fit`."""

    every: int
    _last: int | None = dataclasses.field(default=None, init=False)

    @property
    def stride(self) -> int:
        """Steps between two of what is kept: twice as many when too many."""
        stride = self.every
        while self.step // stride > MOST_KEPT:
            stride *= 2
        return stride

    @property
    def is_kept(self) -> bool:
        """Whether large output of this step goes to TensorBoard."""
        is_last = self.step == self.params.get("train_steps")
        is_last |= self.step % self.every != 0  # Of `fit`.
        return is_last or self.step % self.stride == 0

    def act(self) -> None:
        """Writes what is due at this step."""
        raise NotImplementedError

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Acts if it is time."""
        step = self.step
        if step % self.every == 0 or step == self.params.get("train_steps"):
            self._last = step
            self.act()

    def on_train_end(self, logs: Logs = None) -> None:
        """Acts in `fit`, whose last step is not known before."""
        if "train_steps" not in self.params and self._last != self.step:
            self.act()


@dataclasses.dataclass(eq=False, repr=False)
class Progress(RunCallback):
    """Logs how far the run is, how fast, and how long it still takes.

    Times have a file of their own: they differ between two runs whose numbers
    are the same.
    """

    batch_size: int

    def rewind(self, step: int) -> None:
        """Starts the clock, drops times of steps that are made again."""
        drop_later(self.path, step)
        self._clock, self._first = time.monotonic(), step

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Logs the line, and writes down the speed."""
        now, step = time.monotonic(), self.step
        last, seconds = self.last_step, now - self._clock
        steps_per_second = (step - self._first) / max(seconds, 1e-9)
        speed = steps_per_second * self.batch_size
        self._clock, self._first = now, step
        self.write_scalars(
            {"seconds": seconds, "images_per_second": speed},
            {"speed/images_per_second": speed},
        )
        logging.info(
            "step %d of %d, %.1f images/s, %s left: %s",
            step,
            last,
            speed,
            duration((last - step) / max(steps_per_second, 1e-9)),
            ", ".join(self.terms_in(logs)),
        )


@dataclasses.dataclass(eq=False, repr=False)
class MetricsLog(RunCallback):
    """Writes the means of every epoch, and the learning rates."""

    def rewind(self, step: int) -> None:
        """Drops records of steps that are made again."""
        if self.writer:
            self.writer.rewind(step)
        drop_later(self.path, step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Records the means and the rates."""
        logs = logs or {}
        means = {
            metric.name: float(logs[metric.name])
            for metric in self.model.metrics
            if metric.name in logs
        }
        rates = {
            f"learning_rate/{name}": float(
                keras.ops.convert_to_numpy(optimizer.learning_rate)
            )
            for name, optimizer in self.model.optimizers.items()
        }
        self.write_scalars(means | rates, _tagged(means) | rates)


def drop_later(path: str | os.PathLike | None, step: int) -> None:
    """Drops the JSON lines of later steps, and those that are damaged."""
    if path is None or not os.path.exists(path):
        return
    kept = [
        line
        for line, values in json_lines(path)
        if isinstance(made := values.get("step"), int) and 0 <= made <= step
    ]
    files.write_bytes(path, b"".join(kept))


def json_lines(path: str | os.PathLike) -> list[tuple[bytes, dict[str, Any]]]:
    """Lines of a file and their JSON objects, but for damaged ones."""
    found = []
    for line in pathlib.Path(path).read_bytes().splitlines(keepends=True):
        with contextlib.suppress(ValueError, RecursionError):
            values = json.loads(line)
            if isinstance(values, dict) and line.endswith(b"\n"):
                found.append((line, values))
    return found


def duration(seconds: float) -> str:
    """A duration as a person says it: 45 s, 12 min, 3 h 20 min."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _tagged(means: Mapping[str, float]) -> dict[str, float]:
    """TensorBoard tags: terms, losses, gradient norms and gates in groups."""
    groups = {"loss": "loss", "norm": "gradient_norm", "updated": "updated"}
    tagged = {}
    for name, value in means.items():
        group = groups.get(name.rsplit("_", 1)[-1], "term")
        tagged[f"{group}/{name.removesuffix(f'_{group}')}"] = value
    return tagged
