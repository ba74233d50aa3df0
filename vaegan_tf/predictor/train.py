"""Trains a predictor and scores it on held-out images."""

import json

import numpy as np
import tensorflow as tf
from absl import logging

from vaegan_tf import images as pictures
from vaegan_tf.networks.blocks import check_image
from vaegan_tf.predictor.chart import score_chart
from vaegan_tf.predictor.create import KIND, create_predictor, restored
from vaegan_tf.predictor.scores import (
    attribute_scores,
    class_scores,
    mean_scores,
    score_table,
)
from vaegan_tf.training import observers
from vaegan_tf.training.checkpoints import Checkpoints
from vaegan_tf.training.loop import Observer, Training, check_intervals
from vaegan_tf.training.optimizers import compile_model
from vaegan_tf.training.runs import Run, write_text
from vaegan_tf.training.train import (
    begin_run,
    check_continuation,
    open_writer,
    set_up,
)

HELD_OUT = 2048
BATCH_SIZE = 64
BEST_BY = "attribute_nll"


def train_predictor(
    run: Run,
    dataset,
    *,
    record,
    predictor,
    optimisation,
    intervals,
    train_steps,
    batch_size=64,
    augmentation="authors",
    precision="auto",
    seed=0,
    deterministic=False,
    backbone_weights=None,
    keep_checkpoints=3,
    nan_retries=0,
    steps_per_execution=1,
    overwrite=False,
    wandb_project=None,
):
    """Trains a predictor, or goes on, and scores the best one on `test`.

    Args:
        run: The run's folder.
        dataset: An `ImageDataset` with attributes of 0 and 1.
        record: As for `vaegan_tf.training.train.train`.
        predictor: Arguments of `create_predictor`, but for those that the
            data set gives.
        optimisation: Arguments of `compile_model`.
        intervals: Steps between two logs, checkpoints and charts:
            `log_every`, `checkpoint_every` and `sample_every`.
        train_steps: Steps in all.
        batch_size: Images in a step.
        augmentation: Variation of training images, see `ImageDataset`.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`.
        seed: Seed of weights, order of the data and dropout.
        deterministic: Whether operations must give the same bits every time.
        backbone_weights: Trained weights that the backbone starts from.
        keep_checkpoints: Newest checkpoints to keep.
        nan_retries: How often to go back after a number is not finite.
        steps_per_execution: Steps between two looks of the host.
        overwrite: Whether to delete what the folder holds.
        wandb_project: Weights & Biases project to mirror logs to.

    Returns:
        The scores, as `score_run` writes them, or `None` if the training was
        stopped before its last step.

    Raises:
        ValueError: If the data set has no attributes, or settings contradict
            each other or the run.
        DivergenceError: If the training diverges.
        CheckpointError: If a checkpoint cannot be written or read.
    """
    arguments = {"model": KIND, **predictor, **data_arguments(dataset)}
    check_intervals(steps_per_execution, intervals.items())
    check_continuation(run, [KIND], record["flags"], overwrite)
    precision = set_up(seed, deterministic, precision)
    built = _build(arguments, seed, backbone_weights)
    schedules = compile_model(built, train_steps, **optimisation)
    begin_run(
        run,
        overwrite,
        model={**arguments, "seed": seed},
        precision=precision,
        **record,
    )

    def batches(step):
        return dataset.train_batches(
            batch_size, seed=seed, start_step=step, augmentation=augmentation
        )

    checkpoints = Checkpoints(built, run.checkpoints, keep_checkpoints)
    flags = record["flags"]
    with open_writer(run, checkpoints, flags, wandb_project) as writer:
        finished = Training(
            built,
            batches,
            checkpoints,
            train_steps=train_steps,
            log_every=intervals["log_every"],
            checkpoint_every=intervals["checkpoint_every"],
            observers=_observers(
                run, built, dataset, writer, batch_size, **intervals
            ),
            learning_rates=schedules,
            nan_retries=nan_retries,
            steps_per_execution=steps_per_execution,
        ).run()
        return score_run(run, dataset, writer) if finished else None


def check_data(dataset):
    """Refuses a data set that a predictor cannot learn from.

    Raises:
        ValueError: If it has no attributes, or some that are neither present
            nor absent, or images that the networks have no form for.
    """
    check_image(dataset.image_shape[0], dataset.image_shape[2])
    if not dataset.attribute_names:
        raise ValueError(
            f"A predictor needs attributes, and {dataset.name} has none."
        )
    values = dataset.splits["train"].attributes
    numbers = ((values != 0) & (values != 1)).any(axis=0)
    if numbers.any():
        name = dataset.attribute_names[int(numbers.argmax())]
        raise ValueError(
            f"A predictor needs attributes of 0 and 1, and {name!r} of "
            f"{dataset.name} has other values. Leave it out with --attributes."
        )


