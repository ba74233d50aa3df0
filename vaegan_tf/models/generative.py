"""What can a model of images do? Encode, decode, sample, discriminate."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf import losses, noise
from vaegan_tf.data import ImageDataset
from vaegan_tf.models import steps
from vaegan_tf.models.base import Example, ObjectiveModel, Terms
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import DivergenceSettings, GenerativeSettings


class GenerativeModel(ObjectiveModel):
    """A model that draws images from codes.

    Its networks are a `decoder` and, as its abilities say, an `encoder` and a
    `discriminator`, which must agree on the shapes of images, codes and
    attributes. Images are (batch, height, width, channels) in [−1, 1], codes
    (batch, latent). Attributes, (batch, num_attributes), are for conditional
    models only.
    """

    settings: GenerativeSettings
    averaged: tuple[str, ...] = ("decoder",)

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: GenerativeSettings | None = None,
        **kwargs: Any,
    ):
        _check_networks(networks)
        super().__init__(networks, settings, **kwargs)
        self.ema_momentum = self.settings.ema_momentum
        for network_name in self.averaged if self.ema_momentum else ():
            average = steps.frozen_copy(getattr(self, network_name))
            setattr(self, f"{network_name}_ema", average)
        self.image_shape = self.decoder.image_shape
        self.latent_dim = self.decoder.latent_dim
        self.num_attributes = self.decoder.num_attributes
        self(self.symbolic_inputs())  # Keras exports what was called once.

    @classmethod
    def inputs_of(  # type: ignore[override]
        cls, dataset: ImageDataset, settings: GenerativeSettings
    ) -> dict[str, Any]:
        """Size and channels of images, and attributes if conditional."""
        count = len(dataset.attribute_names) if settings.conditional else 0
        if settings.conditional and not count:
            raise ValueError(
                "`conditional` needs a data set with attributes, and "
                f"{dataset.name} has none."
            )
        inputs = super().inputs_of(dataset, settings)
        return {**inputs, "num_attributes": count}

    def after_step(self, example: Example) -> None:
        """Updates the running averages of networks."""
        for name in self.averaged if self.ema_momentum else ():
            average, network = self.in_use(name), getattr(self, name)
            steps.update_average(average, network, self.ema_momentum, self.step)

    def in_use(self, name: str) -> keras.Model:
        """A network's running average, or itself where none is kept."""
        return getattr(self, f"{name}_ema", None) or getattr(self, name)

    def decode(
        self, latent: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Images of latent codes, by the averaged decoder if there is one."""
        inputs = self.conditioned({"latent": latent}, attributes)
        return self.in_use("decoder")(inputs, training=False)

    def sample(
        self,
        count: int,
        seed: int | tf.Tensor = 0,
        attributes: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Images of codes drawn from the prior N(0, I).

        `seed` is an integer, or int32 (2,): the same seed, the same images.
        """
        latent = noise.latent_codes(count, self.latent_dim, seed)
        return self.decode(latent, attributes)

    def call(self, inputs: Any) -> tf.Tensor:
        """Images of latent codes, bare or with `attributes` in a dict."""
        inputs = inputs if isinstance(inputs, dict) else {"latent": inputs}
        return self.decode(**inputs)

    def symbolic_inputs(self) -> Any:
        """What `call` takes, as Keras tensors."""
        return self._conditioned_symbols("latent", (self.latent_dim,))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What `call` returns, as a Keras tensor: nothing need be traced."""
        return keras.KerasTensor((None, *self.image_shape))

    def as_example(self, data: Any) -> dict[str, tf.Tensor]:
        """Turns what Keras hands over into an example of the right shape."""
        example = super().as_example(data)
        image, attributes = example["image"], example.get("attributes")
        return self.conditioned({"image": image}, attributes)

    def conditioned(
        self, inputs: Example, attributes: tf.Tensor | None, batches: int = 1
    ) -> dict[str, tf.Tensor]:
        """Inputs of a network: with attributes if the model is conditional.

        Of several batches in one pass, all have these attributes.
        """
        if not self.num_attributes:
            return dict(inputs)
        if attributes is None:
            raise ValueError(
                f"This model is conditional: it needs `attributes` of shape "
                f"(batch, {self.num_attributes}) beside {sorted(inputs)}."
            )
        if batches > 1:
            attributes = tf.tile(attributes, [batches, 1])
        inputs = {**inputs, "attributes": attributes}
        return {k: tf.cast(value, tf.float32) for k, value in inputs.items()}

    def decode_batches(
        self,
        latents: Sequence[tf.Tensor],
        attributes: tf.Tensor | None,
        training: bool,
    ) -> list[tf.Tensor]:
        """Decodes several batches of codes in one pass, for training.

        Attributes are the same for each. When `training`, normalisation is by
        the statistics of the pass.
        """
        count, latent = len(latents), tf.concat(latents, axis=0)
        inputs = self.conditioned({"latent": latent}, attributes, count)
        return tf.split(self.decoder(inputs, training=training), count)

    def standard_normal(
        self, count: tf.Tensor, purpose: Purpose, training: bool
    ) -> tf.Tensor:
        """Standard normal codes, (count, latent): new ones at every step.

        Evaluation draws the same ones for every batch.
        """
        seed, step = self.noise_of(training)
        return noise.normal([count, self.latent_dim], seed, step, purpose)

    def _conditioned_symbols(self, name: str, shape: tuple[int, ...]) -> Any:
        """A Keras tensor, in a dict beside `attributes` if conditional."""
        tensor = keras.KerasTensor((None, *shape))
        if not self.num_attributes:
            return tensor
        attributes = keras.KerasTensor((None, self.num_attributes))
        return {name: tensor, "attributes": attributes}


class Autoencoder(GenerativeModel):
    """A model with an encoder: q(z|x) and what can be done with it."""

    abilities: tuple[str, ...] = ("encode", "reconstruct", "sample")
    averaged = ("encoder", "decoder")

    def after_step(self, example: Example) -> None:
        """Updates averages, and what the averaged encoder knows of its codes.

        Averages have less noise than the weights, and codes of less variance.
        """
        super().after_step(example)
        if self.ema_momentum:
            self.encoder_ema(example, training=True)

    def encode(
        self, image: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """`mean` and `log_variance` of q(z|x), (batch, latent) each."""
        example = self.conditioned({"image": image}, attributes)
        return self.in_use("encoder")(example, training=False)

    def reconstruct(
        self, image: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Decodes the posterior mean of each image."""
        mean = self.encode(image, attributes)["mean"]
        return self.decode(mean, attributes)

    def call(self, inputs: Any) -> tf.Tensor:
        """Reconstructs an example, or bare images."""
        return self.reconstruct(**self.as_example(inputs))

    def symbolic_inputs(self) -> Any:
        """What `call` takes: an example."""
        return self._conditioned_symbols("image", self.image_shape)

    def validation_terms(self, example: Any) -> Terms:
        """Terms, and `pixel_error`: mean squared error of reconstructions."""
        example = self.as_example(example)
        error = tf.square(self.reconstruct(**example) - example["image"])
        return {
            **super().validation_terms(example),
            "pixel_error": tf.reduce_mean(error, axis=[1, 2, 3]),
        }

    def sample_posterior(self, posterior: Example, training: bool) -> tf.Tensor:
        """A code of each image, z ~ q(z|x), (batch, latent)."""
        count = tf.shape(posterior["mean"])[0]
        epsilon = self.standard_normal(count, Purpose.POSTERIOR, training)
        return noise.reparameterize(**posterior, epsilon=epsilon)


class DivergenceModel(Autoencoder):
    """An autoencoder whose codes are drawn to the prior by their divergence."""

    settings: DivergenceSettings

    @property
    def kl_weight(self) -> float:
        """β, the weight of the divergence in the encoder."""
        weight = self.settings.kl_weight
        return 1.0 if weight is None else weight

    def divergence_terms(self, posterior: Example) -> Terms:
        """How far codes are from the prior: each of them, and all together."""
        return {
            "kl": losses.gaussian_kl(**posterior),
            "uniformity": losses.uniformity(posterior["mean"]),
        }

    def divergence(self, terms: Terms) -> tf.Tensor:
        """β (kl + λ uniformity): L_prior, and a term of all codes together.

        Reference:
            Zhao et al. (2019), "InfoVAE", weighs the divergence of the
            aggregate posterior by itself too.
        """
        weight, divergence = self.settings.uniformity_weight, terms["kl"]
        if weight:  # Or a gradient that is 0 would be computed.
            divergence += weight * terms["uniformity"]
        return self.kl_weight * divergence


def _check_networks(networks: Mapping[str, keras.Model]) -> None:
    for key in ("image_shape", "latent_dim", "num_attributes"):
        values = {
            name: getattr(network, key)
            for name, network in networks.items()
            if hasattr(network, key)
        }
        if len(set(values.values())) > 1:
            raise ValueError(f"Networks must agree on `{key}`. {values}.")
