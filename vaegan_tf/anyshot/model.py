"""Who minimises what in feature space, of all parts of f-VAEGAN-D2?"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import losses, noise
from vaegan_tf.anyshot.dataset import FeatureDataset, load_features
from vaegan_tf.models import steps
from vaegan_tf.models.base import Example, ObjectiveModel, Terms
from vaegan_tf.noise import Purpose


class Game(NamedTuple):
    """How the decoder plays against a critic."""

    prefix: str  # Of the names of its examples, terms and weight.
    codes: Purpose
    mixing: Purpose


GAMES = {
    "critic": Game("", Purpose.PRIOR, Purpose.INTERPOLATION),
    "novel_critic": Game("novel_", Purpose.NOVEL, Purpose.NOVEL_INTERPOLATION),
}


class FeatureModel(ObjectiveModel):
    """Draws features of classes, also of those it has seen no labels of.

    Examples are `{"feature": (batch, d), "attributes": (batch, a)}` and, with
    the unconditional critic, `"novel_feature": (batch, d)`, without labels,
    and `"novel_attributes": (batch, a)`, of classes drawn by how frequent they
    are. Features are in the data's own units. Networks see them scaled by the
    training examples: to the unit interval, where they are taken for means of
    a Bernoulli distribution, or to mean 0 and variance 1, for a Gaussian one.

    Which of the networks a subclass has makes the model.

    Args:
        networks: `decoder`, the paper's G; and of `encoder`, `critic` (D1) and
            `novel_critic` (D2) those that the class names.
        settings: The settings.
        offset: What is taken off each of the d numbers of a feature.
        unit: What it is divided by then, above 0.
        **kwargs: `seed` and `name` of `ObjectiveModel`.

    Reference:
        Xian et al. (2019), "f-VAEGAN-D2: a feature generating framework for
        any-shot learning", section 3. Weights and schedule follow the code
        that was released for few-shot learning, but losses are means over a
        batch.
    """

    abilities = ("generate",)
    best_by = ""  # Nothing is chosen by examples of seen classes.
    settings: Any

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: Any = None,
        *,
        offset: Sequence[float],
        unit: Sequence[float],
        **kwargs: Any,
    ):
        super().__init__(networks, settings, **kwargs)
        self.offset = np.asarray(offset, np.float32)
        self.unit = np.asarray(unit, np.float32)
        self.ema_momentum = self.settings.ema_momentum
        if self.ema_momentum:
            self.decoder_ema = steps.frozen_copy(self.decoder)
        self.num_features = self.decoder.num_features
        self.num_attributes = self.decoder.num_attributes
        self.latent_dim = self.decoder.latent_dim
        if not self.offset.shape == self.unit.shape == (self.num_features,):
            shapes = self.offset.shape, self.unit.shape
            raise ValueError(
                f"`offset` and `unit` must hold {self.num_features} numbers "
                f"each. Received: shapes {shapes[0]} and {shapes[1]}."
            )
        self(
            {
                "latent": keras.KerasTensor((None, self.latent_dim)),
                "attributes": keras.KerasTensor((None, self.num_attributes)),
            }
        )

    @classmethod
    def has(cls, network: str) -> bool:
        """Whether the model has a network, such as `critic`."""
        return network in cls.networks

    @property
    def updates_per_step(self) -> dict[str, int]:  # type: ignore[override]
        """Critics step several times, each on a batch of its own."""
        names = self._games()
        return dict.fromkeys(names, self.settings.critic_steps) if names else {}

    def terms(self, example: Example, training: bool) -> Terms:
        """Cross-entropies in nats, and critics' scores and penalties."""
        terms: Terms = {}
        if self.has("encoder"):
            terms |= self._reconstruction_terms(example, training)
        for name in self._games():
            terms |= self._game_terms(name, example, training)
        return terms

    def objectives(self, terms: Terms) -> Terms:
        """What each network minimises.

        encoder: β·kl + reconstruction − γ·D1(reconstruction)
        decoder: reconstruction − γ·(D1(reconstruction) + D1(generated))
                 − γ'·D2(generated)
        critics: D(generated) − D(real) + λ·penalty

        Reference:
            Xian et al. (2019), eqs. 1 to 4; the critic's score of
            reconstructions as in the released code.
        """
        settings, objectives = self.settings, {}
        decoder = 0.0
        if self.has("encoder"):
            decoder = terms["reconstruction_nll"]
            if self.has("critic"):
                decoder -= settings.gamma * terms["reconstructed"]
            objectives["encoder"] = settings.kl_weight * terms["kl"] + decoder
        for name, (prefix, *_) in self._games().items():
            generated = terms[f"{prefix}generated"]
            decoder -= getattr(settings, f"{prefix}gamma") * generated
            # Gulrajani et al. (2017), eq. 3.
            penalty = settings.penalty_weight * terms[f"{prefix}penalty"]
            objectives[name] = generated - terms[f"{prefix}real"] + penalty
        return {**objectives, "decoder": decoder}

    def after_step(self, example: Example) -> None:
        """Updates the running average of the decoder."""
        if self.ema_momentum:
            average, decoder = self.in_use("decoder"), self.decoder
            steps.update_average(average, decoder, self.ema_momentum, self.step)

    def in_use(self, name: str) -> keras.Model:
        """A network's running average, or itself where none is kept."""
        return getattr(self, f"{name}_ema", None) or getattr(self, name)

    def generate(self, attributes: tf.Tensor, seed: Any = 0) -> tf.Tensor:
        """Features of classes, (batch, d), in the data's units.

        Args:
            attributes: A class's attributes in each row, (batch, a).
            seed: An integer, or int32 (2,): the same seed, the same features.
        """
        count = tf.shape(attributes)[0]
        latent = noise.latent_codes(count, self.latent_dim, seed)
        return self({"latent": latent, "attributes": attributes})

    def call(self, inputs: Example) -> tf.Tensor:
        """Features of codes and attributes, in the data's units."""
        decoder = self.in_use("decoder")
        mean = self._mean(decoder(_pick(inputs, "latent")))
        return mean * self.unit + self.offset

    def as_example(self, data: Any) -> dict[str, tf.Tensor]:
        """An example whose features are scaled.

        Raises:
            ValueError: If one is missing, or has another width.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        widths = {"feature": self.num_features}
        widths["attributes"] = self.num_attributes
        if self.has("novel_critic"):
            widths |= {f"novel_{key}": n for key, n in widths.items()}
        for key, width in widths.items():
            if key not in x or x[key].shape[1:] != (width,):
                shape = tuple(x[key].shape) if key in x else None
                raise ValueError(
                    f"`{key}` must have the shape (batch, {width}). "
                    f"Received: {shape}."
                )
        example = {key: tf.cast(x[key], tf.float32) for key in widths}
        for key in {"feature", "novel_feature"} & example.keys():
            example[key] = (example[key] - self.offset) / self.unit
        return example

    @classmethod
    def create(cls, settings: Any, *, seed: int = 0, **example: Any) -> Self:
        """The model on its own networks, built but not compiled.

        Args:
            settings: Its settings.
            seed: Seed of the noise.
            **example: `num_features`, `num_attributes`, `offset` and `unit`.
        """
        scaling = {key: example.pop(key) for key in ("offset", "unit")}
        networks = {
            name: network.from_settings(settings, **example)
            for name, network in cls.networks.items()
        }
        return cls(networks, settings, seed=seed, **scaling)

    @classmethod
    def inputs_of(  # type: ignore[override]
        cls, dataset: FeatureDataset, settings: Any
    ) -> dict[str, Any]:
        """Widths, and the scale of features over the training examples."""
        features = dataset.task.train.features
        if settings.observation == "bernoulli":
            offset = features.min(axis=0)
            unit = features.max(axis=0) - offset
        else:
            offset, unit = features.mean(axis=0), features.std(axis=0)
        return {
            "num_features": features.shape[1],
            "num_attributes": dataset.task.class_attributes.shape[1],
            "offset": offset.tolist(),
            # What never changes is 0 in any unit.
            "unit": np.where(unit > 0, unit, 1.0).tolist(),
        }

    @staticmethod
    def load_dataset(name: str, **arguments: Any) -> FeatureDataset:
        """The features of `load_features`."""
        return load_features(name, **arguments)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        scaling = {
            "offset": self.offset.tolist(),
            "unit": self.unit.tolist(),
        }
        return {**super().get_config(), **scaling}

    @classmethod
    def _games(cls) -> dict[str, Game]:
        """Those of `GAMES` whose critics the model has."""
        return {name: game for name, game in GAMES.items() if cls.has(name)}

    def _reconstruction_terms(self, example: Example, training: bool) -> Terms:
        """Those of the VAE, and the critic's score of reconstructions."""
        feature, attributes = example["feature"], example["attributes"]
        posterior = self.encoder(_pick(example, "feature"))
        epsilon = self._normal(feature, Purpose.POSTERIOR, training)
        code = noise.reparameterize(**posterior, epsilon=epsilon)
        outputs = self._decoded(code, attributes)
        terms = {
            "kl": losses.gaussian_kl(**posterior),
            "reconstruction_nll": self._nll(feature, outputs),
        }
        if self.has("critic"):
            score = self._score("critic", attributes)
            terms["reconstructed"] = score(self._mean(outputs))
        return terms

    def _game_terms(self, name: str, example: Example, training: bool) -> Terms:
        """A critic's scores of real and generated features, and its penalty."""
        prefix, of_codes, of_mixing = GAMES[name]
        real = example[f"{prefix}feature"]
        attributes = example[f"{prefix}attributes"]
        codes = self._normal(real, of_codes, training)
        generated = self._mean(self._decoded(codes, attributes))
        score = self._score(name, attributes)
        seed, step = self.noise_of(training)
        mixing = noise.uniform([tf.shape(real)[0], 1], seed, step, of_mixing)
        terms = {
            "real": score(real),
            "generated": score(generated),
            "penalty": losses.gradient_penalty(score, real, generated, mixing),
        }
        return {f"{prefix}{key}": term for key, term in terms.items()}

    def _score(self, name: str, attributes: tf.Tensor) -> Any:
        """A critic as a function of features alone."""
        critic = getattr(self, name)
        is_conditional = "attributes" in critic.takes
        beside = {"attributes": attributes} if is_conditional else {}
        return lambda feature: critic({"feature": feature, **beside})

    def _mean(self, outputs):
        """Scaled features that the decoder's outputs stand for."""
        is_bernoulli = self.settings.observation == "bernoulli"
        return keras.ops.sigmoid(outputs) if is_bernoulli else outputs

    def _nll(self, feature, outputs):
        """Error of reconstructions, (batch,), in nats."""
        if self.settings.observation == "bernoulli":
            return losses.bernoulli_nll(feature, outputs)
        return losses.gaussian_nll(feature, outputs)

    def _decoded(self, latent, attributes):
        return self.decoder({"latent": latent, "attributes": attributes})

    def _normal(self, feature, purpose, training):
        """Standard normal codes, one for each feature."""
        seed, step = self.noise_of(training)
        shape = [tf.shape(feature)[0], self.latent_dim]
        return noise.normal(shape, seed, step, purpose)


def _pick(example: Example, name: str) -> dict[str, tf.Tensor]:
    """What a conditional network takes."""
    return {key: example[key] for key in (name, "attributes")}
