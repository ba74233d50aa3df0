"""Features of images, and decisions about their attributes."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from vaegan_tf.data import ImageDataset
from vaegan_tf.evaluation.inception import Inception
from vaegan_tf.models import require
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import steps_in
from vaegan_tf.settings import FeatureSettings

# Data sets of the same images under two names.
_SAME = {"celeb_a_files": "celeb_a"}


class Predictor(Protocol):
    """What an `Extractor` needs of an attribute predictor."""

    dataset: str
    image_shape: tuple[int, int, int]
    attribute_names: Sequence[str]
    weights: list

    def analyze(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """`features`, (batch, d), and `logits`, (batch, k)."""


class Extractor:
    """Features of images, and decisions about their attributes.

    Features are Inception's if it is given, else the predictor's.
    """

    def __init__(
        self,
        predictor: Predictor | None = None,
        inception: Inception | None = None,
    ):
        if predictor is None and inception is None:
            raise ValueError(
                "Features need a predictor or an Inception network."
            )
        self.predictor = predictor
        self.inception = inception
        self.name = "predictor" if inception is None else "inception"
        self.resize = None if inception is None else inception.resize

    @property
    def attribute_names(self) -> Sequence[str]:
        """Names of the attributes that are decided on, possibly none."""
        return () if self.predictor is None else self.predictor.attribute_names

    @property
    def key(self) -> str:
        """Identifies the networks and their weights, for file names."""
        parts = []
        if (inception := self.inception) is not None:
            parts += ["inception", inception.digest, inception.convention]
        if self.predictor is not None:
            digest = hashlib.sha256()
            for weight in self.predictor.weights:
                digest.update(np.asarray(weight).tobytes())
            parts += ["predictor", digest.hexdigest()[:12]]
        return "-".join(parts)

    def analyze(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Features and decisions of uint8 (batch, height, width, channels).

        Returns:
            `features`, (batch, d), and with a predictor `logits`, (batch, k);
            float32 arrays.
        """
        result = {}
        if self.predictor is not None:
            floats = tf.cast(images, tf.float32) / 127.5 - 1.0
            analysis = self.predictor.analyze(floats)
            for name in ("features", "logits"):
                result[name] = np.asarray(analysis[name], np.float32)
        if self.inception is not None:
            result["features"] = self.inception(images)
        return result

    def check(self, dataset: ImageDataset) -> None:
        """ValueError if the predictor is of other data or image shapes."""
        if self.predictor is None:
            return
        theirs, ours = self.predictor.dataset, dataset.name
        if _base_name(theirs) != _base_name(ours):
            raise ValueError(
                f"The predictor was trained on {theirs}, the model on {ours}. "
                "Give a predictor of the same data set."
            )
        shape = self.predictor.image_shape
        if tuple(shape) != tuple(dataset.image_shape):
            theirs, ours = (
                "×".join(map(str, s)) for s in (shape, dataset.image_shape)
            )
            raise ValueError(
                f"The predictor takes images of {theirs}, the model's are "
                f"{ours}. Give a predictor that was trained with the same "
                "image_size and num_channels."
            )


def _base_name(dataset):
    base = dataset.partition("/")[0]
    return _SAME.get(base, base)


def create_extractor(settings: FeatureSettings) -> Extractor | None:
    """The features that settings name; `None` if they name none.

    Raises:
        FileNotFoundError: If a folder or file is not there.
        ValueError: If it holds something else.
    """
    predictor = inception = None
    if settings.predictor:
        run = Run(settings.predictor)
        require(run.model_class, "analyze")
        predictor, _ = run.model("best" if steps_in(run.best) else "latest")
    if settings.inception_weights:
        inception = Inception(
            settings.inception_weights, settings.inception_resize
        )
    if predictor is None and inception is None:
        return None
    return Extractor(predictor, inception)
