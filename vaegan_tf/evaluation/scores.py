"""Scores, with all that has to be known to compare them."""

import dataclasses
from typing import Any, NamedTuple

from vaegan_tf.tables import aligned

HEADINGS = {
    "samples": "Samples",
    "reconstructions": "Reconstructions",
    "latents": "Latent codes",
    "orders": "Faces to order",
    "edits": "Edits",
    "drawings": "Samples of one example",
}
NUMERIC = ("value", "error", "real halves", "images")
COLUMNS = (
    *NUMERIC[:3],
    "better",
    "weights",
    "codes",
    "edit",
    "features",
    "images",
)


class Kind(NamedTuple):
    """What a score is called, which way it is better, and its unit."""

    label: str
    better: str | None = None
    unit: str | None = None


KINDS = {
    "frechet_distance": Kind("Fréchet distance", "lower"),
    "kernel_distance": Kind("Kernel distance", "lower"),
    "precision": Kind("Precision", "higher"),
    "recall": Kind("Recall", "higher"),
    "density": Kind("Density", "higher"),
    "coverage": Kind("Coverage", "higher"),
    "psnr": Kind("PSNR", "higher", "dB"),
    "ssim": Kind("SSIM", "higher"),
    "feature_distance": Kind("Feature distance", "lower"),
    "attribute_agreement": Kind("Attribute agreement", "higher"),
    "attribute_accuracy": Kind("Attribute accuracy", "higher"),
    "attribute_accuracy_of_images": Kind(
        "Attribute accuracy on the images", "higher"
    ),
    "kl": Kind("KL divergence", unit="nats"),
    "active_units": Kind("Active units", unit="dimensions"),
    "aggregate_kl": Kind("KL of the aggregate posterior", "lower", "nats"),
    "aggregate_frechet_distance": Kind(
        "Fréchet distance of the aggregate posterior", "lower"
    ),
    "best_cosine": Kind("Cosine similarity, best of the samples", "higher"),
    "best_mse": Kind("Squared error, best of the samples", "lower"),
    "cosine": Kind("Cosine similarity", "higher"),
    "mse": Kind("Squared error", "lower"),
    "success": Kind("Success", "higher"),
    "leak": Kind("Leak", "lower", "nats"),
    "flips": Kind("Other decisions changed", "lower"),
    "identity": Kind("Identity", "higher"),
    "single_frechet_distance": Kind("Single-image Fréchet distance", "lower"),
    "patch_frechet_distance": Kind("Fréchet distance of patches", "lower"),
    "nearest_patch": Kind("Distance to the nearest patch", "lower", "levels"),
    "field_diversity": Kind("Diversity of nearest-neighbour fields", "higher"),
    "pixel_diversity": Kind("Diversity of pixels", "higher"),
}
# What a score means.
MEANINGS = {
    "frechet_distance": "Distance between the models' and the real images as "
    "two clouds of features: of their means and covariances.",
    "kernel_distance": "Distance between the same clouds by a kernel; unlike "
    "Fréchet's it does not depend on the number of images.",
    "precision": "Share of samples that lie among the real images: fidelity.",
    "recall": "Share of real images that lie among the samples: diversity.",
    "density": "How many real images surround each sample; above 1 where "
    "samples crowd the densest regions.",
    "coverage": "Share of real images with a sample nearby: diversity.",
    "psnr": "Squared error of pixels on a logarithmic scale; it penalises "
    "blur little.",
    "ssim": "Agreement of local means, contrasts and structures; 1 is "
    "identity.",
    "feature_distance": "Distance between image and reconstruction in the "
    "features of a trained network.",
    "attribute_agreement": "How often a predictor decides the same for image "
    "and reconstruction, over all images and attributes.",
    "attribute_accuracy": "How often a predictor finds the true attributes in "
    "reconstructions.",
    "attribute_accuracy_of_images": "How often it finds them in the images "
    "themselves, the most to be expected.",
    "kl": "Information that codes carry about their images: divergence of "
    "q(z|x) from the prior, summed over dimensions.",
    "active_units": "Latent dimensions whose mean varies with the image.",
    "aggregate_kl": "Divergence of all codes together from the prior, by mean "
    "and covariance; samples suffer if it is large.",
    "aggregate_frechet_distance": "The same as a distance of means and "
    "covariances.",
    "best_cosine": "Between the attributes asked for and those that a "
    "predictor sees, both from −1 to 1; the best sample of each query.",
    "best_mse": "Mean squared difference of the same, the best sample of each "
    "query.",
    "cosine": "The same as the first, of all samples.",
    "mse": "The same as the second, of all samples.",
    "success": "Share of images without an attribute in which a predictor "
    "sees it after the edit, the mean over attributes.",
    "leak": "Mean absolute change of the other attributes' log-odds.",
    "flips": "Share of a predictor's decisions about other attributes that "
    "an edit changed.",
    "identity": "Cosine between features of the image before and after.",
    "single_frechet_distance": "Distance between example and sample as two "
    "clouds of features, one at each position.",
    "patch_frechet_distance": "The same of the pixels of patches.",
    "nearest_patch": "How far a sample's patches are from those of the "
    "example, 0 for a copy.",
    "field_diversity": "How little zlib can shorten where in the example the "
    "nearest patches lie, 0 for a copy that has moved.",
    "pixel_diversity": "How much pixels differ between samples, in units of "
    "how much the example's differ.",
}


