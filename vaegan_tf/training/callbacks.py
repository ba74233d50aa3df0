"""What is shown and scored while a model trains: Keras callbacks.

They work in `fit` as in `train`. They count the model's own steps, so that a
resumed run draws and scores at the same steps as one never stopped.
"""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from vaegan_tf import files
from vaegan_tf import images as pictures
from vaegan_tf.data import ImageDataset
from vaegan_tf.evaluation import Evaluator
from vaegan_tf.predictor.chart import score_chart
from vaegan_tf.predictor.scores import score_predictor, score_table
from vaegan_tf.runs import Checkpoints, Run
from vaegan_tf.runs.checkpoints import score_in
from vaegan_tf.training.summaries import SummaryWriter, attribute_latents

SAMPLE_SEED = 2016
MOST_FRAMES = 100
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
        in_fit = (self.params.get("steps") or 0) * self.params.get("epochs", 1)
        last = self.params.get("train_steps", in_fit)
        seconds = now - self._clock
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
            ", ".join(
                f"{name} {logs[name]:.4g}"
                for name in self.model.term_names
                if logs and name in logs
            ),
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


@dataclasses.dataclass(eq=False, repr=False)
class ImageGrid(StepCallback):
    """Draws grids of one example (images, attributes): `<name>-<step>.png`."""

    name: ClassVar[str]
    folder: str | os.PathLike
    example: Mapping[str, np.ndarray]

    def grid(self) -> np.ndarray:
        """The grid, uint8 (height, width, 3)."""
        raise NotImplementedError

    def rewind(self, step: int) -> None:
        """Deletes grids of steps that are made again; draws the first one."""
        folder = pathlib.Path(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".*.*.*.*"):  # Cut short by a kill.
            path.unlink()
        for path in self.paths():
            if _step_of_grid(path) > step:
                path.unlink()
        if step == 0:
            self.act()

    def act(self) -> None:
        """Draws and writes the grid."""
        grid = self.grid()
        name = f"{self.name}-{self.step:08d}.png"
        pictures.write_png(pathlib.Path(self.folder) / name, grid)
        if self.is_kept:
            self.write_images({self.name: grid})
        if self.stride > self.every:
            self._thin_out()

    def _thin_out(self) -> None:
        """Deletes grids between those that are kept, but for the newest."""
        for path in self.paths():
            step = _step_of_grid(path)
            if step % self.stride and step != self.step:
                path.unlink()

    def paths(self) -> list[pathlib.Path]:
        """The grids there are, by step."""
        pattern = f"{self.name}-{'[0-9]' * 8}.png"
        return sorted(pathlib.Path(self.folder).glob(pattern))


@dataclasses.dataclass(eq=False, repr=False)
class SampleGrid(ImageGrid):
    """Decodes the same codes every time; at the end makes `samples.gif`."""

    name = "samples"

    def grid(self) -> np.ndarray:
        """Samples of the same seed."""
        attributes = self.example.get("attributes")
        count = len(self.example["image"])
        samples = self.model.sample(count, SAMPLE_SEED, attributes)
        return pictures.grid(samples.numpy())

    def on_train_end(self, logs: Logs = None) -> None:
        """Puts the grids together into an animation."""
        super().on_train_end(logs)
        if self.is_interrupted:
            return
        paths = self.paths()
        chosen = np.linspace(0, len(paths) - 1, min(len(paths), MOST_FRAMES))
        read = (_frame(paths[round(index)]) for index in chosen)
        if frames := [frame for frame in read if frame is not None]:
            path = pathlib.Path(self.folder) / "samples.gif"
            pictures.write_gif(path, frames)


@dataclasses.dataclass(eq=False, repr=False)
class ReconstructionGrid(ImageGrid):
    """Reconstructs the same images every time."""

    name = "reconstructions"

    def grid(self) -> np.ndarray:
        """Images above their reconstructions."""
        images = self.model.reconstruct(**self.example).numpy()
        return pictures.pairs_grid([self.example["image"], images])


@dataclasses.dataclass(eq=False, repr=False)
class Drawings(ImageGrid):
    """Samples of a model of one example: clips a row each, frame by frame.

    Also at the end of each of the model's scales. At the end of the run clips
    move in `samples.gif`.
    """

    name = "samples"
    count: ClassVar[int] = 4

    def grid(self) -> np.ndarray:
        """Samples of the same seeds, at the newest scale."""
        return pictures.strips(self.drawn())

    def drawn(self) -> np.ndarray:
        """Samples, (count, *sizes, channels)."""
        return self.model.draw(self.count, SAMPLE_SEED).numpy()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Acts if it is time, or a scale is done."""
        if self.step % self.every and self.model.stages.ends_with(self.step):
            self.act()
        super().on_train_batch_end(batch, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Lets clips move."""
        super().on_train_end(logs)
        drawn = self.drawn()
        if drawn.ndim == 5 and not self.is_interrupted:
            path = pathlib.Path(self.folder) / f"{self.name}.gif"
            frames, time = pictures.moving(drawn), pictures.CLIP_MILLISECONDS
            pictures.write_gif(path, frames, time, time)


