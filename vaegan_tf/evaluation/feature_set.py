"""What is kept of the features of many images, and how two sets compare."""

import functools
import os
import pathlib
import tempfile
import zipfile

import numpy as np

from vaegan_tf.evaluation import distances, manifolds
from vaegan_tf.evaluation.statistics import Gaussian, Moments

# As many as the papers of precision and coverage compare.
MOST_KEPT = 10_000
# Two halves, each with more images than the manifolds' neighbours and enough
# for two subsets of the kernel distance.
FEWEST = 20
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class FeatureSet:
    """Features of a set of images, gathered batch by batch.

    The moments of all images are kept in two halves, of the even and of the
    odd places, whose distance says what a distance of 0 looks like with so
    many images. Features themselves are kept of the first 10,000.

    Args:
        halves: Moments of the even and the odd places.
        features: Features of the first images, (n, d).
        logits: Logits of all images, (count, k), or `None`.
    """

    def __init__(self, halves, features, logits=None):
        self.halves = halves
        self.features = features
        self.logits = logits

    @property
    def count(self):
        """How many images there are."""
        return self.halves[0].count + self.halves[1].count

    @functools.cached_property
    def gaussian(self) -> Gaussian:
        """The Gaussian of all images' mean and covariance."""
        return self.halves[0].merged(self.halves[1]).gaussian

    @functools.cached_property
    def floors(self):
        """`sample_scores` of one half of the images against the other."""
        even, odd = self.features[0::2], self.features[1::2]
        first, second = (half.gaussian for half in self.halves)
        return {
            "frechet_distance": distances.frechet_distance(first, second),
            "kernel_distance": distances.kernel_distance(even, odd)[0],
            **manifolds.manifold_scores(even, odd),
        }

    def save(self, path, images):
        """Writes the set to an `.npz`, whole or not at all.

        Args:
            path: The file; its folder is made if missing.
            images: What tells these images from others, a text.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=".partial", dir=path.parent
        )
        try:
            with open(descriptor, "wb") as file:
                np.savez(file, **self._arrays(), images=np.array(images))
            os.replace(name, path)
        finally:
            pathlib.Path(name).unlink(missing_ok=True)

    @classmethod
    def load(cls, path, images):
        """The set that `save` wrote of the same images; else `None`."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
                if str(arrays["images"]) != images:
                    return None
            halves = [_moments(arrays, half) for half in ("even", "odd")]
            return cls(halves, arrays["features"], arrays.get("logits"))
        except _DAMAGED:
            return None

    def _arrays(self):
        arrays = {"features": self.features}
        if self.logits is not None:
            arrays["logits"] = self.logits
        for name, half in zip(("even", "odd"), self.halves):
            arrays[f"{name}_count"] = np.array(half.count)
            arrays[f"{name}_mean"] = half.mean
            arrays[f"{name}_scatter"] = half.scatter
        return arrays


class Gathering:
    """A `FeatureSet` in the making."""

    def __init__(self):
        self.halves = None
        self.count = self.kept = 0
        self.features, self.logits = [], []

    def add(self, analysis):
        """Adds what `Extractor.analyze` returned of a batch."""
        features = analysis["features"]
        if self.halves is None:
            self.halves = [Moments(features.shape[1]) for _ in range(2)]
        places = self.count + np.arange(len(features))
        for parity, half in enumerate(self.halves):
            half.add(features[places % 2 == parity])
        self.features.append(features[: MOST_KEPT - self.kept])
        self.kept += len(self.features[-1])
        self.count += len(features)
        if "logits" in analysis:
            self.logits.append(analysis["logits"])

    def finish(self):
        """The `FeatureSet`."""
        logits = np.concatenate(self.logits) if self.logits else None
        return FeatureSet(self.halves, np.concatenate(self.features), logits)


def sample_scores(real, generated, seed=0):
    """How far generated images are from real ones.

    Args:
        real: A `FeatureSet`.
        generated: Another.
        seed: Seed of the kernel distance's subsets.

    Returns:
        `(value, standard error or None, number of images)` by name.
    """
    kept = min(len(real.features), len(generated.features))
    shapes = manifolds.manifold_scores(real.features, generated.features)
    distance = distances.frechet_distance(real.gaussian, generated.gaussian)
    return {
        "frechet_distance": (distance, None, generated.count),
        "kernel_distance": (
            *distances.kernel_distance(real.features, generated.features, seed),
            kept,
        ),
        **{name: (value, None, kept) for name, value in shapes.items()},
    }


def _moments(arrays, name):
    moments = Moments(len(arrays[f"{name}_mean"]))
    moments.count = int(arrays[f"{name}_count"])
    moments.mean = arrays[f"{name}_mean"]
    moments.scatter = arrays[f"{name}_scatter"]
    return moments
