"""How good is it? Scores of samples, reconstructions and latent codes."""

from vaegan_tf.evaluation.evaluator import Evaluator
from vaegan_tf.evaluation.features import Extractor, create_extractor
from vaegan_tf.evaluation.inception import Inception
from vaegan_tf.evaluation.scores import Evaluation, Score, table

__all__ = [
    "Evaluation",
    "Evaluator",
    "Extractor",
    "Inception",
    "Score",
    "create_extractor",
    "table",
]
