"""Scores how well images show the attributes that were asked for.

A predictor says what it sees. Of conditional models, in samples drawn for the
attributes of test images: cosine similarity and mean squared error between
both, of the best of several samples and on average, beside the test images'
own. Of other models with an encoder, in test images edited along attribute
vectors: how often the attribute appears, and what else changes. Writes
similarity.json into each run's folder, and figures of conditional models.
"""

import pathlib
from typing import TYPE_CHECKING, Any, cast

from absl import logging

from vaegan_tf import files
from vaegan_tf.cli import app
from vaegan_tf.cli.flags import command_of
from vaegan_tf.cli.options import TrainedModels
from vaegan_tf.cli.records import keep
from vaegan_tf.settings import MAX_SEED, REQUIRED, setting
from vaegan_tf.settings.choices import SPLITS, VECTORS

if TYPE_CHECKING:
    from vaegan_tf.evaluation import Extractor
    from vaegan_tf.runs import Run

ROWS = 8  # of figures


class SimilaritySettings(TrainedModels):
    """Which runs, of one data set, are scored, and by what."""

    predictor: str = setting(
        REQUIRED,
        "Run folder of an attribute predictor of the same data set and image "
        "size.",
        is_path=True,
    )
    split: str = setting(
        "test", "Part of the data set to ask for.", choices=SPLITS
    )
    num_images: int = setting(
        1000,
        "Attribute vectors to ask for, evenly spaced; images to edit, for each "
        "attribute a tenth of it.",
        low=10,
        high=1_000_000,
    )
    num_samples: int = setting(
        10, "Samples of each attribute vector.", low=1, high=1000
    )
    attributes: tuple[str, ...] | None = setting(
        None, "Attributes to edit (default: all that have vectors)."
    )
    vectors: tuple[str, ...] = setting(
        VECTORS,
        "Kinds of attribute vectors; see vaegan-attributes.",
        choices=VECTORS,
    )
    strengths: tuple[float, ...] = setting(
        (0.0, 1.0, 1.5, 2.0),
        "How often a vector is added; 0 is no edit.",
        low=-100,
        high=100,
    )
    seed: int = setting(0, "Seed of the samples' codes.", low=0, high=MAX_SEED)
    output: str | None = setting(
        None,
        "Folder for figures of faces that conditional models draw to order.",
        is_path=True,
    )


def main(settings: SimilaritySettings) -> None:
    """Loads models and predictor, scores, prints and writes."""
    from vaegan_tf.evaluation import Evaluation, create_extractor, table
    from vaegan_tf.models import require
    from vaegan_tf.pretrained import find_run
    from vaegan_tf.settings import FeatureSettings

    features = FeatureSettings(predictor=settings.predictor)
    extractor = cast("Extractor", create_extractor(features))
    places = settings.source_dir, settings.data_dir
    runs = [find_run(name, *places) for name in settings.runs]
    for run in runs:
        require(run.model_class, "sample")
        if not _is_conditional(run):
            require(run.model_class, "encode")
    if settings.output is not None:
        files.check_output(pathlib.Path(settings.output) / "orders.png")
    to_order: dict[str, Any] = {}
    for run in runs:
        model, step = run.model(settings.checkpoint)
        dataset = run.dataset()
        extractor.check(dataset)
        score = _orders if _is_conditional(run) else _edits
        scores, details = score(run, model, dataset, extractor, settings)
        record = {
            "step": step,
            "split": settings.split,
            "command": command_of("vaegan-similarity", [settings]),
            "scores": [each.as_dict() for each in scores],
            **details,
        }
        app.show(f"{run.folder}\n{table(Evaluation(scores))}\n")
        keep(run, run.similarity, record)
        app.show("\n")
        if _is_conditional(run):
            to_order[run.folder.name] = model
    if to_order and settings.output is not None:
        example = runs[0].examples(settings.split, ROWS)
        names = runs[0].read()["attribute_names"]
        folder = pathlib.Path(settings.output)
        _draw_orders(to_order, example, names, folder, settings.seed)


def _is_conditional(run: "Run") -> bool:
    return bool(getattr(run.settings.model, "conditional", False))


def _orders(run, model, dataset, extractor, settings):
    """Scores of faces to order."""
    from vaegan_tf.attributes.evaluation import score_orders

    scores = score_orders(
        model,
        dataset,
        extractor,
        split=settings.split,
        num_images=settings.num_images,
        num_samples=settings.num_samples,
        seed=settings.seed,
        progress=True,
    )
    return scores, {"num_samples": settings.num_samples}


def _edits(run, model, dataset, extractor, settings):
    """Scores of edits: means over attributes, and those of each."""
    from vaegan_tf.attributes import attribute_vectors
    from vaegan_tf.attributes.evaluation import (
        mean_over_attributes,
        score_edits,
    )

    vectors = attribute_vectors(
        run, checkpoint=settings.checkpoint, model=model
    )
    rows = score_edits(
        model,
        vectors,
        dataset,
        extractor,
        kinds=settings.vectors,
        strengths=settings.strengths,
        names=settings.attributes,
        split=settings.split,
        num_images=settings.num_images // 10,
        progress=True,
    )
    return mean_over_attributes(rows), {"edits": rows}


def _draw_orders(models, example, names, folder, seed):
    """Figures of faces to order, of the same test images and codes."""
    from vaegan_tf.attributes import orders
    from vaegan_tf.images import write_png

    attributes = example["attributes"]
    figure = orders.orders_figure(
        models, example["image"], attributes, seed=seed
    )
    write_png(folder / "orders.png", figure)
    for name, model in models.items():
        figure = orders.turned_figure(model, names, attributes, seed=seed)
        write_png(folder / f"turned-{name}.png", figure)
    logging.info("Drew figures into %s.", folder)


command = app.Command(main, __doc__, positional="runs")


if __name__ == "__main__":
    command()
