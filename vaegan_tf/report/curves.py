"""Which numbers of a training are drawn, and what do they mean?"""

import dataclasses

from vaegan_tf.report import charts, scores

_TERMS = {
    "kl": (
        "Divergence from the prior",
        "nats per image",
        "How much the codes tell of their images; samples suffer if codes lie "
        "far from the prior.",
    ),
    "pixel_nll": (
        "Reconstruction error of pixels",
        "nats per image",
        "Half the squared error, summed over all pixels.",
    ),
    "feature_nll": (
        "Reconstruction error in the discriminator",
        "nats per image",
        "Half the squared error of its layer l. Each run has a discriminator "
        "of its own: compare the course, not the height.",
    ),
    "pixel_error": (
        "Squared error per pixel",
        "images in [−1, 1]",
        "Mean squared difference of image and reconstruction; blur is cheap "
        "by this measure.",
    ),
    "real": (
        "Discriminator: real images",
        "nats per image",
        "What it pays for real images; 0.69 is guessing, 0 is certainty.",
    ),
    "reconstructed": (
        "Discriminator: reconstructions",
        "nats per image",
        "What it pays for reconstructions; near 0 it tells all of them.",
    ),
    "reconstructed_as_real": (
        "Decoder: reconstructions taken for real",
        "nats per image",
        "−log of the chance that a reconstruction passes; lower fools more.",
    ),
    "generated": (
        "Discriminator: samples",
        "nats per image",
        "What it pays for samples; near 0 it tells all of them.",
    ),
    "generated_as_real": (
        "Decoder: samples taken for real",
        "nats per image",
        "−log of the chance that a sample passes; lower fools more.",
    ),
}
_SCORE = "evaluation/"
_WORDS = {"frechet": "Fréchet", "kl": "KL", "psnr": "PSNR", "ssim": "SSIM"}
_FIRST = ("pixel_error", "kl")


@dataclasses.dataclass(frozen=True)
class CurveGroup:
    """Charts that belong together.

    Attributes:
        title: What they show.
        explanation: A sentence about all of them.
        charts: The charts.
        is_detail: Whether most readers can do without.
    """

    title: str
    explanation: str
    charts: tuple
    is_detail: bool


def curve_groups(records):
    """All charts of some runs of one data set.

    Args:
        records: The runs' `Record`s.

    Returns:
        `CurveGroup`s that have a chart.
    """
    groups = []
    for title, explanation, names, is_detail in _groups(_names(records)):
        drawn = _drawn(records, names, is_detail)
        if drawn:
            groups.append(CurveGroup(title, explanation, drawn, is_detail))
    return groups


def _groups(names):
    """(title, explanation, names, whether it is a detail) of each group."""
    scored = [name for name in names if name.startswith(_SCORE)]
    held_out = [name for name in names if name.startswith("validation/")]
    terms = [name for name in names if name in _TERMS]
    losses = [name for name in names if name.endswith("_loss")]
    known = {*scored, *held_out, *terms, *losses}
    others = [name for name in names if name not in known]
    return (
        (
            "Scores during training",
            "As vaegan-evaluate takes them, explained above.",
            scored,
            False,
        ),
        (
            "On held-out images",
            "Means over at most 512 images of the validation split.",
            sorted(held_out, key=_rank),
            False,
        ),
        (
            "On training images",
            "Means over the steps since the last record.",
            terms,
            False,
        ),
        (
            "What networks minimise, gradients, rates and speed",
            "Objectives weigh terms as the run's settings say: between runs "
            "of other settings their heights cannot be compared.",
            [*losses, *others],
            True,
        ),
    )


def latent_chart(records):
    """The divergence of each latent dimension, in descending order.

    Args:
        records: The runs' `Record`s.

    Returns:
        A `Chart`, or `None` if no run was scored for it.
    """
    curves = []
    for record in records:
        latent = (record.evaluation or {}).get("latent") or {}
        sizes = sorted(latent.get("kl") or [], reverse=True)
        curves.append((record, list(enumerate(sizes, 1))))
    return charts.draw(
        "Divergence of each latent dimension",
        "In descending order, over held-out images. A dimension near 0 tells "
        "nothing of the image.",
        "nats",
        "latent dimension",
        curves,
    )


def _names(records):
    """Names of all numbers, in the order in which they first occur."""
    found = {}
    for record in records:
        for line in [*record.metrics, *record.speeds]:
            found |= dict.fromkeys(line)
    return [name for name in found if name not in ("step", "seconds")]


def _rank(name):
    bare = name.removeprefix("validation/")
    return _FIRST.index(bare) if bare in _FIRST else len(_FIRST)


def _drawn(records, names, is_detail):
    by_images = len({record.batch_size for record in records}) > 1
    drawn = []
    for name in names:
        title, unit, explanation = _about(name)
        curves = [
            (record, points(record, name, by_images)) for record in records
        ]
        across = "images seen" if by_images else "steps"
        if is_detail and name.startswith("learning_rate/"):
            curves = [(r, p) for r, p in curves if len({y for _, y in p}) > 1]
        drawn.append(charts.draw(title, explanation, unit, across, curves))
    return tuple(chart for chart in drawn if chart)


def points(record, name, by_images):
    """A run's values of a number: (steps or images seen, value)."""
    scale = record.batch_size if by_images else 1
    return [
        (line["step"] * scale, float(line[name]))
        for line in [*record.metrics, *record.speeds]
        if name in line
    ]


def _about(name):
    """Title, unit and explanation of a number."""
    if name.startswith(_SCORE):
        group, score, *conditions = name.removeprefix(_SCORE).split("/")
        title = " ".join(_WORDS.get(w, w) for w in score.split("_"))
        of = ", ".join([group, *conditions])
        explanation = scores.explanation(score)
        return f"{title[0].upper()}{title[1:]} ({of})", "", explanation
    bare = name.removeprefix("validation/")
    if bare in _TERMS:
        return _TERMS[bare]
    network = name.rsplit("/", 1)[-1].split("_")[0].capitalize()
    if name.endswith("_loss"):
        return (
            f"{network}: objective",
            "",
            f"What the {network.lower()} minimises.",
        )
    if name.endswith("_gradient_norm"):
        return f"{network}: gradient norm", "", "Length of the whole gradient."
    if name.endswith("_updated"):
        return (
            f"{network}: share of steps made",
            "",
            "1 if no gate held it back.",
        )
    if name.startswith("learning_rate/"):
        return f"{network}: learning rate", "", "Where it changes over the run."
    if name == "images_per_second":
        return "Speed", "images per second", "Pictures and scores included."
    return name, "", ""
