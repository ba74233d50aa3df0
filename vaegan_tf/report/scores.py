"""Which run is best by which score, and is the difference real?"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from vaegan_tf.evaluation.scores import HEADINGS, MEANINGS
from vaegan_tf.report import formatting
from vaegan_tf.report.records import Record

# Two independent estimates this many standard errors apart differ by chance
# in one case of twenty.
STANDARD_ERRORS = 1.96
# Scores that agree in these are comparable.
_MADE_BY = ("sampler", "weights", "features", "resize", "edit")
_IDENTITY = ("group", "name", *_MADE_BY, "num_images", "split")
_WEIGHTS = {"ema": "averaged decoder", "raw": "last decoder"}


@dataclasses.dataclass(frozen=True)
class ScoreRow:
    """One way of measuring a score, for all runs."""

    details: str  # How it was measured, in words.
    # Its value between two halves of the real images, as text.
    floor: str | None
    # For each run the value and its standard error, and `"best"` or `"tied"`.
    cells: list[tuple[str | None, str | None]]


@dataclasses.dataclass(frozen=True)
class ScoreTable:
    """One score of all runs."""

    label: str  # Its name.
    unit: str | None
    better: str | None  # `"lower"`, `"higher"` or `None`.
    explanation: str  # What it means, a sentence or nothing.
    rows: list[ScoreRow]  # The ways in which it was measured.


@dataclasses.dataclass(frozen=True)
class ScoreGroup:
    """Scores of one aspect of the models."""

    title: str  # What is scored.
    scores: list[ScoreTable]
    # Which run is best how often, a sentence; `None` if nothing can be said.
    verdict: str | None

    @property
    def has_floor(self) -> bool:
        """Whether some score has been computed for the real images, too."""
        return any(row.floor for score in self.scores for row in score.rows)


def score_groups(records: Sequence[Record]) -> list[ScoreGroup]:
    """Tables of all scores of some runs of one data set."""
    columns = [_by_identity(record) for record in records]
    groups: dict[str, dict[str, list[tuple]]] = {name: {} for name in HEADINGS}
    for identity in dict.fromkeys(key for column in columns for key in column):
        group, name, *_ = identity
        groups.setdefault(group, {}).setdefault(name, []).append(identity)
    return [
        _group(group, names, records, columns)
        for group, names in groups.items()
        if names
    ]


def mark_best(
    values: Sequence[float | None],
    errors: Sequence[float | None],
    better: str | None,
) -> list[str | None]:
    """`"best"`, `"tied"` or `None` for each value; all `None` for one value.

    A value is tied with the best if they differ by less than 1.96 standard
    errors of their difference, both being independent estimates. Values may be
    missing and errors unknown, both `None`; `better` is `"lower"`, `"higher"`,
    or `None` if neither is.
    """
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if better not in ("lower", "higher") or len(finite) < 2:
        return [None] * len(values)
    best = min(finite) if better == "lower" else max(finite)
    best_error = errors[values.index(best)] or 0.0
    close = []
    for value, error in zip(values, errors):
        tolerance = STANDARD_ERRORS * math.hypot(error or 0.0, best_error)
        close.append(value in finite and abs(value - best) <= tolerance)
    mark = "best" if sum(close) == 1 else "tied"
    return [mark if is_close else None for is_close in close]


def verdict(records: Sequence[Record], rows: Sequence[ScoreRow]) -> str | None:
    """Which run is best how often, in words; `None` if no row tells."""
    marks = [[mark for _, mark in row.cells] for row in rows]
    marks = [row for row in marks if any(row)]
    if not marks:
        return None
    wins = [
        (record.label, column.count("best"))
        for record, column in zip(records, zip(*marks))
    ]
    wins = sorted((win for win in wins if win[1]), key=lambda win: -win[1])
    ties = len(marks) - sum(count for _, count in wins)
    parts = [f"{label} is best in {count}" for label, count in wins]
    if ties:
        parts.append(f"{ties} cannot be told apart")
    return f"of {len(marks)} compared, {', '.join(parts)}."


def _by_identity(record):
    """A run's scores by what makes them comparable."""
    scores = [
        {**score, "split": scored["split"]}
        for scored in (record.evaluation, record.similarity)
        if scored is not None
        for score in scored["scores"]
    ]
    return {tuple(score.get(n) for n in _IDENTITY): score for score in scores}


def _group(group, names, records, columns):
    scores = [_table(name, own, columns) for name, own in names.items()]
    rows = [row for score in scores for row in score.rows]
    title = HEADINGS.get(group, group.capitalize())
    return ScoreGroup(title, scores, verdict(records, rows))


def _table(name, identities, columns):
    first = next(c[i] for i in identities for c in columns if i in c)
    better = first.get("better")
    rows = [
        _row(identity, better, [column.get(identity) for column in columns])
        for identity in identities
    ]
    label = first.get("label") or name.replace("_", " ")
    explanation = MEANINGS.get(name, "")
    return ScoreTable(label, first.get("unit"), better, explanation, rows)


def _row(identity, better, scores):
    values = [_value(score) for score in scores]
    errors = [score.get("error") if score else None for score in scores]
    floors = dict.fromkeys(
        formatting.number(score["floor"])
        for score in scores
        if score and score.get("floor") is not None
    )
    texts = [
        None if value is None else formatting.with_error(value, error)
        for value, error in zip(values, errors)
    ]
    cells = list(zip(texts, mark_best(values, errors, better)))
    return ScoreRow(_details(*identity), " · ".join(floors) or None, cells)


def _value(score: dict[str, Any] | None) -> float | None:
    if score is None:
        return None
    value = score.get("value")
    return math.nan if value is None else float(value)


def _details(
    group, name, sampler, weights, features, resize, edit, num_images, split
):
    """How a score was measured, in words."""
    parts = (
        edit,
        sampler and f"{sampler} codes",
        group != "latents" and _WEIGHTS.get(weights, weights),
        features and f"{features} features",
        resize and f"resized by {resize}",
        num_images is not None and f"{num_images:,} {split or ''} images",
    )
    return ", ".join(" ".join(part.split()) for part in parts if part)
