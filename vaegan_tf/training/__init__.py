"""When, and on which device? One trainer for every model."""

from vaegan_tf.training.callbacks import (
    BestCheckpoint,
    Evaluate,
    LatentCodes,
    MetricsLog,
    Progress,
    ReconstructionGrid,
    SampleGrid,
    Validation,
)
from vaegan_tf.training.distribution import Distribution, create_distribution
from vaegan_tf.training.train import train
from vaegan_tf.training.trainer import DivergenceError, Trainer

__all__ = [
    "BestCheckpoint",
    "Distribution",
    "DivergenceError",
    "Evaluate",
    "LatentCodes",
    "MetricsLog",
    "Progress",
    "ReconstructionGrid",
    "SampleGrid",
    "Trainer",
    "Validation",
    "create_distribution",
    "train",
]
