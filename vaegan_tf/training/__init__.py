"""When, and on which device? One trainer for every model."""

from vaegan_tf.training.callbacks import MetricsLog, Progress
from vaegan_tf.training.distribution import Distribution, create_distribution
from vaegan_tf.training.grids import ReconstructionGrid, SampleGrid
from vaegan_tf.training.muon import Muon
from vaegan_tf.training.scoring import (
    BestCheckpoint,
    Evaluate,
    LatentCodes,
    Validation,
)
from vaegan_tf.training.signals import StopSignals
from vaegan_tf.training.train import train
from vaegan_tf.training.trainer import DivergenceError, Trainer

__all__ = [
    "BestCheckpoint",
    "Distribution",
    "DivergenceError",
    "Evaluate",
    "LatentCodes",
    "MetricsLog",
    "Muon",
    "Progress",
    "ReconstructionGrid",
    "SampleGrid",
    "StopSignals",
    "Trainer",
    "Validation",
    "create_distribution",
    "train",
]
