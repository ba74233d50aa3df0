"""The variational autoencoder."""

import keras
import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models.base import GenerativeModel, check_kl_weight
from vaegan_tf.models.chain import hand_over
from vaegan_tf.noise import Purpose


class Autoencoder(GenerativeModel):
    """A model with an encoder: q(z|x) and what can be done with it."""

    def encode(self, image, attributes=None):
        """Parameters of q(z|x), for use: batch statistics of the past.

        Args:
            image: Images in [−1, 1], (batch, height, width, channels).
            attributes: (batch, num_attributes), for conditional models.

        Returns:
            `{"mean": (batch, latent), "log_variance": (batch, latent)}`.
        """
        example = self.conditioned({"image": image}, attributes)
        return self.encoder(example, training=False)

    def reconstruct(self, image, attributes=None):
        """Decodes the posterior mean of each image."""
        mean = self.encode(image, attributes)["mean"]
        return self.decode(mean, attributes)

    def call(self, inputs):
        """Reconstructs an example, or bare images."""
        return self.reconstruct(**self.as_example(inputs))

    def scores(self, example):
        """Terms, and `pixel_error`: mean squared error of reconstructions."""
        example = self.as_example(example)
        error = tf.square(self.reconstruct(**example) - example["image"])
        return {
            **super().scores(example),
            "pixel_error": tf.reduce_mean(error, axis=[1, 2, 3]),
        }

    def sample_posterior(self, posterior, training):
        """The reparameterisation trick: mean + σ·ε with ε ~ N(0, I)."""
        mean, log_variance = posterior["mean"], posterior["log_variance"]
        epsilon = self.draw(tf.shape(mean)[0], Purpose.POSTERIOR, training)
        latent = mean + tf.exp(0.5 * log_variance) * epsilon
        return hand_over("encoder", [latent])[0]


@keras.saving.register_keras_serializable(package="vaegan_tf")
class VAE(Autoencoder):
    """A VAE whose decoder is Gaussian in the pixels.

    Args:
        encoder: Network of q(z|x).
        decoder: Network of p(x|z).
        kl_weight: β, the weight of the divergence; 1 is the bound itself.
        **kwargs: `seed`, `ema_momentum` and `name` of `GenerativeModel`.

    Reference:
        Kingma & Welling (2014); Larsen et al. (2016), eqs. 2 to 4.
    """

    network_names = ("encoder", "decoder")
    trained_networks = network_names
    term_names = {"kl": "encoder", "pixel_nll": "decoder"}
    settings = ("kl_weight",)

    def __init__(self, encoder, decoder, *, kl_weight=1.0, **kwargs):
        check_kl_weight(kl_weight)
        super().__init__({"encoder": encoder, "decoder": decoder}, **kwargs)
        self.kl_weight = kl_weight

    def terms(self, example, training):
        """KL divergence and pixel error of each example, in nats."""
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        (reconstruction,) = self.decode_batches(
            [latent], example.get("attributes"), training
        )
        return {
            "kl": losses.gaussian_kl(**posterior),
            "pixel_nll": losses.gaussian_nll(example["image"], reconstruction),
        }

    def objectives(self, terms):
        """Larsen et al. (2016), eq. 2: both networks minimise L_VAE."""
        return {
            "encoder": self.kl_weight * terms["kl"] + terms["pixel_nll"],
            "decoder": terms["pixel_nll"],
        }
