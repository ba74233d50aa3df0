"""Who minimises what? The models, one file each."""

from vaegan_tf.models.base import ObjectiveModel
from vaegan_tf.models.gan import GAN
from vaegan_tf.models.generative import Autoencoder, GenerativeModel
from vaegan_tf.models.learned_metric_vae import LearnedMetricVAE
from vaegan_tf.models.registry import (
    create_model,
    kinds,
    model_class,
    register,
    require,
)
from vaegan_tf.models.vae import VAE
from vaegan_tf.models.vaegan import VAEGAN

__all__ = [
    "GAN",
    "VAE",
    "VAEGAN",
    "Autoencoder",
    "GenerativeModel",
    "LearnedMetricVAE",
    "ObjectiveModel",
    "create_model",
    "kinds",
    "model_class",
    "register",
    "require",
]
