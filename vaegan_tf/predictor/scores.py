"""How often is a predictor right? Scores per attribute, beside a guess."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vaegan_tf.predictor.model import AttributePredictor
from vaegan_tf.tables import aligned

COLUMNS = {
    "base_rate": "base rate",
    "accuracy": "accuracy",
    "guess_accuracy": "guess",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "guess_f1": "guess",
}


def score_predictor(
    model: AttributePredictor, batches: tf.data.Dataset
) -> dict[str, Any]:
    """Scores of a predictor on a finite data set of examples.

    Returns:
        `num_images`; `attributes`, from `attribute_scores`; `mean`, their
        means; and `classes`, from `class_scores`.
    """
    pairs = [
        (batch["attributes"].numpy(), model.analyze_batch(batch["image"]))
        for batch in batches
    ]
    attributes = np.concatenate([truth for truth, _ in pairs])
    logits = np.concatenate([answer["logits"] for _, answer in pairs])
    names = model.attribute_names
    scores = attribute_scores(attributes > 0.5, logits > 0, names)
    return {
        "num_images": len(attributes),
        "attributes": scores,
        "mean": mean_scores(scores),
        "classes": class_scores(attributes, logits),
    }


def attribute_scores(
    present: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Scores of every attribute.

    `present` says which attributes images show, `predicted` which they are
    predicted to show: (n, number of names).

    Returns:
        For each attribute its `name` and, as shares from 0 to 1, `base_rate`,
        `accuracy`, `precision`, `recall` and `f1`; `guess_accuracy`, that of
        always giving the commoner answer, and `guess_f1`, that of always
        saying yes. A share of nothing is `None`.

    Raises:
        ValueError: If the shapes do not belong together, or there is no image.
    """
    present, predicted = np.asarray(present, bool), np.asarray(predicted, bool)
    if (
        present.shape != predicted.shape
        or present.shape[1:] != (len(names),)
        or not len(present)
    ):
        raise ValueError(
            "`present` and `predicted` must have shape (n, number of names), "
            f"n at least 1. Received: {present.shape}, {predicted.shape} and "
            f"{len(names)} names."
        )
    return [
        {"name": name, **_scores(truth, answer)}
        for name, truth, answer in zip(names, present.T, predicted.T)
    ]


def mean_scores(scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means of `attribute_scores`; what is `None` does not count."""
    means = {}
    for key in COLUMNS:
        values = [score[key] for score in scores if score[key] is not None]
        means[key] = float(np.mean(values)) if values else None
    return means


def class_scores(
    attributes: np.ndarray, logits: np.ndarray
) -> dict[str, float] | None:
    """Scores of a choice among classes, where attributes are such.

    Attributes, 0 or 1, and logits are (n, attributes).

    Returns:
        `accuracy`, the share of images whose own class has the highest logit,
        and `guess_accuracy`, the share of the commonest class; `None` unless
        every image has exactly one of several attributes.
    """
    attributes = np.asarray(attributes, bool)
    if attributes.shape[1] < 2 or (attributes.sum(axis=1) != 1).any():
        return None
    right = attributes.argmax(axis=1) == np.asarray(logits).argmax(axis=1)
    return {
        "accuracy": float(right.mean()),
        "guess_accuracy": float(attributes.mean(axis=0).max()),
    }


def score_table(
    scores: Sequence[Mapping[str, Any]],
    classes: Mapping[str, float] | None = None,
) -> str:
    """`attribute_scores` and `class_scores` as lines of text, in per cent."""
    rows = [["attribute", *COLUMNS.values()]]
    for score in [*scores, {"name": "mean", **mean_scores(scores)}]:
        rows.append([score["name"], *[percentage(score[k]) for k in COLUMNS]])
    lines = aligned(rows)
    if classes:
        lines.append(
            f"the one right class: {percentage(classes['accuracy'])}, "
            f"the commonest: {percentage(classes['guess_accuracy'])}"
        )
    return "\n".join(lines)


def percentage(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash for `None`."""
    return "–" if share is None else f"{100 * share:.1f}"


def _scores(truth: np.ndarray, answer: np.ndarray) -> dict[str, float | None]:
    rate = float(truth.mean())
    hits = int((truth & answer).sum())
    said, shown = int(answer.sum()), int(truth.sum())
    return {
        "base_rate": rate,
        "accuracy": float((truth == answer).mean()),
        "guess_accuracy": max(rate, 1 - rate),
        "precision": _share(hits, said),
        "recall": _share(hits, shown),
        "f1": _share(2 * hits, said + shown),
        "guess_f1": _share(2 * shown, len(truth) + shown) if shown else None,
    }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
