"""Which run is best by which score, and is the difference real?"""

import dataclasses
import math

from vaegan_tf.report import words

# Two independent estimates this many standard errors apart differ by chance
# in one case of twenty.
STANDARD_ERRORS = 1.96
_IDENTITY = (
    "group",
    "name",
    "sampler",
    "weights",
    "features",
    "resize",
    "num_images",
)
_GROUPS = {
    "samples": "Samples",
    "reconstructions": "Reconstructions",
    "latents": "Latent codes",
}
_EXPLANATIONS = {
    "frechet_distance": "Distance between the models' and the real images as "
    "two clouds of features: of their means and covariances.",
    "kernel_distance": "Distance between the same clouds by a kernel; unlike "
    "Fréchet's it does not depend on the number of images.",
    "precision": "Share of samples that lie among the real images: fidelity.",
    "recall": "Share of real images that lie among the samples: variety.",
    "density": "How many real images surround each sample; above 1 where "
    "samples crowd the densest places.",
    "coverage": "Share of real images that have a sample nearby: variety.",
    "psnr": "Squared error of pixels on a logarithmic scale; blur is cheap by "
    "this measure.",
    "ssim": "Agreement of local means, contrasts and structures; 1 is "
    "identity.",
    "feature_distance": "Distance of image and reconstruction in the features "
    "of a network that has learned to see.",
    "attribute_agreement": "How often a predictor says the same of image and "
    "reconstruction, over all images and attributes.",
    "attribute_accuracy": "How often a predictor finds the true attributes in "
    "reconstructions.",
    "attribute_accuracy_of_images": "How often it finds them in the images "
    "themselves, the most to be hoped for.",
    "kl": "How much codes tell of their images: divergence of q(z|x) from the "
    "prior, summed over dimensions.",
    "active_units": "Latent dimensions whose mean varies with the image.",
    "aggregate_kl": "Divergence of all codes together from the prior, by mean "
    "and covariance; samples suffer if it is large.",
    "aggregate_frechet_distance": "The same as a distance of means and "
    "covariances.",
}
_WEIGHTS = {"ema": "averaged decoder", "raw": "last decoder"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run's value of a score.

    Attributes:
        text: The value and its standard error; `None` if the run has none.
        mark: `"best"`, `"tied"` or `None`.
    """

    text: str | None
    mark: str | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One way of measuring a score, for all runs.

    Attributes:
        details: How it was measured, in words.
        floor: Its value between two halves of the real images, as text.
        cells: A `Cell` for each run.
    """

    details: str
    floor: str | None
    cells: tuple


@dataclasses.dataclass(frozen=True)
class Score:
    """One score of all runs.

    Attributes:
        label: Its name.
        unit: Its unit, or `None`.
        better: `"lower"`, `"higher"` or `None`.
        explanation: What it means, a sentence or nothing.
        rows: The ways in which it was measured.
    """

    label: str
    unit: str | None
    better: str | None
    explanation: str
    rows: tuple


@dataclasses.dataclass(frozen=True)
class ScoreGroup:
    """Scores of one side of the models.

    Attributes:
        title: What is scored.
        scores: The scores.
        verdict: Which run is best how often, a sentence; `None` if nothing
            can be said.
        has_floor: Whether some score was taken of the real images, too.
    """

    title: str
    scores: tuple
    verdict: str | None
    has_floor: bool


def score_groups(records):
    """Tables of all scores of some runs of one data set.

    Args:
        records: The runs' `Record`s.

    Returns:
        `ScoreGroup`s; none if no run was scored.
    """
    tables = [_by_identity(record) for record in records]
    identities = list(dict.fromkeys(key for table in tables for key in table))
    order = [*_GROUPS, *sorted({key[0] for key in identities} - set(_GROUPS))]
    return [
        _group(
            group,
            [key for key in identities if key[0] == group],
            records,
            tables,
        )
        for group in order
        if any(key[0] == group for key in identities)
    ]


def marks(values, errors, better):
    """Which values are best, and which cannot be told from it.

    A value is tied with the best if they differ by less than 1.96 standard
    errors of their difference, both being independent estimates.

    Args:
        values: A value for each run, or `None`.
        errors: Their standard errors, `None` if unknown.
        better: `"lower"`, `"higher"`, or `None` if neither is better.

    Returns:
        For each run `"best"`, `"tied"` or `None`; nobody is best of one.
    """
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if better not in ("lower", "higher") or len(finite) < 2:
        return [None] * len(values)
    best = min(finite) if better == "lower" else max(finite)
    place = values.index(best)
    close = [
        value in finite and _is_close(value - best, error, errors[place])
        for value, error in zip(values, errors)
    ]
    mark = "best" if sum(close) == 1 else "tied"
    return [mark if is_close else None for is_close in close]


def explanation(name):
    """What a score means, a sentence; nothing of one that is not known."""
    return _EXPLANATIONS.get(name, "")


def _is_close(difference, *errors):
    spread = math.hypot(*(error or 0.0 for error in errors))
    return abs(difference) <= STANDARD_ERRORS * spread


def _by_identity(record):
    """Scores of a run; those of equal identity are comparable."""
    evaluation = record.evaluation or {"scores": []}
    split = evaluation.get("split")
    return {
        (*(score.get(name) for name in _IDENTITY), split): score
        for score in evaluation["scores"]
    }


def _group(group, identities, records, tables):
    by_name = {}
    for identity in identities:
        by_name.setdefault(identity[1], []).append(identity)
    scores = tuple(_score(name, own, tables) for name, own in by_name.items())
    rows = [row for score in scores for row in score.rows]
    return ScoreGroup(
        title=_GROUPS.get(group, group.capitalize()),
        scores=scores,
        verdict=verdict(records, rows),
        has_floor=any(row.floor for row in rows),
    )


def verdict(records, rows):
    """Which run is best how often, in words.

    Args:
        records: The runs' `Record`s.
        rows: `Row`s of scores.

    Returns:
        A sentence, or `None` if no row tells who is best.
    """
    judged = [row for row in rows if any(cell.mark for cell in row.cells)]
    if not judged:
        return None
    wins = [
        (record.label, sum(row.cells[n].mark == "best" for row in judged))
        for n, record in enumerate(records)
    ]
    won = sorted((win for win in wins if win[1]), key=lambda win: -win[1])
    ties = len(judged) - sum(count for _, count in won)
    parts = [f"{label} is best in {count}" for label, count in won]
    if ties:
        parts.append(f"{ties} cannot be told apart")
    return f"of {len(judged)} compared, {', '.join(parts)}."


def _score(name, identities, tables):
    found = [
        table[identity]
        for identity in identities
        for table in tables
        if identity in table
    ]
    better = found[0].get("better")
    return Score(
        label=found[0].get("label") or name.replace("_", " "),
        unit=found[0].get("unit"),
        better=better,
        explanation=explanation(name),
        rows=tuple(
            _row(identity, better, [table.get(identity) for table in tables])
            for identity in identities
        ),
    )


def _row(identity, better, scores):
    values = [_value(score) for score in scores]
    errors = [score.get("error") if score else None for score in scores]
    floors = dict.fromkeys(
        words.number(score["floor"])
        for score in scores
        if score and score.get("floor") is not None
    )
    return Row(
        details=_details(dict(zip((*_IDENTITY, "split"), identity))),
        floor=" · ".join(floors) or None,
        cells=tuple(
            Cell(words.with_error(value, error) if score else None, mark)
            for score, value, error, mark in zip(
                scores, values, errors, marks(values, errors, better)
            )
        ),
    )


def _value(score):
    if score is None:
        return None
    return float("nan") if score["value"] is None else float(score["value"])


def _details(known):
    """How a score was measured, in words."""
    count = known["num_images"]
    parts = (
        known["sampler"] and f"{known['sampler']} codes",
        known["group"] != "latents"
        and _WEIGHTS.get(known["weights"], known["weights"]),
        known["features"] and f"{known['features']} features",
        known["resize"] and f"resized by {known['resize']}",
        count is not None and f"{count:,} {known['split'] or ''} images",
    )
    return ", ".join(" ".join(part.split()) for part in parts if part)
