"""Which numbers of a training run are drawn, and what do they mean?"""

import dataclasses
from collections.abc import Iterator, Sequence

from vaegan_tf.evaluation.scores import KINDS, MEANINGS
from vaegan_tf.report import charts
from vaegan_tf.report.records import Record

# Titles and explanations of terms.
_TERMS = {
    "kl": (
        "Divergence from the prior",
        "Information that codes carry about their images; samples suffer if "
        "codes are far from the prior.",
    ),
    "uniformity": (
        "How crowded codes are",
        "How close the directions of a batch's codes are; below 0.5 where they "
        "fill the prior.",
    ),
    "pixel_nll": (
        "Reconstruction error of pixels",
        "Half the squared error, summed over all pixels.",
    ),
    "feature_nll": (
        "Reconstruction error in the discriminator",
        "Half the squared error of its layer l. Each run has a discriminator "
        "of its own: compare the course, not the height.",
    ),
    "pixel_error": (
        "Squared error per pixel",
        "Mean squared difference of image and reconstruction; it penalises "
        "blur little.",
    ),
    "real": (
        "Discriminator: real images",
        "Its loss on real images; where it guesses, 0.69, or 1 in the hinge "
        "game.",
    ),
    "reconstructed": (
        "Discriminator: reconstructions",
        "Its loss on reconstructions; near 0 it recognises all of them.",
    ),
    "generated": (
        "Discriminator: samples",
        "Its loss on samples; near 0 it recognises all of them.",
    ),
    "fooling": (
        "Decoder: fooling the discriminator",
        "Its loss on images that do not pass as real.",
    ),
    "gamma": (
        "Weight γ of the feature error",
        "In the decoder, as gradients at its images set it.",
    ),
}
_CRITICS = {"": "Critic", "novel_": "Critic of novel features"}
_CRITIC_TERMS = {
    "real": ("real features", "Its score; only differences mean something."),
    "reconstructed": ("reconstructions", "Its score of these."),
    "generated": (
        "generated features",
        "Its score; how far below that of real features says how far apart "
        "it sees the two.",
    ),
    "penalty": (
        "gradient penalty",
        "Squared deviation of its slope from 1, between real and generated.",
    ),
}
# Of models of features, beside what the others' terms are called.
_FEATURE_TERMS = {
    "kl": (
        "Divergence from the prior",
        "Information that codes carry about their features.",
    ),
    "reconstruction_nll": (
        "Reconstruction error of features",
        "Summed over the numbers of a feature.",
    ),
    **{
        f"{prefix}{name}": (f"{critic}: {title}", explanation)
        for prefix, critic in _CRITICS.items()
        for name, (title, explanation) in _CRITIC_TERMS.items()
    },
}
_SCORE, _VALIDATION = "evaluation/", "validation/"
_FIRST = ("validation/pixel_error", "validation/kl")


@dataclasses.dataclass(frozen=True)
class CurveGroup:
    """Charts that belong together."""

    title: str  # What they show.
    explanation: str  # A sentence about all of them.
    charts: list[charts.Chart]
    is_detail: bool  # Whether most readers can do without.


def curve_groups(records: Sequence[Record]) -> list[CurveGroup]:
    """All charts of some runs of one data set, in groups that have any."""
    lines = [x for record in records for x in record.metrics + record.speeds]
    # In the order in which they first occur.
    every = dict.fromkeys(name for line in lines for name in line)
    names = [name for name in every if name not in ("step", "seconds")]
    terms = _TERMS if records[0].draws_images else _FEATURE_TERMS
    return [
        CurveGroup(title, explanation, drawn, is_detail)
        for title, explanation, members, is_detail in _groups(names, terms)
        if (drawn := list(_drawn(records, members, terms)))
    ]


