"""The attribute predictor: what it minimises and what it answers."""

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import losses, noise
from vaegan_tf.models.base import ObjectiveModel
from vaegan_tf.noise import Purpose


@keras.saving.register_keras_serializable(package="vaegan_tf")
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
        backbone: Network from `{"image": ...}` to `{"features": ...}`, with
            `image_shape` and `num_features`.
        head: Network from features to one number per attribute; by default a
            fully connected layer.
        attribute_names: Names of the attributes.
        base_rates: Share of training images that show each attribute, between
            0 and 1.
        dataset: Name of the data set it is trained on.
        balance: β, from 0 (plain cross-entropy) to 1 (either answer weighs
            the same in all).
        dropout: Probability with which training hides a feature.
        seed: Seed of what is hidden.
        name: Name of the model.

    Raises:
        ValueError: If an argument is out of range.
    """

    network_names = ("backbone", "head")
    trained_networks = network_names
    term_names = ("weighted_nll", "attribute_nll", "attribute_error")
    settings = (
        "attribute_names",
        "base_rates",
        "dataset",
        "balance",
        "dropout",
    )

    def __init__(
        self,
        backbone,
        head=None,
        *,
        attribute_names,
        base_rates,
        dataset="",
        balance=0.5,
        dropout=0.2,
        seed=0,
        name="predictor",
    ):
        _check(attribute_names, base_rates, balance, dropout)
        head = head or _head(backbone.num_features, len(attribute_names))
        networks = {"backbone": backbone, "head": head}
        super().__init__(networks, seed=seed, name=name)
        self.attribute_names = tuple(attribute_names)
        self.base_rates = tuple(float(rate) for rate in base_rates)
        self.dataset = dataset
        self.balance = balance
        self.dropout = dropout
        self.image_shape = tuple(backbone.image_shape)
        self.num_attributes = len(self.attribute_names)
        self(keras.KerasTensor((None, *self.image_shape)))

    def call(self, inputs, training=False):
        """Features and log-odds of images in [−1, 1].

        Args:
            inputs: (batch, height, width, channels).
            training: Whether normalisation uses the batch's own statistics.

        Returns:
            `{"features": (batch, d), "logits": (batch, num_attributes)}`,
            float32.
        """
        features = self.backbone({"image": inputs}, training=training)
        features = features["features"]
        return {
            "features": features,
            "logits": self.head(features) + self._excess(),
        }

    def analyze(self, images):
        """What `call` answers, after a check of the images' shape.

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

    def terms(self, example, training):
        """Cross-entropies, in nats, and the share of wrong answers.

        Returns:
            `weighted_nll`, which is minimised; `attribute_nll`, without
            weights, of the log-odds that `call` returns (both summed over
            attributes); and `attribute_error`, (batch,) each.
        """
        features = self.backbone(
            {"image": example["image"]}, training=training
        )["features"]
        if training and self.dropout:
            features = self._hide(features)
        answers, attributes = self.head(features), example["attributes"]
        logits = answers + self._excess()
        wrong = tf.not_equal(logits > 0, attributes > 0.5)
        return {
            "weighted_nll": losses.attribute_nll(
                attributes, answers, *self._weights()
            ),
            "attribute_nll": losses.attribute_nll(attributes, logits),
            "attribute_error": tf.reduce_mean(
                tf.cast(wrong, tf.float32), axis=-1
            ),
        }

    def objectives(self, terms):
        """Both networks minimise the weighted cross-entropy."""
        return dict.fromkeys(self.trained_networks, terms["weighted_nll"])

    def as_example(self, data):
        """Turns what Keras hands over into an example, and checks it.

        Raises:
            ValueError: If images have another shape than the network takes,
                or attributes are missing or of another number.
        """
        example = super().as_example(data)
        attributes = example.get("attributes")
        if attributes is None or attributes.shape[-1] != self.num_attributes:
            shape = None if attributes is None else tuple(attributes.shape)
            raise ValueError(
                "A predictor learns from `attributes` of shape (batch, "
                f"{self.num_attributes}) beside the images. Received: {shape}."
            )
        return {**example, "attributes": tf.cast(attributes, tf.float32)}

    def _hide(self, features):
        shape = [tf.shape(features)[0], features.shape[1]]
        lots = noise.uniform(shape, self.noise_seed, self.step, Purpose.DROPOUT)
        kept = features / (1.0 - self.dropout)
        return tf.where(lots < self.dropout, 0.0, kept)

    def _weights(self):
        rates = np.array(self.base_rates)
        return [
            ((0.5 / share) ** self.balance).astype(np.float32)
            for share in (rates, 1 - rates)
        ]

    def _excess(self):
        """−β log((1 − r) / r): what the weights add to log-odds, taken off."""
        rates = np.array(self.base_rates)
        excess = self.balance * (np.log(rates) - np.log1p(-rates))
        return excess.astype(np.float32)


def _head(num_features, num_attributes):
    head = keras.layers.Dense(num_attributes, dtype="float32", name="head")
    head.build((None, num_features))
    return head


def _check(attribute_names, base_rates, balance, dropout):
    if not attribute_names:
        raise ValueError("A predictor needs at least one attribute.")
    if len(base_rates) != len(attribute_names) or not all(
        0 < rate < 1 for rate in base_rates
    ):
        raise ValueError(
            "`base_rates` must hold a number between 0 and 1 for each of the "
            f"{len(attribute_names)} attributes. Received: {base_rates}."
        )
    if not 0 <= balance <= 1:
        raise ValueError(
            f"`balance` must lie in [0, 1]. Received: balance={balance}."
        )
    if not 0 <= dropout < 1:
        raise ValueError(
            f"`dropout` must lie in [0, 1). Received: dropout={dropout}."
        )
