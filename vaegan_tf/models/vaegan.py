"""VAE/GAN: a VAE and a GAN that share the decoder."""

import keras
import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models.adversarial import AdversarialModel
from vaegan_tf.models.base import check_kl_weight
from vaegan_tf.models.vae import Autoencoder
from vaegan_tf.noise import Purpose


@keras.saving.register_keras_serializable(package="vaegan_tf")
class VAEGAN(Autoencoder, AdversarialModel):
    """A VAE whose reconstruction error lives in the GAN's discriminator.

    Args:
        encoder: Network of q(z|x).
        decoder: Network of p(x|z), and the generator.
        discriminator: Network of Dis and Dis_l.
        gamma: γ of the paper: weight of the reconstruction against fooling
            the discriminator, in the decoder only.
        reconstruction_weight: w of the authors' code, which gives the decoder
            w·feature_nll + (1 − w)·L_GAN instead; `None` for γ.
        kl_weight: β, the weight of the divergence in the encoder; 1 is the
            bound itself.
        feature_scale: `"unit"`: features as they are, the identity covariance
            of eq. 6. `"batch"`: in units of their standard deviation over the
            real batch, see `losses.standardize`.
        discriminate_reconstructions: Whether reconstructions are among the
            images the discriminator learns to tell, as in the paper.
        **kwargs: Those of `AdversarialModel` and `GenerativeModel`.

    Raises:
        ValueError: If an argument is out of range.

    Reference:
        Larsen et al. (2016), Algorithm 1.
    """

    network_names = ("encoder", "decoder", "discriminator")
    trained_networks = network_names
    term_names = {
        "kl": "encoder",
        "feature_nll": "discriminator",
        "real": "discriminator",
        "reconstructed": "discriminator",
        "reconstructed_as_real": "discriminator",
        "generated": "discriminator",
        "generated_as_real": "discriminator",
    }
    settings = (
        *AdversarialModel.settings,
        "gamma",
        "reconstruction_weight",
        "kl_weight",
        "feature_scale",
        "discriminate_reconstructions",
    )

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        *,
        gamma=1.0,
        reconstruction_weight=None,
        kl_weight=1.0,
        feature_scale="unit",
        discriminate_reconstructions=True,
        **kwargs,
    ):
        _check_weights(gamma, reconstruction_weight)
        check_kl_weight(kl_weight)
        losses.check_feature_scale(feature_scale)
        super().__init__(
            {
                "encoder": encoder,
                "decoder": decoder,
                "discriminator": discriminator,
            },
            **kwargs,
        )
        self.gamma = gamma
        self.reconstruction_weight = reconstruction_weight
        self.kl_weight = kl_weight
        self.feature_scale = feature_scale
        self.discriminate_reconstructions = discriminate_reconstructions

    @property
    def generated_terms(self):
        """The fakes that count in L_GAN."""
        if self.discriminate_reconstructions:
            return ("reconstructed", "generated")
        return ("generated",)

    def terms(self, example, training):
        """Steps 2 to 8 of Algorithm 1."""
        image, attributes = example["image"], example.get("attributes")
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        prior = self.draw(tf.shape(latent)[0], Purpose.PRIOR, training)
        reconstructed, generated = self.generate(
            [latent, prior], attributes, training
        )
        judged = self.judge(
            [image, reconstructed, generated], attributes, training
        )
        features, reconstructed_features, _ = judged["features"]
        real_logit, reconstructed_logit, generated_logit = judged["logit"]
        return {
            "kl": losses.gaussian_kl(**posterior),
            "feature_nll": losses.feature_nll(
                features, reconstructed_features, self.feature_scale
            ),
            **self.real_terms(real_logit),
            **self.fake_terms("reconstructed", reconstructed_logit),
            **self.fake_terms("generated", generated_logit),
        }

    def objectives(self, terms):
        """Larsen et al. (2016), Algorithm 1: what each network minimises."""
        likeness, fooling = self.decoder_weights()
        return {
            "encoder": self.kl_weight * terms["kl"] + terms["feature_nll"],
            "decoder": likeness * terms["feature_nll"]
            + fooling * self.adversarial_objective(terms),
            "discriminator": self.discriminator_objective(terms),
        }

    def decoder_weights(self):
        """Weights of feature error and L_GAN: (γ, 1), or (w, 1 − w)."""
        if self.reconstruction_weight is None:
            return self.gamma, 1.0
        return self.reconstruction_weight, 1.0 - self.reconstruction_weight


def _check_weights(gamma, reconstruction_weight):
    if gamma <= 0:
        raise ValueError(f"`gamma` must be positive. Received: gamma={gamma}.")
    if reconstruction_weight is not None and not 0 < reconstruction_weight < 1:
        raise ValueError(
            "`reconstruction_weight` must lie between 0 and 1, or be None. "
            f"Received: reconstruction_weight={reconstruction_weight}."
        )
