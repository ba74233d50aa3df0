"""What can be tried of a trained model, and if something cannot, why not."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Self, cast

import numpy as np
import tensorflow as tf

from vaegan_tf.attributes import AttributeVectors, kept_vectors, paths
from vaegan_tf.attributes.edits import with_residual
from vaegan_tf.attributes.kept import check_attributes
from vaegan_tf.models import GenerativeModel, ObjectiveModel, require
from vaegan_tf.runs import Run
from vaegan_tf.sampling import PriorSampler, Sampler, kept_mixture
from vaegan_tf.settings import DataSettings
from vaegan_tf.similarity import LearnedMetric

_NEEDS: Mapping[str, Sequence[str]] = {
    "edit": ("encode",),
    "between": ("encode",),
    "compare": ("discriminate",),
    "anomaly": ("encode", "discriminate"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """A model to be tried, and what commands call it.

    Images are float in [−1, 1], (n, height, width, channels).

    Args:
        label: What people call it.
        flags: What a command opens the model by, such as `--model_dir=runs/a`.
        model: The model, in float32.
        data: How photographs are cut for it.
        samplers: Where codes of samples may come from, by name.
        vectors: Its attribute vectors, if there are any.
        conditions: Names of the attributes that a conditional model is given.
        without_vectors: Why there are no vectors.
        without_mixture: Why `samplers` has no mixture.
    """

    label: str
    flags: tuple[str, ...]
    model: GenerativeModel
    data: DataSettings
    samplers: Mapping[str, Sampler]
    vectors: AttributeVectors | None = None
    conditions: tuple[str, ...] = ()
    without_vectors: str = ""
    without_mixture: str = ""

    @classmethod
    def of(
        cls,
        run: Run,
        model: ObjectiveModel,
        label: str,
        flags: Sequence[str] = (),
        checkpoint: str = "latest",
    ) -> Self:
        """The subject of an opened run. No data set is read.

        Raises:
            ValueError: If the model draws no images.
        """
        require(model, "sample")
        model = cast(GenerativeModel, model)
        words = " ".join(flags)
        vectors, without_vectors = _found(
            lambda: check_attributes(run),
            lambda: kept_vectors(run, checkpoint),
            "This checkpoint has no attribute vectors yet. Compute them with "
            f"vaegan-attributes {words} and start this page again.",
        )
        mixture, without_mixture = _found(
            lambda: require(model, "encode"),
            lambda: kept_mixture(run, checkpoint),
            "No mixture is fitted to codes of this checkpoint yet. Fit it "
            f"with vaegan-sample {words} --sampler=mixture and start this "
            "page again.",
        )
        prior = PriorSampler(model.latent_dim)
        names = run.read().get("attribute_names", [])
        return cls(
            label,
            tuple(flags),
            model,
            cast(DataSettings, run.settings.data),
            {each.name: each for each in (prior, mixture) if each},
            vectors,
            tuple(names) if model.num_attributes else (),
            without_vectors,
            without_mixture,
        )

    def warm_up(self) -> None:
        """Compiles what sliders need, so that the first move is quick."""
        image = self.sample(1, 0, {})
        if not self.obstacle("edit"):
            self.edit(image, {})
        if not self.obstacle("compare"):
            self.compare(image, image)

    def obstacle(self, tool: str) -> str:
        """Why a tool does not work with this model; empty if it does."""
        try:
            for ability in _NEEDS.get(tool, ()):
                require(self.model, ability)
        except ValueError as error:
            return str(error)
        if self.conditions and "encode" in _NEEDS.get(tool, ()):
            return (
                "This model is conditional: it is given attributes beside "
                "the code. Move them at its samples instead."
            )
        return ""

    def sample(
        self,
        count: int,
        seed: int,
        present: Mapping[str, float],
        sampler: str = "prior",
    ) -> np.ndarray:
        """Images of random codes, as `vaegan-sample` draws them."""
        attributes = None
        if self.conditions:
            row = [present.get(name, 0.0) for name in self.conditions]
            attributes = np.tile(np.asarray(row, np.float32), (count, 1))
        codes = self.samplers[sampler].codes(count, seed)
        return self._decode(codes, attributes).numpy()

    def edit(
        self,
        image: np.ndarray,
        strengths: Mapping[str, float],
        vectors: str = "balanced",
        keep: str = "none",
    ) -> tuple[np.ndarray, np.ndarray]:
        """The reconstruction of an image, and its edit by `vaegan-edit`."""
        direction = np.zeros(self.model.latent_dim, np.float32)
        if self.vectors is not None:
            direction = self.vectors.direction(strengths, vectors)
        code = self._encode(image)
        both = self._decode(tf.concat([code, code + direction], axis=0)).numpy()
        reconstruction, edited = both[:1], both[1:]
        if keep == "residual":
            edited = with_residual(edited, reconstruction, image)
        return reconstruction, edited

    def knows(self, attribute: str) -> bool:
        """Whether there is a vector of this attribute."""
        return self.vectors is not None and attribute in self.vectors.names

    def between(
        self, start: np.ndarray, end: np.ndarray, frames: int, path: str
    ) -> np.ndarray:
        """Frames from one image to another, as `vaegan-edit` makes them."""
        first, last = self._encode(np.concatenate([start, end])).numpy()
        codes = paths.interpolate(first, last, frames, path)
        return self._decode(codes).numpy()

    def compare(
        self, image: np.ndarray, other: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The numbers of `LearnedMetric`, and `map`, of a pair of images."""
        compared = self._compare(tf.constant(image), tf.constant(other))
        return {name: values.numpy() for name, values in compared.items()}

    # Compiled, a network of 64 × 64 pixels answers five times as fast.

    @functools.cached_property
    def _encode(self):
        mean = tf.function(lambda image: self.model.encode(image)["mean"])
        return lambda image: mean(tf.constant(image))

    @functools.cached_property
    def _decode(self):
        decode = tf.function(self.model.decode, reduce_retracing=True)
        return lambda codes, attributes=None: decode(
            tf.constant(codes), attributes
        )

    @functools.cached_property
    def _compare(self):
        metric = LearnedMetric(self.model)
        return tf.function(
            lambda image, other: {
                **metric(image, other),
                "map": metric.difference_map(image, other),
            }
        )


def _found(check, find, otherwise):
    """What is found of a run that passes a check, or `None` and why not."""
    try:
        check()
    except ValueError as error:
        return None, str(error)
    found = find()
    return (found, "") if found is not None else (None, otherwise)
