"""Which attributes does an image show?"""

from vaegan_tf.predictor.model import AttributePredictor

__all__ = ["AttributePredictor"]
