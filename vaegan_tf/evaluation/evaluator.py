"""All scores of a model on held-out images."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from vaegan_tf.data import ImageDataset
from vaegan_tf.evaluation.feature_set import (
    MIN_IMAGES,
    FeatureSet,
    sample_scores,
)
from vaegan_tf.evaluation.features import Extractor
from vaegan_tf.evaluation.latents import Latents
from vaegan_tf.evaluation.reconstructions import (
    Reconstructions,
    agreement,
    feature_scores,
)
from vaegan_tf.evaluation.scores import Evaluation, Score
from vaegan_tf.images import to_uint8
from vaegan_tf.models import GenerativeModel
from vaegan_tf.sampling import Sampler

BATCH_SIZE = 64
NO_ENCODER = "the model has no encoder"
NO_FEATURES = (
    "they need features: give a `predictor` or the weights of Inception, "
    "`inception_weights`"
)
TOO_FEW_IMAGES = f"features are compared for {MIN_IMAGES} images or more"


class Evaluator:
    """Scores models on images of one split.

    All images, real and generated, are rounded to 8 bits first, as if they
    had been written to files. A conditional model is given the attributes of
    the real images, one by one.

    Args:
        num_images: How many of the split's images, evenly spaced, and how
            many samples; by default as many as the split has.
        extractor: Without one, scores that need features are left out.
        seed: Seed of the samples' codes.
        progress: Whether to show progress bars, on a terminal.

    Raises:
        ValueError: If the split has fewer images, or the predictor does not
            fit.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        samplers: Sequence[Sampler],
        *,
        split: str = "test",
        num_images: int | None = None,
        extractor: Extractor | None = None,
        seed: int = 0,
        batch_size: int = BATCH_SIZE,
        progress: bool = True,
    ):
        self.dataset = dataset
        self.samplers = samplers
        self.split = split
        positions = dataset.positions(split, num_images)
        self.num_images = len(positions)
        self.attributes = dataset.splits[split].attributes[positions]
        self.seed = seed
        self.batch_size = batch_size
        self.progress = progress
        self.extractor = extractor
        self._features: dict[str, Any] = {}
        self._decided: Sequence[str] = ()
        if extractor is not None:
            extractor.check(dataset)
            self._features["features"] = extractor.name
            self._features["resize"] = extractor.resize
            self._decided = extractor.attribute_names
        self._cache_notes: list[str] = []

    @property
    def compares_features(self) -> bool:
        """Whether there are features, and images enough to compare them."""
        return self.extractor is not None and self.num_images >= MIN_IMAGES

    @functools.cached_property
    def reference(self) -> FeatureSet:
        """The real images' features, read from disk or computed and kept."""
        extractor = self.extractor
        if extractor is None:
            raise ValueError(
                f"There are no features to compare: {NO_FEATURES}."
            )
        images = self.dataset.splits[self.split].images_path
        name = f"{self.split}-{self.num_images}-{extractor.key}.npz"
        path = images.parent / "references" / name
        stamp = f"{images.stat().st_size} {images.stat().st_mtime_ns}"
        if (cached := FeatureSet.load(path, stamp)) is not None:
            return cached
        reference = FeatureSet()
        for example in self._batches("Features of real images"):
            reference.add(extractor.analyze(to_uint8(example["image"])))
        try:
            reference.save(path, stamp)
        except OSError as error:
            self._cache_notes.append(
                f"The features of the real images could not be kept in "
                f"{path.parent} ({error.strerror}) and will be computed again."
            )
        return reference

    def evaluate(self, model: GenerativeModel) -> Evaluation:
        """Computes all scores of a model."""
        notes = self._feature_notes()
        scores, kl = [], None
        if self.compares_features:
            for sampler in self.samplers:
                for weights in decoders(model):
                    scores += self._sample_scores(model, sampler, weights)
        if model.can("encode"):
            reconstructions, latents = self._reconstruct(model)
            for weights, reconstructed in reconstructions.items():
                scores += self._reconstruction_scores(weights, reconstructed)
            scores += self._attribute_scores(
                "attribute_accuracy_of_images", self._decisions, None
            )
            if self.num_images > 1:
                scores += [
                    self._score("latents", name, *numbers, weights="raw")
                    for name, numbers in latents.scores().items()
                ]
            kl = latents.kl_per_dimension.tolist()
        skipped = self._skipped(model.can("encode"))
        return Evaluation(scores, kl, skipped, notes + self._cache_notes)

    def _sample_scores(self, model, sampler, weights):
        codes = np.asarray(sampler.codes(self.num_images, self.seed))
        generated = FeatureSet()
        with self._bar(f"Samples, {sampler.name}, {weights} weights") as bar:
            for start in range(0, len(codes), self.batch_size):
                rows = slice(start, start + self.batch_size)
                condition = self.attributes[rows]
                levels = decode_uint8(model, weights, codes[rows], condition)
                generated.add(self._analyze(levels))
                bar.update(len(levels))
        floors = self.reference.floors
        numbers = sample_scores(self.reference, generated, self.seed)
        how = {"weights": weights, "sampler": sampler.name, **self._features}
        return [
            Score("samples", name, value, count, error, floors[name], **how)
            for name, (value, error, count) in numbers.items()
        ]

    def _analyze(self, images):
        """Features of uint8 images; `None` where none are compared."""
        if self.extractor is None or not self.compares_features:
            return None
        return self.extractor.analyze(images)

    def _reconstruct(self, model):
        """Statistics of reconstructions, by weights, and of codes."""
        reconstructions = {name: Reconstructions() for name in decoders(model)}
        latents = Latents(model.latent_dim)
        for example in self._batches("Reconstructions"):
            condition = example["attributes"] if model.num_attributes else None
            posterior = model.encode(example["image"], condition)
            latents.add(posterior["mean"], posterior["log_variance"])
            images = to_uint8(example["image"])
            for weights, statistics in reconstructions.items():
                codes = posterior["mean"]
                levels = decode_uint8(model, weights, codes, condition)
                statistics.add(images, levels, self._analyze(levels))
        return reconstructions, latents

    def _reconstruction_scores(self, weights, reconstructed):
        score = functools.partial(
            self._score, "reconstructions", weights=weights
        )
        pixel_scores = reconstructed.pixel_scores()
        scores = [score(name, *n) for name, n in pixel_scores.items()]
        if not self.compares_features:
            return scores
        features = reconstructed.features
        kept = {"feature_distance": len(features.features)}
        scores += [
            score(name, *n, num_images=kept.get(name), **self._features)
            for name, n in feature_scores(self.reference, features).items()
        ]
        if features.logits is None:
            return scores
        decisions, real = features.logits > 0, self._decisions
        numbers = agreement(decisions, real, real)
        return [
            *scores,
            score("attribute_agreement", *numbers, features="predictor"),
            *self._attribute_scores("attribute_accuracy", decisions, weights),
        ]

    @property
    def _decisions(self):
        """The predictor's on the real images, (n, k), if there are any."""
        if not self.compares_features or self.reference.logits is None:
            return None
        return self.reference.logits > 0

    def _attribute_scores(self, name, decisions, weights):
        """How often decisions are right on attributes that the data has."""
        if decisions is None:
            return []
        _, ours, theirs = np.intersect1d(
            self.dataset.attribute_names, self._decided, return_indices=True
        )
        if not len(ours):
            return []
        truth = self.attributes[:, ours] > 0.5
        on_images = self._decisions[:, theirs]
        numbers = agreement(decisions[:, theirs], truth, on_images)
        how = {"weights": weights, "features": "predictor"}
        return [self._score("reconstructions", name, *numbers, **how)]

    def _score(self, group, name, value, error=None, floor=None, **others):
        count = others.pop("num_images", None) or self.num_images
        return Score(group, name, value, count, error, floor, **others)

    def _feature_notes(self):
        if self.extractor is None:
            return []
        notes = []
        inception = self.extractor.inception
        if inception is not None and not inception.is_canonical:
            notes.append(
                "These are not the known Inception weights (SHA-256 begins "
                f"with {inception.digest}, not 6726825d): distances compare "
                "with each other, not with published ones."
            )
        if not self.compares_features:
            return notes
        dimension = self.reference.features.shape[1]
        if self.num_images // 2 <= dimension:
            notes.append(
                f"Fréchet distances of {self.num_images:,} images with "
                f"{dimension:,} features are biased upwards, and that of the "
                f"halves more so: it takes more than {2 * dimension:,} images "
                "for covariances that are not singular. Compare them at equal "
                "numbers of images only; the kernel distance has no such bias."
            )
        return notes

    def _skipped(self, has_encoder):
        skipped = []
        what = "scores of samples, feature distances and attributes"
        if not has_encoder:
            skipped.append(("reconstructions and latent codes", NO_ENCODER))
            what = "scores of samples"
        if self.extractor is None:
            skipped.append((what, NO_FEATURES))
        elif not self.compares_features:
            why = f"{TOO_FEW_IMAGES}, and there are {self.num_images}"
            skipped.append((what, why))
        return [{"what": what, "why": why} for what, why in skipped]

    def _batches(self, title):
        sizes = self.batch_size, self.num_images
        batches = self.dataset.batches(self.split, *sizes)
        with self._bar(title) as bar:
            for example in batches.as_numpy_iterator():
                yield example
                bar.update(len(example["image"]))

    def _bar(self, title):
        hidden, count = None if self.progress else True, self.num_images
        return tqdm(desc=title, total=count, unit=" images", disable=hidden)


def decoders(model: GenerativeModel) -> dict[str, Any]:
    """A model's decoders by weights: `ema`, if it has an average, and `raw`."""
    average, last = model.in_use("decoder"), model.decoder
    return {"raw": last} if average is last else {"ema": average, "raw": last}


def decode_uint8(
    model: GenerativeModel,
    weights: str,
    codes: np.ndarray | tf.Tensor,
    attributes: np.ndarray | None,
) -> np.ndarray:
    """Images of (batch, latent) codes by one of a model's decoders, uint8.

    Attributes, (batch, num_attributes), are for conditional models only.
    """
    inputs = model.conditioned({"latent": codes}, attributes)
    images = decoders(model)[weights](inputs, training=False)
    return to_uint8(np.asarray(images, np.float32))