@dataclasses.dataclass(frozen=True)
class Score:
    """One number, measured on images of the data set.

    The floor is the same number between two halves of the real images: of
    distances between sets it is what a perfect model would get, of the scores
    of pairs what two unrelated images get. Of faces to order it is what the
    real images get that have the attributes. Of samples of one example it is
    the number between two crops of it, an eighth of its width apart.
    """

    group: str  # A key of `HEADINGS`.
    name: str  # See `KINDS`.
    value: float
    num_images: int
    error: float | None = None  # The standard error, where it is a mean.
    floor: float | None = None
    weights: str | None = None  # `"ema"` or `"raw"`, where a decoder is used.
    sampler: str | None = None  # Where the codes of samples came from.
    features: str | None = None  # `"predictor"` or `"inception"`.
    resize: str | None = None  # How images were resized for these features.
    edit: str | None = None  # Which vectors, how strong, what was kept.

    kind = property(lambda self: KINDS[self.name])

    @property
    def tag(self) -> str:
        """A name that is unique among the scores of one evaluation."""
        parts = (self.group, self.name, self.sampler, self.weights)
        return "/".join(part for part in parts if part)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**dataclasses.asdict(self), **self.kind._asdict()}


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """All scores of one model, and what has to be known to read them."""

    scores: list[Score]
    # Mean divergence of each latent dimension from the prior, in nats.
    kl: list[float] | None = None
    # `{"what": ..., "why": ...}` of scores that were left out.
    skipped: list[dict[str, str]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Scores, divergences and what was left out, for JSON."""
        return {
            "scores": [score.as_dict() for score in self.scores],
            "latent": {} if self.kl is None else {"kl": self.kl},
            "skipped": self.skipped,
            "notes": self.notes,
        }

    @property
    def remarks(self) -> list[str]:
        """Notes, and what was left out and why, as lines of text."""
        left_out = [f"Left out: {s['what']}: {s['why']}." for s in self.skipped]
        return [f"Note: {note}" for note in self.notes] + left_out

    def find(self, group: str, name: str, **others: Any) -> Score | None:
        """The first score of this kind; `None` if there is none."""
        wanted = {"group": group, "name": name, **others}.items()
        for score in self.scores:
            if all(getattr(score, k) == v for k, v in wanted):
                return score
        return None


def table(evaluation: Evaluation) -> str:
    """An evaluation as aligned lines of text."""
    parts = []
    for group, heading in HEADINGS.items():
        scores = [s for s in evaluation.scores if s.group == group]
        if scores:
            rows = [(heading, *COLUMNS), *[_row(score) for score in scores]]
            parts.append("\n".join(_aligned(rows)))
    return "\n\n".join([*parts, *evaluation.remarks])


def _row(score):
    label, better, unit = score.kind
    return (
        f"{label} ({unit})" if unit else label,
        _number(score.value),
        "" if score.error is None else f"± {_number(score.error)}",
        "" if score.floor is None else _number(score.floor),
        better or "",
        score.weights or "",
        score.sampler or "",
        score.edit or "",
        ", ".join(filter(None, (score.features, score.resize))),
        f"{score.num_images:,}",
    )


def _number(value):
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _aligned(rows):
    """Lines of cells under each other; empty columns are left out."""
    columns = [column for column in zip(*rows) if any(column[1:])]
    left = [n for n, (title, *_) in enumerate(columns) if title not in NUMERIC]
    return aligned(list(zip(*columns)), left)
