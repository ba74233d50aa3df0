"""An adversarial autoencoder: a model of your own, in one file.

    python -m vaegan_tf.cli.train --import=examples.adversarial_autoencoder \
        --model=adversarial_autoencoder --model_dir=runs/aae

Commands that open the run take the same `--import`.

Reference:
    Makhzani et al. (2015), "Adversarial autoencoders".
"""

from typing import Any, Self

import keras
import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models import Autoencoder, register
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.networks import Decoder, Encoder
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import EncoderSettings, setting


class AdversarialAutoencoderSettings(EncoderSettings):
    """An adversarial autoencoder."""

    code_units: int = setting(
        1000, "Units of the code discriminator's two hidden layers.", low=1
    )
    fooling_weight: float = setting(
        10.0, "Weight of fooling the code discriminator.", above=0
    )


@keras.saving.register_keras_serializable("examples")
class CodeDiscriminator(keras.Model):
    """Tells codes of the prior from codes of images: (batch, 1) logits."""

    @classmethod
    def from_settings(
        cls, settings: AdversarialAutoencoderSettings, **example: Any
    ) -> Self:
        """The network of a model's settings."""
        latent = keras.Input((settings.latent_dim,))
        x = latent
        for index in range(2):
            name = f"dense_{index}"
            x = keras.layers.Dense(settings.code_units, "relu", name=name)(x)
        logit = keras.layers.Dense(1, dtype="float32", name="logit")(x)
        return cls(latent, logit, name="code_discriminator")


@register("adversarial_autoencoder")
class AdversarialAutoencoder(Autoencoder):
    """An autoencoder whose codes an adversary holds to the prior."""

    title = "Adversarial autoencoder"
    Settings = AdversarialAutoencoderSettings
    networks = {
        "encoder": Encoder,
        "decoder": Decoder,
        "code_discriminator": CodeDiscriminator,
    }
    term_names = ("pixel_nll", "prior", "code", "code_as_prior")
    settings: AdversarialAutoencoderSettings

    def terms(self, example: Example, training: bool) -> Terms:
        """Pixel error, and the discriminator's losses on both codes."""
        image = example["image"]
        posterior = self.encoder(example, training=training)
        code = self.sample_posterior(posterior, training)
        count = tf.shape(image)[0]
        prior = self.standard_normal(count, Purpose.PRIOR, training)
        (reconstructed,) = self.decode_batches(
            [code], example.get("attributes"), training
        )
        logit = self.code_discriminator(code, training=training)
        return {
            "pixel_nll": losses.gaussian_nll(image, reconstructed),
            "prior": losses.real_nll(self.code_discriminator(prior)),
            "code": losses.generated_nll(logit),
            "code_as_prior": losses.real_nll(logit),
        }

    def objectives(self, terms: Terms) -> Terms:
        """The encoder's codes go to two networks, and both answer it."""
        fooling = self.settings.fooling_weight * terms["code_as_prior"]
        return {
            "encoder": terms["pixel_nll"] + fooling,
            "decoder": terms["pixel_nll"],
            "code_discriminator": terms["prior"] + terms["code"],
        }
