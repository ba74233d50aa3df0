"""How similar are two images to a trained discriminator?"""

from vaegan_tf.similarity.metric import LearnedMetric

__all__ = ["LearnedMetric"]
