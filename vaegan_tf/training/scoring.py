"""What is measured while a model trains: callbacks that score it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

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
from vaegan_tf.training.callbacks import Logs, RunCallback, StepCallback
from vaegan_tf.training.summaries import attribute_latents


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


def _curves(split: str, means: Mapping[str, float | None]) -> dict[str, float]:
    names = ("accuracy", "precision", "recall", "f1")
    known = {name: means[name] for name in names}
    return {f"{split}/{k}": v for k, v in known.items() if v is not None}