@dataclasses.dataclass(eq=False, repr=False)
class OwnReconstruction(Drawings):
    """The one example, above its reconstruction at the newest scale."""

    name = "reconstructions"

    def drawn(self) -> np.ndarray:
        """Both, the example at that scale."""
        image = self.example["image"]
        own = self.model.pyramid.at(image, self.model.newest_scale)
        return np.concatenate([own, self.model.reconstruct(image)])


class BestCheckpoint:
    """Keeps the checkpoint of the lowest value of a score.

    Args:
        checkpoints: Those of the best model; they keep one.
        criterion: Name of the score, of which less is better.
        **conditions: What it is measured with. Values of another criterion or
            under other conditions are not compared.
    """

    def __init__(
        self, checkpoints: Checkpoints, criterion: str, **conditions: Any
    ):
        self.checkpoints = checkpoints
        self.criterion = criterion
        self.conditions = conditions
        self.lowest = float("inf")

    def read(self) -> None:
        """Reads the lowest value so far."""
        score = score_in(self.checkpoints.folder) or {}
        alike = all(score.get(k) == v for k, v in self.conditions.items())
        value = score.get(self.criterion) if alike else None
        self.lowest = value if isinstance(value, float) else float("inf")

    def update(self, step: int, value: float) -> None:
        """Keeps the model as it is if its value is the lowest."""
        if not value < self.lowest:
            return
        score = {"step": step, self.criterion: value, **self.conditions}
        self.checkpoints.save(score)
        self.lowest = value


@dataclasses.dataclass(eq=False, repr=False)
class ScoreCallback(StepCallback):
    """Scores a model, and keeps the best checkpoint.

    Scores join the logs of the epoch in which they are measured, for the
    callbacks behind this one, such as
    `keras.callbacks.EarlyStopping("validation/pixel_error", mode="min")`.
    """

    best: BestCheckpoint | None = dataclasses.field(default=None, kw_only=True)
    _new: dict[str, float] = dataclasses.field(default_factory=dict, init=False)

    def rewind(self, step: int) -> None:
        """Reads the best score so far."""
        self._new = {}
        if self.best:
            self.best.read()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the epoch's scores to the logs."""
        if logs is not None:
            logs.update(self._new)
        self._new = {}

    def write_scores(
        self, scores: dict[str, float], criterion: float | None = None
    ) -> None:
        """Writes this step's scores; keeps the checkpoint of the best one."""
        self._new = scores
        if scores:
            self.write_scalars(scores)
        if self.best and criterion is not None:
            self.best.update(self.step, criterion)


@dataclasses.dataclass(eq=False, repr=False)
class Validation(ScoreCallback):
    """Scores the model by its terms on batches of held-out examples."""

    batches: tf.data.Dataset
    _terms: Any = dataclasses.field(default=None, init=False)

    def act(self) -> None:
        """Computes and writes the means of all terms."""
        if self._terms is None:
            self._terms = tf.function(
                self.model.validation_terms,
                autograph=False,
                reduce_retracing=True,
            )
        terms = [self._terms(example) for example in self.batches]
        means = {
            name: float(np.mean(np.concatenate([t[name] for t in terms])))
            for name in terms[0]
        }
        criterion = means.get(self.best.criterion) if self.best else None
        scores = {f"validation/{name}": mean for name, mean in means.items()}
        self.write_scores(scores, criterion)


@dataclasses.dataclass(eq=False, repr=False)
class Evaluate(ScoreCallback):
    """Scores the model as `vaegan-evaluate` does.

    The best checkpoint is that of the lowest Fréchet distance of samples, by
    the averaged decoder if there is one.
    """

    evaluator: Evaluator
    _has_logged: bool = dataclasses.field(default=False, init=False)

    def act(self) -> None:
        """Evaluates the model."""
        evaluation = self.evaluator.evaluate(self.model)
        if not self._has_logged:
            for line in evaluation.remarks:
                logging.info("%s", line)
        self._has_logged = True
        scores = {f"evaluation/{s.tag}": s.value for s in evaluation.scores}
        distance = evaluation.find("samples", "frechet_distance")
        if self.best and distance:
            logging.info("Fréchet distance of samples: %.4g", distance.value)
        self.write_scores(scores, distance.value if distance else None)


