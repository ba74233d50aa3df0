"""The generative adversarial network."""

import tensorflow as tf

from vaegan_tf.models.adversarial import AdversarialModel
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.registry import register
from vaegan_tf.networks import Decoder, Discriminator
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import GANSettings


@register("gan")
class GAN(AdversarialModel):
    """A GAN on the networks of the paper; its generator is the decoder.

    Reference:
        Goodfellow et al. (2014); Larsen et al. (2016), eq. 5.
    """

    title = "GAN"
    Settings = GANSettings
    networks = {"decoder": Decoder, "discriminator": Discriminator}
    term_names = ("real", "generated", "fooling")

    def terms(self, example: Example, training: bool) -> Terms:
        """What either player loses on real and on generated images."""
        image, attributes = example["image"], example.get("attributes")
        prior = self.standard_normal(
            tf.shape(image)[0], Purpose.PRIOR, training
        )
        (generated,) = self.decode_batches([prior], attributes, training)
        real_logit, generated_logit = self.discriminate_batches(
            [image, generated], attributes, training
        )["logit"]
        return self.adversarial_terms(real_logit, generated=generated_logit)

    def objectives(self, terms: Terms) -> Terms:
        """What each network minimises, with L_GAN of eq. 5."""
        return {
            "decoder": terms["fooling"],
            "discriminator": self.discriminator_objective(terms),
        }
