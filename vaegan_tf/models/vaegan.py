"""VAE/GAN: a VAE and a GAN that share the decoder."""

import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models.adversarial import AdversarialModel, FeatureErrorModel
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.generative import Autoencoder
from vaegan_tf.models.registry import register
from vaegan_tf.networks import Decoder, Discriminator, Encoder
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import VAEGANSettings

# γ times the number of features, where it gave faces at several widths.
GAMMA_FEATURES = 41


@register("vaegan")
class VAEGAN(FeatureErrorModel, Autoencoder, AdversarialModel):
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
        "feature_nll",
        "real",
        "reconstructed",
        "reconstructed_as_real",
        "generated",
        "generated_as_real",
    )
    abilities = ("encode", "reconstruct", "sample", "discriminate")
    settings: VAEGANSettings

    @property
    def generated_terms(self) -> tuple[str, ...]:
        """The fakes that count in L_GAN."""
        if self.settings.discriminate_reconstructions:
            return ("reconstructed", "generated")
        return ("generated",)

    def terms(self, example: Example, training: bool) -> Terms:
        """Steps 2 to 8 of Algorithm 1."""
        image, attributes = example["image"], example.get("attributes")
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        prior = self.standard_normal(
            tf.shape(image)[0], Purpose.PRIOR, training
        )
        reconstructed, generated = self.decode_batches(
            [latent, prior], attributes, training
        )
        outputs = self.discriminate_batches(
            [image, reconstructed, generated], attributes, training
        )
        features, reconstructed_features, _ = outputs["features"]
        real_logit, reconstructed_logit, generated_logit = outputs["logit"]
        return {
            "kl": losses.gaussian_kl(**posterior),
            "feature_nll": losses.feature_nll(
                features, reconstructed_features, self.settings.feature_scale
            ),
            **self.real_terms(real_logit),
            **self.fake_terms("reconstructed", reconstructed_logit),
            **self.fake_terms("generated", generated_logit),
        }

    def objectives(self, terms: Terms) -> Terms:
        """Larsen et al. (2016), Algorithm 1: what each network minimises."""
        likeness, fooling = self.decoder_weights
        return {
            "encoder": self.kl_weight * terms["kl"] + terms["feature_nll"],
            "decoder": likeness * terms["feature_nll"]
            + fooling * self.adversarial_objective(terms),
            "discriminator": self.discriminator_objective(terms),
        }

    @property
    def decoder_weights(self) -> tuple[float, float]:
        """Weights of feature error and L_GAN: (γ, 1), or (w, 1 − w)."""
        weight = self.settings.reconstruction_weight
        if weight is not None:
            return weight, 1.0 - weight
        gamma = self.settings.gamma
        if gamma is None:
            gamma = GAMMA_FEATURES / self.discriminator.num_features
        return gamma, 1.0
