"""How alike are two images, to a discriminator that was trained?"""

from vaegan_tf.similarity.metric import LearnedMetric

__all__ = ["LearnedMetric"]
