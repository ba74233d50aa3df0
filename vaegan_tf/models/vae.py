"""The variational autoencoder."""

from vaegan_tf import losses
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.generative import DivergenceModel
from vaegan_tf.models.registry import register
from vaegan_tf.networks import Decoder, Encoder
from vaegan_tf.settings import VAESettings


@register("vae")
class VAE(DivergenceModel):
    """A VAE whose decoder is Gaussian in the pixels.

    Reference:
        Kingma & Welling (2014); Larsen et al. (2016), eqs. 2 to 4.
    """

    title = "VAE"
    Settings = VAESettings
    networks = {"encoder": Encoder, "decoder": Decoder}
    term_names = ("kl", "uniformity", "pixel_nll")
    settings: VAESettings

    def terms(self, example: Example, training: bool) -> Terms:
        """KL divergence and pixel error of each example, in nats."""
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        (reconstructed,) = self.decode_batches(
            [latent], example.get("attributes"), training
        )
        error = losses.gaussian_nll(example["image"], reconstructed)
        return {**self.divergence_terms(posterior), "pixel_nll": error}

    def objectives(self, terms: Terms) -> Terms:
        """Larsen et al. (2016), eq. 2: both networks minimise L_VAE."""
        return {
            "encoder": self.divergence(terms) + terms["pixel_nll"],
            "decoder": terms["pixel_nll"],
        }
