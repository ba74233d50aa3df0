"""VAE_Dis_l: a VAE with the learned distance of a trained GAN."""

from vaegan_tf.models.adversarial import FeatureErrorModel
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.generative import DivergenceModel
from vaegan_tf.models.registry import register
from vaegan_tf.networks import Decoder, Discriminator, Encoder
from vaegan_tf.settings import LearnedMetricVAESettings


@register("learned_metric_vae")
class LearnedMetricVAE(FeatureErrorModel, DivergenceModel):
    """A VAE whose error is measured in layer l of a fixed discriminator.

    The discriminator is that of a trained GAN. It stays as it is, batch
    statistics included, and L_GAN plays no part.

    Reference:
        Larsen et al. (2016), eqs. 6 and 7, and "VAE_Dis_l" in section 4.
    """

    title = "VAE with learned metric"
    Settings = LearnedMetricVAESettings
    networks = {
        "encoder": Encoder,
        "decoder": Decoder,
        "discriminator": Discriminator,
    }
    trained = ("encoder", "decoder")
    borrowed = ("discriminator",)
    term_names = ("kl", "uniformity", "feature_nll")
    abilities = ("encode", "reconstruct", "sample", "discriminate")
    settings: LearnedMetricVAESettings

    def terms(self, example: Example, training: bool) -> Terms:
        """KL divergence and feature error of each example, in nats."""
        image, attributes = example["image"], example.get("attributes")
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        (reconstructed,) = self.decode_batches([latent], attributes, training)
        features = self.discriminate_batches(
            [image, reconstructed], attributes, training=False
        )["features"]
        return {
            **self.divergence_terms(posterior),
            "feature_nll": self.feature_nll(*features),
        }

    def objectives(self, terms: Terms) -> Terms:
        """Both networks minimise L_prior + L_llike of layer l."""
        return {
            "encoder": self.divergence(terms) + terms["feature_nll"],
            "decoder": terms["feature_nll"],
        }
