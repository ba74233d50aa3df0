"""How faithful are reconstructions to their images?

Pixels are compared as they would be stored, in 8 bits, and in float64. Every
number comes as `(value, standard error or None, floor)`, by name; the floor is
that of pairs of unrelated real images, and that of the Fréchet distance the
distance between two halves of the real images.
"""

import numpy as np
import tensorflow as tf

from vaegan_tf.evaluation.distances import frechet_distance, mean_and_error
from vaegan_tf.evaluation.feature_set import FeatureSet

LEVELS = 255.0
_SMALLEST_ERROR = 1e-10
_WINDOW, _SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03
Numbers = tuple[float, float | None, float | None]


def psnr(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of pairs of uint8 images, (batch,), in dB.

    10 log₁₀(255² / mean squared error); 100 dB where images are equal.
    """
    difference = images.astype(np.float64) - others
    error = np.square(difference / LEVELS).mean(axis=(1, 2, 3))
    return -10.0 * np.log10(np.maximum(error, _SMALLEST_ERROR))


def ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Structural similarity of pairs of uint8 images, at most 1, (batch,).

    Means and (co)variances are those under a Gaussian window of 11×11 pixels
    and σ = 1.5, wherever it fits into the image; the index is averaged over
    positions and channels. (`tf.image.ssim` has only float32's digits.)

    Reference:
        Wang et al. (2004), "Image quality assessment", eq. 13.
    """
    x, y = (tf.constant(i, tf.float64) / LEVELS for i in (images, others))
    c1, c2 = _K1**2, _K2**2
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return tf.reduce_mean(luminance * structure, axis=[1, 2, 3]).numpy()


def _blurred(images):
    """Means under the window, along one axis after the other."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-0.5 * np.square(offsets / _SIGMA))
    weights /= weights.sum()
    for shape in ((_WINDOW, 1), (1, _WINDOW)):
        window = np.reshape(weights, [*shape, 1, 1])
        window = np.tile(window, [1, 1, images.shape[-1], 1])
        images = tf.nn.depthwise_conv2d(images, window, [1, 1, 1, 1], "VALID")
    return images


MEASURES = {"psnr": psnr, "ssim": ssim}


class Reconstructions:
    """Pixel scores and features of reconstructions, batch by batch."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {name: [] for name in MEASURES}
        self.unrelated: dict[str, list[float]] = {name: [] for name in MEASURES}
        self.features = FeatureSet()

    def add(
        self,
        images: np.ndarray,
        reconstructed: np.ndarray,
        analysis: dict[str, np.ndarray] | None = None,
    ) -> None:
        """Adds a batch of uint8 images.

        `analysis` is `Extractor.analyze` of the reconstructed ones, if
        features are compared.
        """
        even, odd = halves(images)
        for name, measure in MEASURES.items():
            self.values[name].extend(measure(images, reconstructed))
            if len(odd):
                self.unrelated[name].extend(measure(even, odd))
        if analysis is not None:
            self.features.add(analysis)

    def pixel_scores(self) -> dict[str, Numbers]:
        """Similarity pixel by pixel."""
        scores = {}
        for name, values in self.values.items():
            unrelated = self.unrelated[name]
            floor = float(np.mean(unrelated)) if unrelated else None
            scores[name] = (*mean_and_error(values), floor)
        return scores


def feature_scores(
    real: FeatureSet, reconstructed: FeatureSet
) -> dict[str, Numbers]:
    """Distances of features between images and their reconstructions."""
    distance = np.linalg.norm(real.features - reconstructed.features, axis=1)
    even, odd = halves(real.features)
    floor = float(np.linalg.norm(even - odd, axis=1).mean())
    frechet = frechet_distance(real.gaussian, reconstructed.gaussian)
    return {
        "feature_distance": (*mean_and_error(distance), floor),
        "frechet_distance": (frechet, None, real.floors["frechet_distance"]),
    }


def agreement(
    decisions: np.ndarray, truth: np.ndarray, on_images: np.ndarray
) -> Numbers:
    """Share of (n, k) boolean decisions that are right, over all of them.

    Those on the images themselves give the floor.
    """
    even, _ = halves(on_images)
    _, odd = halves(truth)
    share, error = mean_and_error((decisions == truth).mean(axis=1))
    return share, error, float((even == odd).mean())


def halves(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The entries at even and at odd positions, equally many."""
    return values[: len(values) // 2 * 2 : 2], values[1::2]
