"""Where do the numbers come from that stand for an image?"""

import hashlib

import numpy as np
import tensorflow as tf

# Data sets of the same images under two names.
_SAME = {"celeb_a_files": "celeb_a"}


class Extractor:
    """Features of images, and decisions about their attributes.

    Features are Inception's if it is given, else the predictor's.

    Args:
        predictor: An attribute predictor: a model with `image_shape`,
            `attribute_names`, `dataset` and `analyze(images)`, which returns
            `{"features": (batch, d), "logits": (batch, k)}` of images in
            [−1, 1]. `None` if there is none.
        inception: An `Inception`, or `None`.

    Raises:
        ValueError: If both are `None`.
    """

    def __init__(self, predictor=None, inception=None):
        if predictor is None and inception is None:
            raise ValueError(
                "Features need a predictor or an Inception network."
            )
        self.predictor = predictor
        self.inception = inception
        self.name = "predictor" if inception is None else "inception"
        self.resize = None if inception is None else inception.resize

    @property
    def attribute_names(self):
        """Names of the attributes that are decided on, possibly none."""
        return () if self.predictor is None else self.predictor.attribute_names

    @property
    def key(self):
        """A name of the networks and their weights, for files."""
        parts = []
        if self.inception is not None:
            inception = self.inception
            parts += ["inception", inception.digest, inception.convention]
        if self.predictor is not None:
            parts += ["predictor", _digest(self.predictor)]
        return "-".join(parts)

    def analyze(self, images):
        """What the networks say about images.

        Args:
            images: uint8 (batch, height, width, channels).

        Returns:
            `features`, (batch, d), and with a predictor `logits`, (batch, k);
            float32 arrays.
        """
        result = {}
        if self.predictor is not None:
            floats = tf.cast(images, tf.float32) / 127.5 - 1.0
            analysis = self.predictor.analyze(floats)
            result = {
                name: np.asarray(analysis[name], np.float32)
                for name in ("features", "logits")
            }
        if self.inception is not None:
            result["features"] = self.inception(images)
        return result

    def check(self, dataset):
        """Refuses a predictor of other images.

        Args:
            dataset: An `ImageDataset`.

        Raises:
            ValueError: If the predictor was trained on another data set, or
                takes images of another shape.
        """
        if self.predictor is None:
            return
        theirs, ours = self.predictor.dataset, dataset.name
        if _family(theirs) != _family(ours):
            raise ValueError(
                f"The predictor was trained on {theirs}, the model on {ours}. "
                "Give a predictor of the same data set."
            )
        theirs, ours = self.predictor.image_shape, dataset.image_shape
        if tuple(theirs) != tuple(ours):
            raise ValueError(
                f"The predictor takes images of {_in_words(theirs)}, the "
                f"model's are {_in_words(ours)}. Give a predictor that was "
                "trained with the same --image_size and --num_channels."
            )


def _family(name):
    base = name.partition("/")[0]
    return _SAME.get(base, base)


def _in_words(shape):
    return "×".join(str(size) for size in shape)


def _digest(model):
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(np.asarray(weight).tobytes())
    return digest.hexdigest()[:12]
