"""How good is a run at classes without images, beside simpler ways?"""

from collections.abc import Mapping, Sequence
from typing import Any

from vaegan_tf.anyshot.classifier import ClassifierOptions
from vaegan_tf.anyshot.dataset import FeatureDataset
from vaegan_tf.anyshot.eszsl import choose_eszsl, fit_eszsl
from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.anyshot.protocol import (
    Scores,
    generator_scores,
    harmonic_mean,
    repeated,
    score,
    softmax_on_seen,
    synthesize,
)
from vaegan_tf.anyshot.task import create_task
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import restore_networks, steps_in
from vaegan_tf.settings import AnyShotSettings

COLUMNS = ("t1", "u", "s", "h")
HEADINGS = ("T1", "u", "s", "H")


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
        by_name["softmax on copies of the shots"], _ = generator_scores(
            task,
            repeated(shots, settings.synthetic_for_novel),
            repeated(shots, settings.synthetic_beside_seen),
            options,
        )
    return {name: {"last": s.as_dict()} for name, s in by_name.items()}


def table(scores: Mapping[str, Any]) -> str:
    """Scores of `evaluate_run` as lines of text, in per cent."""
    rows = [("", *HEADINGS, *[f"{name} best on test" for name in HEADINGS])]
    for name, found in scores.items():
        cells = [
            f"{100 * found[protocol][column]:.1f}" if protocol in found else ""
            for protocol in ("last", "best_on_test")
            for column in COLUMNS
        ]
        rows.append((name, *cells))
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _model_scores(
    run: Run,
    model: FeatureModel,
    dataset: FeatureDataset,
    settings: AnyShotSettings,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Scores of the model as it is, and the best of earlier ones too."""
    options, task = classifier_options(settings, seed), dataset.task

    def scores() -> tuple[Scores, Scores]:
        def draw(per_class: int) -> Any:
            return synthesize(model.generate, task, per_class, seed)

        return generator_scores(
            task,
            draw(settings.synthetic_for_novel),
            draw(settings.synthetic_beside_seen),
            options,
        )

    last, best = scores()
    if not settings.every_checkpoint:
        return {"last": last.as_dict(), "best_on_test": best.as_dict()}
    bests = [best]
    for step in steps_in(run.checkpoints)[:-1]:
        restore_networks(model, run.checkpoints, step=step)
        bests.append(scores()[1])
    return {"last": last.as_dict(), "best_on_test": _best(bests).as_dict()}


def _best(scores: Sequence[Scores]) -> Scores:
    """Of each number the best: T1 by itself, u and s together by H."""
    pair = max(scores, key=lambda each: harmonic_mean(each.u, each.s))
    return Scores(t1=max(each.t1 for each in scores), u=pair.u, s=pair.s)


def _aligned(row, widths):
    first, *rest = [
        cell.ljust(width) if not number else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths))
    ]
    return "  ".join([first, *rest]).rstrip()
