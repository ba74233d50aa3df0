"""VAE_Dis_l: a VAE with the learned distance of a trained GAN."""

import keras

from vaegan_tf import losses
from vaegan_tf.models.base import check_kl_weight
from vaegan_tf.models.vae import Autoencoder


@keras.saving.register_keras_serializable(package="vaegan_tf")
class LearnedMetricVAE(Autoencoder):
    """A VAE whose error is measured in layer l of a fixed discriminator.

    The discriminator is that of a trained GAN. It stays as it is, batch
    statistics included, and L_GAN plays no part.

    Args:
        encoder: Network of q(z|x).
        decoder: Network of p(x|z).
        discriminator: The trained GAN's discriminator; it is frozen.
        kl_weight: β, the weight of the divergence; 1 is the bound itself.
        feature_scale: `"unit"` or `"batch"`, as in `VAEGAN`.
        **kwargs: `seed`, `ema_momentum` and `name` of `GenerativeModel`.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        Larsen et al. (2016), eqs. 6 and 7, and "VAE_Dis_l" in section 4.
    """

    network_names = ("encoder", "decoder", "discriminator")
    trained_networks = ("encoder", "decoder")
    term_names = {"kl": "encoder", "feature_nll": "decoder"}
    settings = ("kl_weight", "feature_scale")

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        *,
        kl_weight=1.0,
        feature_scale="unit",
        **kwargs,
    ):
        check_kl_weight(kl_weight)
        losses.check_feature_scale(feature_scale)
        discriminator.trainable = False
        super().__init__(
            {
                "encoder": encoder,
                "decoder": decoder,
                "discriminator": discriminator,
            },
            **kwargs,
        )
        self.kl_weight = kl_weight
        self.feature_scale = feature_scale

    def terms(self, example, training):
        """KL divergence and feature error of each example, in nats."""
        image, attributes = example["image"], example.get("attributes")
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        (reconstructed,) = self.decode_batches([latent], attributes, training)
        judged = self.discriminate(
            [image, reconstructed], attributes, training=False
        )
        return {
            "kl": losses.gaussian_kl(**posterior),
            "feature_nll": losses.feature_nll(
                *judged["features"], self.feature_scale
            ),
        }

    def objectives(self, terms):
        """Both networks minimise L_prior + L_llike of layer l."""
        return {
            "encoder": self.kl_weight * terms["kl"] + terms["feature_nll"],
            "decoder": terms["feature_nll"],
        }
