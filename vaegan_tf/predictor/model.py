"""The attribute predictor: what it minimises and what it answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import losses, noise
from vaegan_tf.data import ImageDataset, load_dataset
from vaegan_tf.models.base import Example, ObjectiveModel, Terms
from vaegan_tf.models.registry import register
from vaegan_tf.noise import Purpose
from vaegan_tf.predictor.backbones import create_backbone
from vaegan_tf.settings import PredictorSettings


@register("predictor")
class AttributePredictor(ObjectiveModel):
    """Says which attributes an image shows, and by which features.

    Each attribute is a question of its own, answered with log-odds from the
    same features. Of rare attributes there is little to learn from: with a
    balance β the cross-entropy weighs examples that have an attribute of base
    rate r by (½ / r)^β, those without it by (½ / (1 − r))^β. What minimises
    that answers with log-odds too high by β · log((1 − r) / r), which `call`
    takes off again: its logits are log-odds for the data as they are, and
    logit > 0, "rather yes than no", is the decision of fewest errors.

    Args:
        networks: `backbone`, from `{"image": ...}` to `{"features": ...}`
            with `image_shape` and `num_features`; and `head`, from features
            to one number per attribute.
        settings: The settings.
        attribute_names: Names of the attributes.
        base_rates: Share of training images that show each attribute, between
            0 and 1 exclusively.
        dataset: Name of the data set it is trained on.
        **kwargs: `seed` and `name` of `ObjectiveModel`.
    """

    title = "predictor"
    Settings = PredictorSettings
    networks = {"backbone": keras.Model, "head": keras.layers.Dense}
    term_names = ("weighted_nll", "attribute_nll", "attribute_error")
    abilities = ("analyze",)
    best_by = "attribute_nll"
    num_validation = 2048
    settings: PredictorSettings

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: PredictorSettings | None = None,
        *,
        attribute_names: Sequence[str],
        base_rates: Sequence[float],
        dataset: str = "",
        **kwargs: Any,
    ):
        _check(attribute_names, base_rates)
        super().__init__(networks, settings, **kwargs)
        self.attribute_names = tuple(attribute_names)
        self.base_rates = tuple(float(rate) for rate in base_rates)
        self.dataset = dataset
        self.image_shape = tuple(self.backbone.image_shape)
        self.num_attributes = len(self.attribute_names)
        # As `analyze`, traced once for all batches.
        self.analyze_batch = tf.function(
            self.analyze, autograph=False, reduce_retracing=True
        )
        self(keras.KerasTensor((None, *self.image_shape)))

    @classmethod
    def create(  # type: ignore[override]
        cls,
        settings: PredictorSettings,
        *,
        image_size: int = 64,
        num_channels: int = 3,
        attribute_names: Sequence[str],
        base_rates: Sequence[float],
        **kwargs: Any,
    ) -> Self:
        """The predictor on its own networks, built but not compiled.

        `image_size` and `num_channels` are those of `create_model`, the other
        arguments those of the constructor.
        """
        _check(attribute_names, base_rates)
        backbone = create_backbone(settings, image_size, num_channels)
        head = keras.layers.Dense(
            len(attribute_names), dtype="float32", name="head"
        )
        head.build((None, backbone.num_features))
        return cls(
            {"backbone": backbone, "head": head},
            settings,
            attribute_names=attribute_names,
            base_rates=base_rates,
            **kwargs,
        )

    @classmethod
    def inputs_of(  # type: ignore[override]
        cls, dataset: ImageDataset, settings: PredictorSettings
    ) -> dict[str, Any]:
        """Shape of images, attributes and their base rates.

        Base rates are those of the training split by Laplace's rule,
        (k + 1) / (n + 2), so that none is 0 or 1.

        Raises:
            ValueError: If the data set has no attributes, or some that are
                neither present nor absent.
        """
        if not dataset.attribute_names:
            raise ValueError(
                f"A predictor needs attributes, and {dataset.name} has none."
            )
        attributes = dataset.splits["train"].attributes
        numbers = ((attributes != 0) & (attributes != 1)).any(axis=0)
        if numbers.any():
            name = dataset.attribute_names[int(numbers.argmax())]
            raise ValueError(
                f"A predictor needs attributes of 0 and 1, and {name!r} of "
                f"{dataset.name} has other values. Leave it out by naming the "
                "others in `attributes`."
            )
        rates = (attributes.sum(axis=0) + 1) / (len(attributes) + 2)
        return {
            **super().inputs_of(dataset, settings),
            "attribute_names": list(dataset.attribute_names),
            "base_rates": [round(float(rate), 6) for rate in rates],
            "dataset": dataset.name,
        }

    def load_initial_weights(self) -> None:
        """Gives the backbone the trained weights that were asked for."""
        source = self.settings.from_run or self.settings.backbone_weights
        if source:
            self.backbone.load_pretrained(source)

    @staticmethod
    def load_dataset(
        name: str, *, labels: int | None = None, seed: int = 0, **arguments: Any
    ) -> ImageDataset:
        """A data set of images, of which training sees `labels` alone.

        The other arguments and the errors are those of `load_dataset`.
        """
        dataset = load_dataset(name, seed=seed, **arguments)
        return dataset if labels is None else dataset.with_labels(labels, seed)

    def call(
        self, inputs: tf.Tensor, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """As `analyze`, without its check of the images' shape."""
        outputs = self.backbone({"image": inputs}, training=training)
        logits = self.head(outputs["features"]) + self._excess()
        return {"features": outputs["features"], "logits": logits}

    def analyze(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features and log-odds of images.

        Args:
            images: Images in [−1, 1], (batch, height, width, channels).

        Returns:
            `{"features": (batch, d), "logits": (batch, num_attributes)}`,
            float32. An attribute is rather present than not where its logit
            is positive; its probability is the sigmoid of it.

        Raises:
            ValueError: If images have another shape than those trained on.
        """
        return self(super().as_example(images)["image"], training=False)

    def terms(self, example: Example, training: bool) -> Terms:
        """Cross-entropies, in nats, and the share of wrong answers.

        Returns:
            `weighted_nll`, which is minimised; `attribute_nll`, without
            weights, of the log-odds that `call` returns (both summed over
            attributes); and `attribute_error`, (batch,) each.
        """
        images, attributes = example["image"], example["attributes"]
        features = self.backbone({"image": images}, training=training)
        answers = self.head(self._dropout(features["features"], training))
        logits = answers + self._excess()
        wrong = tf.cast(tf.not_equal(logits > 0, attributes > 0.5), tf.float32)
        weights = self._class_weights()
        return {
            "weighted_nll": losses.attribute_nll(attributes, answers, *weights),
            "attribute_nll": losses.attribute_nll(attributes, logits),
            "attribute_error": tf.reduce_mean(wrong, axis=-1),
        }

    def objectives(self, terms: Terms) -> Terms:
        """Both networks minimise the weighted cross-entropy."""
        return dict.fromkeys(self.networks, terms["weighted_nll"])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "attribute_names": list(self.attribute_names),
            "base_rates": list(self.base_rates),
            "dataset": self.dataset,
        }

    def as_example(self, data: Any) -> dict[str, tf.Tensor]:
        """Turns what Keras hands over into an example, and checks it."""
        example = super().as_example(data)
        attributes = example.get("attributes")
        if attributes is None or attributes.shape[-1] != self.num_attributes:
            shape = None if attributes is None else tuple(attributes.shape)
            raise ValueError(
                "A predictor learns from `attributes` of shape (batch, "
                f"{self.num_attributes}) beside the images. Received: {shape}."
            )
        return {**example, "attributes": tf.cast(attributes, tf.float32)}

    def _dropout(self, features: tf.Tensor, training: bool) -> tf.Tensor:
        """Dropout by noise of the step."""
        if not (training and self.settings.dropout):
            return features
        shape = [tf.shape(features)[0], features.shape[1]]
        lots = noise.uniform(shape, self.noise_seed, self.step, Purpose.DROPOUT)
        kept = features / (1.0 - self.settings.dropout)
        return tf.where(lots < self.settings.dropout, 0.0, kept)

    def _class_weights(self) -> list[np.ndarray]:
        """Weights of presence and of absence, (num_attributes,) each."""
        rates = np.array(self.base_rates)
        weights = (0.5 / np.stack([rates, 1 - rates])) ** self.settings.balance
        return list(weights.astype(np.float32))

    def _excess(self) -> np.ndarray:
        """−β log((1 − r) / r): what the weights add to log-odds, taken off."""
        presence, absence = self._class_weights()
        return np.log(absence / presence)


def _check(attribute_names: Sequence[str], base_rates: Sequence[float]) -> None:
    if not attribute_names:
        raise ValueError("A predictor needs at least one attribute.")
    in_range = all(0 < rate < 1 for rate in base_rates)
    if not in_range or len(base_rates) != len(attribute_names):
        raise ValueError(
            "`base_rates` must hold a number between 0 and 1 for each of the "
            f"{len(attribute_names)} attributes. Received: {base_rates}."
        )
