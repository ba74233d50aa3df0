"""Who minimises what? The four models of the paper."""

from vaegan_tf.models.create import MODELS, create_model
from vaegan_tf.models.gan import GAN
from vaegan_tf.models.learned_metric_vae import LearnedMetricVAE
from vaegan_tf.models.vae import VAE
from vaegan_tf.models.vaegan import VAEGAN

__all__ = [
    "GAN",
    "MODELS",
    "VAE",
    "VAEGAN",
    "LearnedMetricVAE",
    "create_model",
]
