"""How faithful are reconstructions to their images?

Every number comes as `(value, standard error or None, floor)`, by name; the
floor is that of pairs of real images that do not belong together, and that of
the Fréchet distance the distance between two halves of the real images.
"""

import numpy as np

from vaegan_tf.evaluation import pixels
from vaegan_tf.evaluation.distances import frechet_distance
from vaegan_tf.evaluation.feature_set import Gathering
from vaegan_tf.evaluation.statistics import mean_and_error


class Reconstructions:
    """What is kept of reconstructions, gathered batch by batch."""

    measures = ("psnr", "ssim")

    def __init__(self):
        self.values = {name: [] for name in self.measures}
        self.unrelated = {name: [] for name in self.measures}
        self.gathering = Gathering()

    def add(self, images, reconstructed, analysis=None):
        """Adds a batch.

        Args:
            images: uint8 (batch, height, width, channels).
            reconstructed: Of the same shape.
            analysis: What `Extractor.analyze` says of the latter, if it is
                to be compared.
        """
        even, odd = halves(images)
        for name in self.measures:
            measure = getattr(pixels, name)
            self.values[name].extend(measure(images, reconstructed))
            if len(odd):
                self.unrelated[name].extend(measure(even, odd))
        if analysis is not None:
            self.gathering.add(analysis)

    def pixel_scores(self):
        """Likeness pixel by pixel."""
        return {
            name: (
                *mean_and_error(values),
                np.mean(self.unrelated[name]).item()
                if self.unrelated[name]
                else None,
            )
            for name, values in self.values.items()
        }


def feature_scores(real, made):
    """Distances of features.

    Args:
        real: The images' `FeatureSet`.
        made: That of their reconstructions, in the same order.
    """
    distance = np.linalg.norm(real.features - made.features, axis=1)
    even, odd = halves(real.features)
    return {
        "feature_distance": (
            *mean_and_error(distance),
            float(np.linalg.norm(even - odd, axis=1).mean()),
        ),
        "frechet_distance": (
            frechet_distance(real.gaussian, made.gaussian),
            None,
            real.floors["frechet_distance"],
        ),
    }


def agreement(decisions, truth, on_images):
    """How often decisions are right, of all images and attributes.

    Args:
        decisions: Booleans (n, k).
        truth: Booleans (n, k).
        on_images: Decisions on the images themselves, for the floor.

    Returns:
        `(share, standard error, floor)`.
    """
    even, _ = halves(on_images)
    _, odd = halves(truth)
    share, error = mean_and_error((decisions == truth).mean(axis=1))
    return share, error, float((even == odd).mean())


def halves(values):
    """The even and the odd places, as many of the one as of the other."""
    return values[: len(values) // 2 * 2 : 2], values[1::2]
