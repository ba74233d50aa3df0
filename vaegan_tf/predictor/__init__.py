"""Which attributes does an image show?"""

from vaegan_tf.predictor.create import create_predictor, load_predictor
from vaegan_tf.predictor.model import AttributePredictor

__all__ = ["AttributePredictor", "create_predictor", "load_predictor"]
