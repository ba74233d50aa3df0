"""A score with all that has to be known to compare it."""

import dataclasses

HEADINGS = {
    "samples": "Samples",
    "reconstructions": "Reconstructions",
    "latents": "Latent codes",
}
NUMERIC = ("value", "error", "real halves", "images")
COLUMNS = (
    "value",
    "error",
    "real halves",
    "better",
    "weights",
    "codes",
    "features",
    "images",
)
# Label, which way is better and unit, by group and name.
KINDS = {
    ("samples", "frechet_distance"): ("Fréchet distance", "lower", None),
    ("samples", "kernel_distance"): ("Kernel distance", "lower", None),
    ("samples", "precision"): ("Precision", "higher", None),
    ("samples", "recall"): ("Recall", "higher", None),
    ("samples", "density"): ("Density", "higher", None),
    ("samples", "coverage"): ("Coverage", "higher", None),
    ("reconstructions", "psnr"): ("PSNR", "higher", "dB"),
    ("reconstructions", "ssim"): ("SSIM", "higher", None),
    ("reconstructions", "feature_distance"): (
        "Feature distance",
        "lower",
        None,
    ),
    ("reconstructions", "frechet_distance"): (
        "Fréchet distance",
        "lower",
        None,
    ),
    ("reconstructions", "attribute_agreement"): (
        "Attribute agreement",
        "higher",
        None,
    ),
    ("reconstructions", "attribute_accuracy"): (
        "Attribute accuracy",
        "higher",
        None,
    ),
    ("reconstructions", "attribute_accuracy_of_images"): (
        "Attribute accuracy on the images",
        "higher",
        None,
    ),
    ("latents", "kl"): ("KL divergence", None, "nats"),
    ("latents", "active_units"): ("Active units", None, "dimensions"),
    ("latents", "aggregate_kl"): (
        "KL of the aggregate posterior",
        "lower",
        "nats",
    ),
    ("latents", "aggregate_frechet_distance"): (
        "Fréchet distance of the aggregate posterior",
        "lower",
        None,
    ),
}


@dataclasses.dataclass(frozen=True)
class Score:
    """One number.

    Attributes:
        group: `"samples"`, `"reconstructions"` or `"latents"`.
        name: Its name, see `KINDS`.
        value: The number.
        num_images: How many images it was measured on.
        error: Its standard error, where it is a mean.
        floor: The same number between two halves of the real images. Of
            distances between sets it is what a perfect model would get; of
            the scores of pairs, what two images that do not belong together
            get.
        weights: `"ema"` or `"raw"`; `None` where no decoder takes part.
        sampler: Where codes came from, of samples.
        features: `"predictor"` or `"inception"`; `None` where none.
        resize: How images were resized for these features, if they were.
    """

    group: str
    name: str
    value: float
    num_images: int
    error: float | None = None
    floor: float | None = None
    weights: str | None = None
    sampler: str | None = None
    features: str | None = None
    resize: str | None = None

    label = property(lambda self: KINDS[self.group, self.name][0])
    better = property(lambda self: KINDS[self.group, self.name][1])
    unit = property(lambda self: KINDS[self.group, self.name][2])

    @property
    def tag(self):
        """A name of its own among all scores of one evaluation."""
        parts = (self.group, self.name, self.sampler, self.weights)
        return "/".join(part for part in parts if part)

    def as_dict(self):
        """All of it, for JSON."""
        return {
            "group": self.group,
            "name": self.name,
            "label": self.label,
            "value": self.value,
            "error": self.error,
            "floor": self.floor,
            "better": self.better,
            "unit": self.unit,
            "weights": self.weights,
            "sampler": self.sampler,
            "features": self.features,
            "resize": self.resize,
            "num_images": self.num_images,
        }


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """All scores of one model.

    Attributes:
        scores: The `Score`s.
        kl: Mean KL divergence of each latent dimension, in nats, or `None`.
        skipped: `{"what": ..., "why": ...}` of scores that could not be had.
        notes: What has to be known to read the scores, as sentences.
    """

    scores: list[Score]
    kl: list[float] | None = None
    skipped: list[dict] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self):
        """Scores, divergences and what was left out, for JSON."""
        return {
            "scores": [score.as_dict() for score in self.scores],
            "latent": {} if self.kl is None else {"kl": self.kl},
            "skipped": self.skipped,
            "notes": self.notes,
        }

    @property
    def remarks(self):
        """Notes, and what was left out and why, as lines of text."""
        left_out = [f"Left out: {s['what']}: {s['why']}." for s in self.skipped]
        return [f"Note: {note}" for note in self.notes] + left_out

    def find(self, group, name, **others):
        """The first score of this kind; `None` if there is none."""
        wanted = {"group": group, "name": name, **others}
        for score in self.scores:
            if all(getattr(score, k) == v for k, v in wanted.items()):
                return score
        return None


def table(evaluation):
    """An evaluation as aligned lines of text."""
    parts = []
    for group, heading in HEADINGS.items():
        scores = [s for s in evaluation.scores if s.group == group]
        if scores:
            rows = [(heading, *COLUMNS), *[_row(score) for score in scores]]
            parts.append("\n".join(_aligned(rows)))
    return "\n\n".join([*parts, *evaluation.remarks])


def _row(score):
    label = f"{score.label} ({score.unit})" if score.unit else score.label
    features = score.features or ""
    return (
        label,
        _number(score.value),
        "" if score.error is None else f"± {_number(score.error)}",
        "" if score.floor is None else _number(score.floor),
        score.better or "",
        score.weights or "",
        score.sampler or "",
        f"{features}, {score.resize}" if score.resize else features,
        f"{score.num_images:,}",
    )


def _number(value):
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _aligned(rows):
    """Lines of cells under each other; columns without any are left out."""
    columns = [column for column in zip(*rows) if any(column[1:])]
    padded = []
    for title, *cells in columns:
        width = max(len(cell) for cell in (title, *cells))
        place = str.rjust if title in NUMERIC else str.ljust
        padded.append([place(cell, width) for cell in (title, *cells)])
    return ["  ".join(cells).rstrip() for cells in zip(*padded)]
