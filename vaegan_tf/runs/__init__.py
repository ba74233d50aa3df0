"""What is kept of a run? Its record, its checkpoints, its model."""

from vaegan_tf.runs.checkpoints import CheckpointError, Checkpoints
from vaegan_tf.runs.run import Run, load_model

__all__ = ["CheckpointError", "Checkpoints", "Run", "load_model"]
