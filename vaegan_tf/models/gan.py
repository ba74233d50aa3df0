"""The generative adversarial network."""

import keras
import tensorflow as tf

from vaegan_tf.models.adversarial import AdversarialModel
from vaegan_tf.noise import Purpose


@keras.saving.register_keras_serializable(package="vaegan_tf")
class GAN(AdversarialModel):
    """A GAN on the networks of the paper; its generator is the decoder.

    Args:
        decoder: The generator.
        discriminator: The discriminator.
        **kwargs: Those of `AdversarialModel` and `GenerativeModel`.

    Reference:
        Goodfellow et al. (2014); Larsen et al. (2016), eq. 5.
    """

    network_names = ("decoder", "discriminator")
    trained_networks = network_names
    term_names = dict.fromkeys(
        ("real", "generated", "generated_as_real"), "discriminator"
    )

    def __init__(self, decoder, discriminator, **kwargs):
        super().__init__(
            {"decoder": decoder, "discriminator": discriminator}, **kwargs
        )

    def terms(self, example, training):
        """The discriminator's costs of real and of generated images."""
        image, attributes = example["image"], example.get("attributes")
        prior = self.draw(tf.shape(image)[0], Purpose.PRIOR, training)
        (generated,) = self.decode_batches([prior], attributes, training)
        real_logit, generated_logit = self.judge(
            [image, generated], attributes, training
        )["logit"]
        return {
            **self.real_terms(real_logit),
            **self.fake_terms("generated", generated_logit),
        }

    def objectives(self, terms):
        """What each network minimises, with L_GAN of eq. 5."""
        return {
            "decoder": self.adversarial_objective(terms),
            "discriminator": self.discriminator_objective(terms),
        }

    def call(self, inputs):
        """Images of latent codes, bare or with `attributes` in a dict."""
        if isinstance(inputs, dict):
            return self.decode(**inputs)
        return self.decode(inputs)

    def symbolic_inputs(self):
        """What `call` takes: latent codes."""
        return self.conditioned_symbols("latent", (self.latent_dim,))
