"""A table of scores over seeds."""

from collections.abc import Collection

import numpy as np

# Numbers of a run: by what has them, it or what is beside it, and by title,
# whose arrow says which way is better.
Scores = dict[str, dict[str, float]]
# Those of many runs, by seed too.
Results = dict[str, dict[str, dict[str, float]]]
HALVES = "real halves"  # What is no competitor.


def add(results: Results, seed: str, scores: Scores) -> None:
    """Adds the scores of a run."""
    for name, found in scores.items():
        for title, value in found.items():
            results.setdefault(name, {}).setdefault(title, {})[seed] = value


def table(results: Results) -> str:
    """Scores as Markdown; of names and titles, there are more rows.

    Returns:
        Means ± sample standard deviations, or the number alone if it is the
        same in all seeds. The best mean of each score is bold.
    """
    names = sorted(results, key=HALVES.__eq__)  # These last.
    titles = dict.fromkeys(key for scores in results.values() for key in scores)
    columns = [["", *names]]
    for title in titles:
        values = {name: results[name].get(title, {}) for name in names}
        best = _best(title, values)
        cells = {name: _summary(values[name].values()) for name in names}
        if best is not None:
            cells[best] = f"**{cells[best]}**"
        columns.append([title, *cells.values()])
    lines = columns if len(titles) > len(names) else list(zip(*columns))
    head, *rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *rows])


def _best(title: str, values: dict[str, dict[str, float]]) -> str | None:
    """Who has the best mean; the arrow in the title says what is better.

    None where there is nothing to choose: all have the same.
    """
    sign = -1 if title.endswith("↓") else 1
    means = {
        name: sign * np.mean([*found.values()])
        for name, found in values.items()
        if found and name != HALVES
    }
    if len(means) > 1 and _are_same(means.values()):
        return None
    return max(means, key=means.__getitem__, default=None)


def _summary(values: Collection[float]) -> str:
    """Mean ± standard deviation, with three digits of the mean."""
    if not values:
        return "–"
    if _are_same(values):
        return f"{next(iter(values)):.3g}"
    return f"{np.mean([*values]):.3g} ± {np.std([*values], ddof=1):.2g}"


def _are_same(values: Collection[float]) -> bool:
    """Whether numbers are equal but for rounding."""
    return bool(np.ptp([*values]) <= 1e-9 * np.max(np.abs([*values])))