@dataclasses.dataclass(eq=False, repr=False)
class LatentCodes(StepCallback):
    """Shows where held-out images lie in latent space, in TensorBoard."""

    example: Mapping[str, np.ndarray]
    attribute_names: Sequence[str]

    def act(self) -> None:
        """Writes histograms of codes by attribute, and projector's files."""
        if self.writer is None or not self.is_kept:
            return
        image, names = self.example["image"], self.attribute_names
        attributes = self.example.get("attributes")
        codes = self.model.encode(image, attributes)["mean"].numpy()
        if attributes is None:
            attributes = np.zeros((len(codes), 0))
        latents = attribute_latents(codes, attributes, names)
        self.writer.histograms(self.step, {"latents/all": codes, **latents})
        present = dict(zip(names, np.transpose(attributes > 0)))
        self.writer.projector(codes, image, present)


@dataclasses.dataclass(eq=False, repr=False)
class PredictorChart(StepCallback):
    """Shows how often a predictor is right on batches of held-out examples."""

    batches: tf.data.Dataset

    def act(self) -> None:
        """Draws the chart, and writes the means of all scores."""
        scores = score_predictor(self.model, self.batches)
        title = f"validation: {scores['num_images']} images, step {self.step}"
        if self.is_kept:
            chart = score_chart(scores["attributes"], title)
            self.write_images({"scores/validation": chart})
        self.write_scalars(_curves("validation", scores["mean"]))


@dataclasses.dataclass(eq=False, repr=False)
class PredictorScores(RunCallback):
    """Scores a run's best predictor on the test split, at the end.

    They go to `scores.json` and `scores.png` in its folder, to the log and to
    TensorBoard.
    """

    run: Run
    dataset: ImageDataset

    def on_train_end(self, logs: Logs = None) -> None:
        """Scores, unless a signal has stopped the run."""
        if self.is_interrupted:
            return
        model, step = self.run.model("best")
        name = self.dataset.name
        scores = {
            "dataset": name,
            "split": "test",
            "step": step,
            **score_predictor(model, self.dataset.batches("test", 64)),
        }
        title = f"{name}, test: {scores['num_images']} images, step {step}"
        table = score_table(scores["attributes"], scores["classes"])
        logging.info("Scores of the best predictor, %%, %s\n%s", title, table)
        chart = score_chart(scores["attributes"], title)
        files.write_json(self.run.scores, scores)
        pictures.write_png(self.run.scores.with_suffix(".png"), chart)
        self.write_images({"scores/test": chart})
        self.write_scalars(_curves("test", scores["mean"]))


def _step_of_grid(path: pathlib.Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _frame(path: pathlib.Path) -> np.ndarray | None:
    """A grid that was drawn; `None` if its file is damaged."""
    try:
        return pictures.read_png(path)
    except ValueError as error:
        logging.warning("Left out of the animation: %s", error)
        return None


def drop_later(path: str | os.PathLike | None, step: int) -> None:
    """Drops the JSON lines of later steps, and those that are damaged."""
    if path is None or not os.path.exists(path):
        return
    lines = pathlib.Path(path).read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if 0 <= _step_of(line) <= step]
    files.write_bytes(path, b"".join(kept))


def _step_of(line: bytes) -> int:
    """The step of a JSON line; −1 if the line is cut short or damaged."""
    try:
        step = json.loads(line)["step"] if line.endswith(b"\n") else -1
    except (ValueError, LookupError, TypeError):
        return -1
    return step if isinstance(step, int) else -1


def duration(seconds: float) -> str:
    """A duration as a person says it: 45 s, 12 min, 3 h 20 min."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _curves(split: str, means: Mapping[str, float | None]) -> dict[str, float]:
    names = ("accuracy", "precision", "recall", "f1")
    known = {name: means[name] for name in names}
    return {f"{split}/{k}": v for k, v in known.items() if v is not None}


def _tagged(means: Mapping[str, float]) -> dict[str, float]:
    """TensorBoard tags: terms, losses, gradient norms and gates in groups."""
    groups = {"loss": "loss", "norm": "gradient_norm", "updated": "updated"}
    tagged = {}
    for name, value in means.items():
        group = groups.get(name.rsplit("_", 1)[-1], "term")
        tagged[f"{group}/{name.removesuffix(f'_{group}')}"] = value
    return tagged
