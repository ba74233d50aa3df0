"""How good is it? Scores of samples, reconstructions and latent codes."""

from vaegan_tf.evaluation.evaluator import Evaluator
from vaegan_tf.evaluation.features import Extractor
from vaegan_tf.evaluation.inception import Inception
from vaegan_tf.evaluation.scores import Evaluation, Score, table

__all__ = [
    "Evaluation",
    "Evaluator",
    "Extractor",
    "Inception",
    "Score",
    "table",
]
