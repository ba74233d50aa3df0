"""VAE/GAN: a VAE and a GAN that share the decoder."""

import tensorflow as tf

from vaegan_tf.models.adversarial import AdversarialModel, FeatureErrorModel
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.generative import DivergenceModel
from vaegan_tf.models.image_gradients import (
    global_norms,
    gradients_at,
    through_images,
)
from vaegan_tf.models.registry import register
from vaegan_tf.networks import Decoder, Discriminator, Encoder
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import VAEGANSettings


@register("vaegan")
class VAEGAN(FeatureErrorModel, DivergenceModel, AdversarialModel):
    """A VAE whose reconstruction error lives in the GAN's discriminator.

    Reference:
        Larsen et al. (2016), Algorithm 1.
    """

    title = "VAE/GAN"
    Settings = VAEGANSettings
    networks = {
        "encoder": Encoder,
        "decoder": Decoder,
        "discriminator": Discriminator,
    }
    term_names = (
        "kl",
        "uniformity",
        "feature_nll",
        "real",
        "reconstructed",
        "generated",
        "fooling",
        "gamma",
    )
    abilities = ("encode", "reconstruct", "sample", "discriminate")
    settings: VAEGANSettings

    @property
    def generated_terms(self) -> tuple[str, ...]:
        """The fakes that count in L_GAN."""
        if self.settings.discriminate_reconstructions:
            return ("reconstructed", "generated")
        return ("generated",)

    @property
    def fixed_gamma(self) -> float | None:
        """γ, or the authors' w, where gradients do not set it."""
        weight = self.settings.reconstruction_weight
        return self.settings.gamma if weight is None else weight

    def terms(self, example: Example, training: bool) -> Terms:
        """Steps 2 to 8 of Algorithm 1."""
        image, attributes = example["image"], example.get("attributes")
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        prior = self.standard_normal(
            tf.shape(image)[0], Purpose.PRIOR, training
        )
        fakes = self.decode_batches([latent, prior], attributes, training)
        with tf.GradientTape(
            persistent=True, watch_accessed_variables=False
        ) as tape:
            tape.watch(fakes)
            outputs = self.discriminate_batches(
                [image, *fakes], attributes, training
            )
            real, reconstructed, generated = outputs["logit"]
            terms = {
                "feature_nll": self.feature_nll(*outputs["features"][:2]),
                **self.adversarial_terms(
                    real, reconstructed=reconstructed, generated=generated
                ),
            }
        gamma = self.fixed_gamma
        if gamma is None:
            terms |= self._balanced(terms, fakes, tape)
        else:
            terms["gamma"] = gamma * tf.ones_like(terms["fooling"])
        return {**self.divergence_terms(posterior), **terms}

    def objectives(self, terms: Terms) -> Terms:
        """Larsen et al. (2016), Algorithm 1: what each network minimises.

        The authors weigh the decoder's two by w and 1 − w.
        """
        fooling_weight = 1.0 - (self.settings.reconstruction_weight or 0.0)
        return {
            "encoder": self.divergence(terms) + terms["feature_nll"],
            "decoder": terms["gamma"] * terms["feature_nll"]
            + fooling_weight * terms["fooling"],
            "discriminator": self.discriminator_objective(terms),
        }

    def _balanced(
        self, terms: Terms, fakes: list[tf.Tensor], tape: tf.GradientTape
    ) -> Terms:
        """γ by gradients at the decoder's images, and terms that have these.

        From there on encoder and decoder know their gradients without
        another pass through the discriminator.
        """
        scale = self.loss_scale("decoder")
        gradients = {
            name: gradients_at(fakes, terms[name], tape, scale)
            for name in ("feature_nll", "fooling")
        }
        by_features, by_fooling = global_norms(list(gradients.values()))
        ratio = tf.math.divide_no_nan(by_fooling, by_features)
        gamma = self.settings.gradient_ratio * tf.stop_gradient(ratio)
        return {
            "gamma": gamma * tf.ones_like(terms["fooling"]),
            **{
                name: through_images(terms[name], fakes, gradient)
                for name, gradient in gradients.items()
            },
        }