def latent_chart(records: Sequence[Record]) -> charts.Chart | None:
    """The divergence of each latent dimension; `None` if it is not known."""
    curves = []
    for record in records:
        latent = (record.evaluation or {}).get("latent") or {}
        sizes = sorted(latent.get("kl") or [], reverse=True)
        curves.append((record, [(float(n), y) for n, y in enumerate(sizes, 1)]))
    return charts.draw(
        "Divergence of each latent dimension",
        "In descending order, over held-out images. A dimension near 0 "
        "carries no information about the image.",
        "nats",
        "latent dimension",
        curves,
    )


def points(record: Record, name: str, by_images: bool) -> charts.Points:
    """A run's values of a number: (steps or examples seen, value)."""
    scale = record.batch_size if by_images else 1
    return [
        (line["step"] * scale, float(line[name]))
        for line in [*record.metrics, *record.speeds]
        if name in line
    ]


def _groups(names, explained):
    """(title, explanation, names, whether it is a detail) of each group."""
    scores = [name for name in names if name.startswith(_SCORE)]
    held_out = [name for name in names if name.startswith(_VALIDATION)]
    first = [name for name in _FIRST if name in held_out]
    terms = [name for name in names if name in explained]
    losses = [name for name in names if name.endswith("_loss")]
    known = {*scores, *held_out, *terms, *losses}
    return (
        (
            "Scores during training",
            "Computed as by vaegan-evaluate, explained above.",
            scores,
            False,
        ),
        (
            "On held-out examples",
            "Means over at most 512 examples of the validation split.",
            list(dict.fromkeys([*first, *held_out])),
            False,
        ),
        (
            "On training examples",
            "Means over the steps since the last record.",
            terms,
            False,
        ),
        (
            "Objectives, gradients, learning rates and speed",
            "Objectives weight terms by the run's settings: values of runs "
            "with other settings cannot be compared.",
            [*losses, *[name for name in names if name not in known]],
            True,
        ),
    )


def _drawn(records, names, terms) -> Iterator[charts.Chart]:
    by_images = len({record.batch_size for record in records}) > 1
    across = "examples seen" if by_images else "steps"
    for name in names:
        curves = [(r, points(r, name, by_images)) for r in records]
        if name.startswith("learning_rate/"):  # Constant ones tell nothing.
            curves = [(r, p) for r, p in curves if len({y for _, y in p}) > 1]
        title, unit, explanation = _describe(name, terms)
        chart = charts.draw(title, explanation, unit, across, curves)
        if chart:
            yield chart


def _unit(term, terms):
    """What a term is measured in."""
    if terms is _TERMS:
        is_error = term == "pixel_error"
        return "images in [−1, 1]" if is_error else "nats per image"
    is_nats = term in ("kl", "reconstruction_nll")
    return "nats per feature" if is_nats else ""


def _describe(name, terms):
    """Title, unit and explanation of a number."""
    bare = name.removeprefix(_VALIDATION)
    if bare in terms:
        return terms[bare][0], _unit(bare, terms), terms[bare][1]
    if name.startswith(_SCORE):
        group, score, *conditions = name.removeprefix(_SCORE).split("/")
        kind = KINDS.get(score)
        label = kind.label if kind else score.replace("_", " ").capitalize()
        of = ", ".join([group, *conditions])
        return f"{label} ({of})", "", MEANINGS.get(score, "")
    network = name.rsplit("/", 1)[-1].split("_")[0].capitalize()
    if name.endswith("_loss"):
        minimised = f"What the {network.lower()} minimises."
        return f"{network}: objective", "", minimised
    if name.endswith("_gradient_norm"):
        return f"{network}: gradient norm", "", "Norm of the whole gradient."
    if name.endswith("_updated"):
        explanation = "1 if no gate was ever closed."
        return f"{network}: share of steps made", "", explanation
    if name.startswith("learning_rate/"):
        return f"{network}: learning rate", "", "Where it changes over the run."
    if name == "images_per_second":
        return "Speed", "examples per second", "Grids and scores included."
    return name, "", ""
