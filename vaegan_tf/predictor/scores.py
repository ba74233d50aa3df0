"""How often is a predictor right? Scores per attribute, beside a guess."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

COLUMNS = {
    "base_rate": "base rate",
    "accuracy": "accuracy",
    "guess_accuracy": "guess",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "guess_f1": "guess",
}


def attribute_scores(
    present: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Scores of every attribute.

    Args:
        present: Whether an image shows an attribute, (n, attributes).
        predicted: Whether it is said to, (n, attributes).
        names: Names of the attributes.

    Returns:
        For each attribute, with shares from 0 to 1:

        - `name`,
        - `base_rate`: share of the images that show it,
        - `accuracy`: share of right answers, and `guess_accuracy`: that of
          always giving the commoner answer,
        - `precision`: share of those said to show it that do,
        - `recall`: share of those that show it that are said to,
        - `f1`: the harmonic mean of the two, and `guess_f1`: that of always
          saying yes.

        A share of nothing is `None`.

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
    """Means over attributes; what is `None` does not count.

    Args:
        scores: As from `attribute_scores`.
    """
    means = {}
    for key in COLUMNS:
        values = [score[key] for score in scores if score[key] is not None]
        means[key] = float(np.mean(values)) if values else None
    return means


def class_scores(
    attributes: np.ndarray, logits: np.ndarray
) -> dict[str, float] | None:
    """Scores of a choice among classes, where attributes are such.

    Args:
        attributes: 1 where an image shows an attribute, (n, attributes).
        logits: Log-odds, (n, attributes).

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
    """Scores as lines of text, percentages, one line for each attribute.

    Args:
        scores: As from `attribute_scores`.
        classes: As from `class_scores`.
    """
    rows = [*scores, {"name": "mean", **mean_scores(scores)}]
    width = max(len("attribute"), *(len(row["name"]) for row in rows))
    lines = [
        "  ".join(
            ["attribute".ljust(width), *(f"{c:>9}" for c in COLUMNS.values())]
        )
    ]
    lines += [
        "  ".join(
            [
                row["name"].ljust(width),
                *(f"{percentage(row[key]):>9}" for key in COLUMNS),
            ]
        )
        for row in rows
    ]
    if classes:
        lines.append(
            f"the one right class: {percentage(classes['accuracy'])}, "
            f"the commonest: {percentage(classes['guess_accuracy'])}"
        )
    return "\n".join(lines)


def percentage(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash for `None`."""
    return "–" if share is None else f"{100 * share:.1f}"


def _scores(truth, answer):
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


def _share(part, whole):
    return part / whole if whole else None
