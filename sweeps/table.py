"""A table of scores over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vaegan_tf.evaluation.scores import HEADINGS, KINDS

Key = tuple[str, str, str]


def table(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Scores as Markdown: a row a score, a column a variant.

    Args:
        results: For each variant the records of `evaluation.json`, one a seed.

    Returns:
        Means ± sample standard deviations, the best mean in bold, and the same
        number between halves of the real images.
    """
    found = {
        name: [_numbers(record) for record in records]
        for name, records in results.items()
    }
    keys = dict.fromkeys(
        key for records in found.values() for one in records for key in one
    )
    lines = [f"| | {' | '.join(results)} | real halves |"]
    lines.append("|---" * (len(results) + 2) + "|")
    for key in sorted(keys, key=lambda key: [*HEADINGS].index(key[0])):
        columns = [
            [record[key] for record in records if key in record]
            for records in found.values()
        ]
        floors = [
            floor
            for column in columns
            for _, floor in column
            if floor is not None
        ]
        cells = _cells([[value for value, _ in c] for c in columns], key)
        floor = f"{np.mean(floors):.3g}" if floors else ""
        lines.append(f"| {_title(key)} | {' | '.join(cells)} | {floor} |")
    return "\n".join(lines)


def _numbers(record: Mapping[str, Any]) -> dict[Key, tuple[float, float]]:
    """Value and floor of each score of a record that says what is better.

    Where weights have a running average, its scores are taken.
    """
    found: dict[Key, tuple[float, float]] = {}
    for score in record["scores"]:
        key = (score["group"], score["name"], score["sampler"] or "")
        is_average = score["weights"] == "ema"
        if KINDS[score["name"]].better and (is_average or key not in found):
            found[key] = (score["value"], score["floor"])
    return found


def _cells(columns: Sequence[Sequence[float]], key: Key) -> list[str]:
    """One row's numbers, the best in bold."""
    sign = 1 if KINDS[key[1]].better == "higher" else -1
    means = [sign * np.mean(c) if c else -np.inf for c in columns]
    best = int(np.argmax(means))
    texts = [_summary(column) for column in columns]
    texts[best] = f"**{texts[best]}**"
    return texts


def _summary(values: Sequence[float]) -> str:
    """Mean ± standard deviation, with three digits of the mean."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{np.mean(values):.3g} ± {np.std(values, ddof=1):.2g}"


def _title(key: Key) -> str:
    """What a row is called."""
    group, name, sampler = key
    kind = KINDS[name]
    arrow = "↑" if kind.better == "higher" else "↓"
    codes = f", {sampler} codes" if sampler else ""
    return f"{HEADINGS[group]}: {_inside(kind.label)}{codes} {arrow}"


def _inside(label: str) -> str:
    """A label within a line: in small letters, but for abbreviations."""
    return label if label[1].isupper() else label[0].lower() + label[1:]