def data_arguments(dataset):
    """Arguments of `create_predictor` that follow from the data set.

    Base rates are those of the training split by Laplace's rule, (k + 1) /
    (n + 2), so that none is 0 or 1.

    Raises:
        ValueError: As `check_data`.
    """
    check_data(dataset)
    attributes = dataset.splits["train"].attributes
    rates = (attributes.sum(axis=0) + 1) / (len(attributes) + 2)
    return {
        "attribute_names": list(dataset.attribute_names),
        "base_rates": [round(float(rate), 6) for rate in rates],
        "dataset": dataset.name,
        "image_size": dataset.image_shape[0],
        "num_channels": dataset.image_shape[2],
    }


def score(model, batches, analyze=None):
    """Scores of a predictor on some examples.

    Args:
        model: An `AttributePredictor`.
        batches: A finite `tf.data.Dataset` of examples with attributes.
        analyze: The model's `analyze` as a `tf.function`, if there is one.

    Returns:
        `num_images`, `attributes`, as from `attribute_scores`, `mean`, their
        means, and `classes`, as from `class_scores`.
    """
    analyze = analyze or _traced(model)
    parts = [
        (example["attributes"].numpy(), analyze(example["image"])["logits"])
        for example in batches
    ]
    attributes, logits = (np.concatenate(part) for part in zip(*parts))
    scores = attribute_scores(
        attributes > 0.5, logits > 0, model.attribute_names
    )
    return {
        "num_images": len(attributes),
        "attributes": scores,
        "mean": mean_scores(scores),
        "classes": class_scores(attributes, logits),
    }


def score_run(run, dataset, writer, split="test"):
    """Scores a run's best predictor, for all to see.

    The scores go to `scores.json` and `scores.png` in the run's folder, to the
    log, and the chart to TensorBoard.

    Args:
        run: The run's folder.
        dataset: The `ImageDataset`.
        writer: A `SummaryWriter`.
        split: Name of the split to score on.

    Returns:
        What `scores.json` holds: `dataset`, `split`, `step`, and what `score`
        returns.
    """
    model, step = restored(run)
    scores = {
        "dataset": dataset.name,
        "split": split,
        "step": step,
        **score(model, dataset.batches(split, BATCH_SIZE)),
    }
    title = f"{dataset.name}, {split}: {scores['num_images']} images"
    chart = score_chart(scores["attributes"], f"{title}, step {step}")
    logging.info(
        "%s, best predictor (step %d), in %%\n%s",
        title,
        step,
        score_table(scores["attributes"], scores["classes"]),
    )
    write_text(run.scores, json.dumps(scores, indent=2) + "\n")
    pictures.write_png(run.scores.with_suffix(".png"), chart)
    writer.images(step, {f"scores/{split}": chart})
    writer.scalars(step, _curves(split, scores["mean"]))
    writer.flush()
    return scores


class Scores(Observer):
    """Shows accuracy and F1 of every attribute on held-out images.

    Args:
        every: Steps between two looks.
        batches: The held-out examples, a finite `tf.data.Dataset`.
        writer: A `SummaryWriter`.
    """

    def __init__(self, every, batches, writer):
        super().__init__(every)
        self.batches = batches
        self.writer = writer
        self._analyze = None

    def begin(self, moment):
        """Traces the model once for all looks."""
        if self._analyze is None:
            self._analyze = _traced(moment.model)

    def look(self, moment):
        """Draws the chart, and the curves of the means."""
        scores = score(moment.model, self.batches, self._analyze)
        title = f"validation: {scores['num_images']} images"
        chart = score_chart(
            scores["attributes"], f"{title}, step {moment.step}"
        )
        self.writer.images(moment.step, {"scores/validation": chart})
        curves = _curves("validation", scores["mean"])
        self.writer.scalars(moment.step, curves)
        self.writer.flush()


def _traced(model):
    return tf.function(model.analyze, autograph=False, reduce_retracing=True)


def _curves(split, means):
    return {
        f"{split}/{key}": means[key]
        for key in ("accuracy", "precision", "recall", "f1")
        if means[key] is not None
    }


def _build(arguments, seed, backbone_weights):
    built = create_predictor(**arguments, seed=seed)
    if backbone_weights:
        built.backbone.take_weights(backbone_weights)
    logging.info("%s\n%s", built.name, observers.parameter_table(built))
    return built


def _observers(
    run,
    model,
    dataset,
    writer,
    batch_size,
    *,
    log_every,
    checkpoint_every,
    sample_every,
):
    batches = dataset.batches("validation", BATCH_SIZE)
    batches = batches.take(HELD_OUT // BATCH_SIZE).cache()
    best = Checkpoints(model, run.best, keep=1)
    return [
        observers.Progress(log_every, batch_size, run.speed, writer),
        observers.Numbers(log_every, run.metrics, writer),
        observers.Validation(
            checkpoint_every, batches, run.metrics, best, writer, BEST_BY
        ),
        Scores(sample_every, batches, writer),
    ]
