"""Which callbacks watch a run?"""

from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf.data import ImageDataset
from vaegan_tf.evaluation import Evaluator, create_extractor
from vaegan_tf.models import ObjectiveModel
from vaegan_tf.runs import Checkpoints, Run
from vaegan_tf.sampling import PriorSampler
from vaegan_tf.settings import Experiment, GenerativeSettings
from vaegan_tf.training.callbacks import MetricsLog, Progress
from vaegan_tf.training.grids import (
    Drawings,
    OwnReconstruction,
    ReconstructionGrid,
    SampleGrid,
)
from vaegan_tf.training.scoring import (
    BestCheckpoint,
    Evaluate,
    LatentCodes,
    PredictorChart,
    PredictorScores,
    Validation,
)
from vaegan_tf.training.summaries import SummaryWriter

BATCH_SIZE = 64


def standard_callbacks(
    run: Run,
    model: ObjectiveModel,
    dataset: ImageDataset,
    settings: Experiment,
    writer: SummaryWriter,
) -> list[keras.callbacks.Callback]:
    """What watches every run, by its model's abilities."""
    every = settings.run.sample_every
    watching: list[keras.callbacks.Callback] = [
        Progress(
            settings.optimisation.batch_size, path=run.speed, writer=writer
        ),
        MetricsLog(path=run.metrics, writer=writer),
    ]
    if model.can("draw"):
        first = dataset.batches("train", 1).get_single_element()
        drawings = (Drawings, OwnReconstruction)
        grids = [d(every, run.samples, first, writer=writer) for d in drawings]
        return watching + grids
    batches = dataset.batches("validation", BATCH_SIZE)
    batches = batches.take(model.num_validation // BATCH_SIZE).cache()
    parts = list(batches.as_numpy_iterator())
    example = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    for ability, grid, count in (
        ("sample", SampleGrid, 64),
        ("reconstruct", ReconstructionGrid, 32),
    ):
        if model.can(ability):
            first = {key: values[:count] for key, values in example.items()}
            watching.append(grid(every, run.samples, first, writer=writer))
    watching += _score_callbacks(run, model, dataset, settings, batches, writer)
    if model.can("encode"):
        names = dataset.attribute_names
        watching.append(
            LatentCodes(
                settings.run.checkpoint_every, example, names, writer=writer
            )
        )
    if model.can("analyze"):
        watching += [
            PredictorChart(every, batches, writer=writer),
            PredictorScores(run, dataset, writer=writer),
        ]
    return watching


def _score_callbacks(
    run: Run,
    model: ObjectiveModel,
    dataset: ImageDataset,
    settings: Experiment,
    batches: tf.data.Dataset,
    writer: SummaryWriter,
) -> list[keras.callbacks.Callback]:
    """What scores a run, the one that keeps its best checkpoint included."""
    best = Checkpoints(model, run.best, keep=1)
    outputs: dict[str, Any] = {"path": run.metrics, "writer": writer}
    validation = Validation(
        settings.run.checkpoint_every,
        batches,
        best=BestCheckpoint(best, model.best_by),
        **outputs,
    )
    every = settings.evaluation.eval_every
    if every is None:
        return [validation]
    extractor = create_extractor(settings.evaluation)
    held_out = len(dataset.splits["validation"])
    evaluator = Evaluator(
        dataset,
        [PriorSampler(cast(GenerativeSettings, settings.model).latent_dim)],
        split="validation",
        num_images=min(settings.evaluation.eval_images, held_out),
        extractor=extractor,
        progress=False,
    )
    evaluate = Evaluate(every, evaluator, **outputs)
    if extractor is not None and evaluator.compares_features:
        validation.best = None
        evaluate.best = BestCheckpoint(
            best,
            "frechet_distance",
            features=extractor.key,
            num_images=evaluator.num_images,
        )
    return [validation, evaluate]
