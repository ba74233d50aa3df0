"""Features of a set of images, and how two sets compare."""

import functools
import pathlib
from typing import Any

import numpy as np

from vaegan_tf import files
from vaegan_tf.evaluation import distances
from vaegan_tf.evaluation.distances import Gaussian, Moments

# As many as the papers of precision and coverage compare.
MAX_KEPT = 10_000
# Two halves, each with more images than the manifolds' neighbours and enough
# for two subsets of the kernel distance.
MIN_IMAGES = 20
_HALVES = ("even", "odd")
_MOMENTS = ("count", "mean", "scatter")
_DAMAGED = (OSError, ValueError, LookupError, TypeError)


class FeatureSet:
    """Features of a set of images, which is read once all are added.

    `halves` are the moments of all images at even and at odd positions: the
    distance between them is what a perfect model would get with so many.
    """

    def __init__(self) -> None:
        self.halves: list[Moments] = []
        self._features: list[np.ndarray] = []
        self._logits: list[np.ndarray] = []

    def add(self, analysis: dict[str, np.ndarray]) -> None:
        """Adds what `Extractor.analyze` returned for a batch."""
        features, count = analysis["features"], self.count
        if not self.halves:
            self.halves = [Moments(features.shape[1]) for _ in _HALVES]
        for parity, half in enumerate(self.halves):
            half.add(features[(count + parity) % 2 :: 2])
        self._features.append(features[: max(MAX_KEPT - count, 0)])
        if "logits" in analysis:
            self._logits.append(analysis["logits"])

    @property
    def count(self) -> int:
        """The number of images."""
        return sum(half.count for half in self.halves)

    @functools.cached_property
    def features(self) -> np.ndarray:
        """Features of the first 10,000 images, (n, d)."""
        return np.concatenate(self._features)

    @functools.cached_property
    def logits(self) -> np.ndarray | None:
        """Logits of all images, (count, k), if there are any."""
        return np.concatenate(self._logits) if self._logits else None

    @functools.cached_property
    def gaussian(self) -> Gaussian:
        """The Gaussian of all images' mean and covariance."""
        return self.halves[0].merged(self.halves[1]).gaussian

    @functools.cached_property
    def floors(self) -> dict[str, float]:
        """`sample_scores` of one half of the images against the other."""
        even, odd = self.features[0::2], self.features[1::2]
        first, second = (half.gaussian for half in self.halves)
        return {
            "frechet_distance": distances.frechet_distance(first, second),
            "kernel_distance": distances.kernel_distance(even, odd)[0],
            **distances.manifold_scores(even, odd),
        }

    def save(self, path: pathlib.Path, images: str) -> None:
        """Writes an `.npz` atomically; `images` identifies them to `load`."""
        arrays: dict[str, Any] = {"images": images, "features": self.features}
        if self.logits is not None:
            arrays["logits"] = self.logits
        for name, half in zip(_HALVES, self.halves):
            arrays |= {f"{name}_{key}": getattr(half, key) for key in _MOMENTS}
        files.write_npz(path, arrays)

    def _is_whole(self):
        """Whether arrays that were read fit each other."""
        width = self.halves[0].mean.shape
        return (
            len(width) == 1
            and self.features.shape == (min(self.count, MAX_KEPT), *width)
            and all(half.scatter.shape == width * 2 for half in self.halves)
        )

    @classmethod
    def load(cls, path: pathlib.Path, images: str) -> "FeatureSet | None":
        """The set that `save` wrote of the same images; else `None`."""
        try:
            arrays = files.read_npz(path)
            if str(arrays["images"]) != images:
                return None
            result = cls()
            for name in _HALVES:
                half = Moments(len(arrays[f"{name}_mean"]))
                for key in _MOMENTS:
                    setattr(half, key, arrays[f"{name}_{key}"][()])
                result.halves.append(half)
            result.features = arrays["features"]
            result.logits = arrays.get("logits")
            return result if result._is_whole() else None
        except _DAMAGED:
            return None


def sample_scores(
    real: FeatureSet, generated: FeatureSet, seed: int = 0
) -> dict[str, tuple[float, float | None, int]]:
    """How far generated images are from real ones.

    Returns:
        `(value, standard error or None, number of images)` by name. The seed
        is that of the kernel distance's subsets.
    """
    first, second = real.features, generated.features
    kept = min(len(first), len(second))
    frechet = distances.frechet_distance(real.gaussian, generated.gaussian)
    kernel = distances.kernel_distance(first, second, seed)
    shares = distances.manifold_scores(first, second)
    return {
        "frechet_distance": (frechet, None, generated.count),
        "kernel_distance": (*kernel, kept),
        **{name: (value, None, kept) for name, value in shares.items()},
    }
