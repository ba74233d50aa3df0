"""How good is a run at classes without images, beside simpler ways?"""

from collections.abc import Mapping
from typing import Any

from vaegan_tf.anyshot.classifier import ClassifierOptions
from vaegan_tf.anyshot.dataset import FeatureDataset
from vaegan_tf.anyshot.eszsl import choose_eszsl, fit_eszsl
from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.anyshot.protocol import (
    Scores,
    best_of,
    epoch_scores,
    repeated,
    score,
    softmax_on_seen,
    synthesize,
)
from vaegan_tf.anyshot.task import Part, create_task
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import restore_networks, steps_in
from vaegan_tf.settings import AnyShotSettings
from vaegan_tf.tables import aligned

COLUMNS = {"t1": "T1", "u": "u", "s": "s", "h": "H"}
HEADS = (
    *COLUMNS.values(),
    *[f"{name}, best on test" for name in COLUMNS.values()],
)


def evaluate_run(
    run: Run, model: FeatureModel, settings: AnyShotSettings, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Scores of a run's model and of the baselines on its task.

    Args:
        run: The run.
        model: Its model, with the weights that are scored.
        settings: How classifiers are trained, and on how many features.
        seed: Seed of synthetic features and of the classifiers' batches.

    Returns:
        By what is scored, such as `ESZSL` or `f-VAEGAN`, and by `protocol`:
        `t1`, `u`, `s` and `h` as shares. `protocol` is `last`, what comes out
        when nothing is chosen on the test examples; of generators there is
        also `best_on_test`, the best epoch of the classifier and the best of
        the run's checkpoints on these, as peers report.
    """
    dataset = run.dataset()
    found = baseline_scores(dataset, settings, seed)
    found[model.title] = _model_scores(run, model, dataset, settings, seed)
    return found


def classifier_options(
    settings: AnyShotSettings, seed: int
) -> ClassifierOptions:
    """How the classifiers of a protocol are trained."""
    return ClassifierOptions(
        epochs=settings.epochs,
        batch_size=settings.classifier_batch_size,
        learning_rate=settings.classifier_rate,
        weight_decay=settings.classifier_decay,
        seed=seed,
    )


def baseline_scores(
    dataset: FeatureDataset, settings: AnyShotSettings, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Scores of what needs no generator, as `evaluate_run` returns them.

    With shots, copies of these in the place of drawn features are one of them.
    """
    options, task = classifier_options(settings, seed), dataset.task
    weights = choose_eszsl(create_task(dataset.table, "validation"))
    by_name = {
        "softmax on labelled examples": softmax_on_seen(task, options),
        "ESZSL": score(task, fit_eszsl(task, *weights).predict),
    }
    shots = task.train.of_classes(task.novel)
    if len(shots):
        by_name["softmax on copies of the shots"] = epoch_scores(
            task,
            repeated(shots, settings.synthetic_for_novel),
            repeated(shots, settings.synthetic_beside_seen),
            options,
        )[-1]
    return {name: {"last": s.as_dict()} for name, s in by_name.items()}


def cells_of(found: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """Scores by protocol as text, by `HEADS`, in per cent; "" for none."""
    return tuple(
        f"{100 * found[protocol][column]:.1f}" if protocol in found else ""
        for protocol in ("last", "best_on_test")
        for column in COLUMNS
    )


def table(scores: Mapping[str, Any]) -> str:
    """Scores of `evaluate_run` as lines of text, in per cent."""
    rows = [("", *HEADS), *[(n, *cells_of(f)) for n, f in scores.items()]]
    return "\n".join(aligned(rows))


def _model_scores(
    run: Run,
    model: FeatureModel,
    dataset: FeatureDataset,
    settings: AnyShotSettings,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Scores of the model as it is, and the best of earlier ones too."""
    options, task = classifier_options(settings, seed), dataset.task

    def scores() -> list[Scores]:
        def draw(per_class: int) -> Part:
            return synthesize(model.generate, task, per_class, seed)

        return epoch_scores(
            task,
            draw(settings.synthetic_for_novel),
            draw(settings.synthetic_beside_seen),
            options,
        )

    found = scores()
    last = found[-1]
    if settings.every_checkpoint:
        for step in steps_in(run.checkpoints)[:-1]:
            restore_networks(model, run.checkpoints, step=step)
            found += scores()
    return {"last": last.as_dict(), "best_on_test": best_of(found).as_dict()}
