"""All scores of a model on held-out images."""

import functools

import numpy as np
from tqdm import tqdm

from vaegan_tf import images as pictures
from vaegan_tf.evaluation.feature_set import (
    FEWEST,
    FeatureSet,
    Gathering,
    sample_scores,
)
from vaegan_tf.evaluation.latents import Latents
from vaegan_tf.evaluation.reconstructions import (
    Reconstructions,
    agreement,
    feature_scores,
)
from vaegan_tf.evaluation.scores import Evaluation, Score

BATCH_SIZE = 64
NO_FEATURES = (
    "they need features: give a predictor (--predictor) or the weights of "
    "Inception (--inception_weights)"
)


class Evaluator:
    """Scores models on some images of a split.

    All images, real ones and a model's, are rounded to 8 bits before they
    are looked at, as if they had been written to files. A conditional model
    is told the attributes of the real images, one by one.

    Args:
        dataset: An `ImageDataset`.
        samplers: Where codes of samples come from: objects with a `name` and
            `codes(count, seed)`.
        split: Its split to compare with.
        num_images: How many of the split's images, evenly spread, and how
            many samples; by default as many as the split has.
        extractor: An `Extractor`; without one, scores that need features are
            left out.
        seed: Seed of the samples' codes.
        batch_size: Images that are computed at once.
        progress: Whether to show progress bars, on a terminal.

    Raises:
        ValueError: If the split has fewer images, or the predictor does not
            fit.
    """

    def __init__(
        self,
        dataset,
        samplers,
        *,
        split="test",
        num_images=None,
        extractor=None,
        seed=0,
        batch_size=BATCH_SIZE,
        progress=True,
    ):
        self.dataset = dataset
        self.samplers = samplers
        self.split = split
        self.positions = dataset.positions(split, num_images)
        self.num_images = len(self.positions)
        self.seed = seed
        self.batch_size = batch_size
        self.progress = progress
        self.extractor = extractor
        if extractor is not None:
            extractor.check(dataset)
        self._not_kept = []

    @property
    def compares_features(self):
        """Whether there are features, and images enough to compare them."""
        return self.extractor is not None and self.num_images >= FEWEST

    @functools.cached_property
    def reference(self):
        """The real images' `FeatureSet`: found on disk, or made and kept."""
        images = self.dataset.splits[self.split].images_path
        name = f"{self.split}-{self.num_images}-{self.extractor.key}.npz"
        path = images.parent / "references" / name
        stamp = f"{images.stat().st_size} {images.stat().st_mtime_ns}"
        found = FeatureSet.load(path, stamp)
        if found is not None:
            return found
        gathering = Gathering()
        for example in self._batches("Features of real images"):
            levels = pictures.to_uint8(example["image"])
            gathering.add(self.extractor.analyze(levels))
        made = gathering.finish()
        try:
            made.save(path, stamp)
        except OSError as error:
            self._not_kept.append(
                f"The features of the real images could not be kept in "
                f"{path.parent} ({error.strerror}) and will be computed again."
            )
        return made

    def evaluate(self, model):
        """Scores a `GenerativeModel`; returns an `Evaluation`."""
        notes = [] if self.extractor is None else self._feature_notes()
        scores, kl = [], None
        if self.compares_features:
            for sampler in self.samplers:
                for weights in decoders(model):
                    scores += self._sample_scores(model, sampler, weights)
        if hasattr(model, "encode"):
            reconstructed, latents = self._reconstruct(model)
            for weights, found in reconstructed.items():
                scores += self._reconstruction_scores(weights, found)
            scores += self._attribute_scores(
                "attribute_accuracy_of_images", self._decisions, None
            )
            scores += self._latent_scores(latents)
            kl = latents.kl_per_dimension.tolist()
        return Evaluation(
            scores, kl, self._skipped(model), notes + self._not_kept
        )

    def _sample_scores(self, model, sampler, weights):
        codes = np.asarray(sampler.codes(self.num_images, self.seed))
        attributes = self._attributes if model.num_attributes else None
        gathering = Gathering()
        title = f"Samples, {sampler.name}, {weights} weights"
        with self._bar(title) as bar:
            for start in range(0, len(codes), self.batch_size):
                rows = slice(start, start + self.batch_size)
                told = None if attributes is None else attributes[rows]
                levels = decoded(model, weights, codes[rows], told)
                gathering.add(self.extractor.analyze(levels))
                bar.update(len(levels))
        found = sample_scores(self.reference, gathering.finish(), self.seed)
        return [
            self._score(
                "samples",
                name,
                value,
                error,
                self.reference.floors[name],
                num_images=count,
                weights=weights,
                sampler=sampler.name,
                **self._features(),
            )
            for name, (value, error, count) in found.items()
        ]

    def _reconstruct(self, model):
        """What there is to know of reconstructions, by weights, and codes."""
        found = {weights: Reconstructions() for weights in decoders(model)}
        latents = Latents(model.latent_dim)
        for example in self._batches("Reconstructions"):
            told = example["attributes"] if model.num_attributes else None
            posterior = model.encode(example["image"], told)
            latents.add(posterior["mean"], posterior["log_variance"])
            images = pictures.to_uint8(example["image"])
            for weights in found:
                levels = decoded(model, weights, posterior["mean"], told)
                analysis = None
                if self.compares_features:
                    analysis = self.extractor.analyze(levels)
                found[weights].add(images, levels, analysis)
        return found, latents

    def _reconstruction_scores(self, weights, found):
        scores = [
            self._score("reconstructions", name, *numbers, weights=weights)
            for name, numbers in found.pixel_scores().items()
        ]
        if not self.compares_features:
            return scores
        made = found.gathering.finish()
        kept = {"feature_distance": len(made.features)}
        scores += [
            self._score(
                "reconstructions",
                name,
                *numbers,
                num_images=kept.get(name, self.num_images),
                weights=weights,
                **self._features(),
            )
            for name, numbers in feature_scores(self.reference, made).items()
        ]
        if made.logits is None:
            return scores
        decisions = made.logits > 0
        return [
            *scores,
            self._score(
                "reconstructions",
                "attribute_agreement",
                *agreement(decisions, self._decisions, self._decisions),
                weights=weights,
                features="predictor",
            ),
            *self._attribute_scores("attribute_accuracy", decisions, weights),
        ]

    @property
    def _decisions(self):
        """The predictor's on the real images, (n, k), if there are any."""
        if not self.compares_features or self.reference.logits is None:
            return None
        return self.reference.logits > 0

    def _attribute_scores(self, name, decisions, weights):
        """How often decisions are right where the data set knows it."""
        if decisions is None:
            return []
        theirs = list(self.extractor.attribute_names)
        ours = [n for n in self.dataset.attribute_names if n in theirs]
        if not ours:
            return []
        columns = [self.dataset.attribute_names.index(n) for n in ours]
        truth = self._attributes[:, columns] > 0.5
        asked = [theirs.index(n) for n in ours]
        return [
            self._score(
                "reconstructions",
                name,
                *agreement(
                    decisions[:, asked], truth, self._decisions[:, asked]
                ),
                weights=weights,
                features="predictor",
            )
        ]

    def _latent_scores(self, latents):
        if self.num_images < 2:
            return []
        return [
            self._score("latents", name, *numbers, weights="raw")
            for name, numbers in latents.scores().items()
        ]

    @property
    def _attributes(self):
        """Those of the real images, (n, number of attributes)."""
        return self.dataset.splits[self.split].attributes[self.positions]

    def _features(self):
        return {
            "features": self.extractor.name,
            "resize": self.extractor.resize,
        }

    def _score(self, group, name, value, error=None, floor=None, **others):
        count = others.pop("num_images", None) or self.num_images
        return Score(group, name, value, count, error, floor, **others)

    def _feature_notes(self):
        notes = []
        inception = self.extractor.inception
        if inception is not None and not inception.is_canonical:
            notes.append(
                "These are not the known Inception weights (SHA-256 begins "
                f"with {inception.digest}, not 6726825d): distances compare "
                "with each other, not with published ones."
            )
        if self.compares_features:
            dimension = self.reference.features.shape[1]
            if self.num_images // 2 <= dimension:
                notes.append(
                    f"Fréchet distances of {self.num_images:,} images with "
                    f"{dimension:,} features come out too high, and that of "
                    f"the halves more so: it takes more than {2 * dimension:,}"
                    " images for covariances that are not singular. Compare "
                    "them at equal numbers of images only; the kernel "
                    "distance has no such bias."
                )
        return notes

    def _skipped(self, model):
        skipped = []
        if not hasattr(model, "encode"):
            skipped.append(
                {
                    "what": "reconstructions and latent codes",
                    "why": "the model has no encoder",
                }
            )
        if not self.compares_features:
            why = NO_FEATURES
            if self.extractor is not None:
                why = (
                    f"features are compared of {FEWEST} images or more, and "
                    f"there are {self.num_images}"
                )
            what = "scores of samples"
            if hasattr(model, "encode"):
                what += ", feature distances and attributes"
            skipped.append({"what": what, "why": why})
        return skipped

    def _batches(self, title):
        batches = self.dataset.batches(
            self.split, self.batch_size, self.num_images
        )
        with self._bar(title) as bar:
            for example in batches.as_numpy_iterator():
                yield example
                bar.update(len(example["image"]))

    def _bar(self, title):
        return tqdm(
            total=self.num_images,
            desc=title,
            unit=" images",
            disable=None if self.progress else True,
        )


def decoders(model):
    """A model's decoders by weights: `ema`, if it has an average, and `raw`."""
    found = {"ema": model.decoder_ema, "raw": model.decoder}
    return {k: network for k, network in found.items() if network is not None}


def decoded(model, weights, codes, attributes):
    """Images of codes by one of a model's decoders, as they are looked at.

    Args:
        model: The model.
        weights: `"ema"` or `"raw"`.
        codes: (batch, latent).
        attributes: (batch, num_attributes), for conditional models.

    Returns:
        uint8 (batch, height, width, channels).
    """
    inputs = model.conditioned({"latent": codes}, attributes)
    images = decoders(model)[weights](inputs, training=False)
    return pictures.to_uint8(np.asarray(images, np.float32))
