"""How are classes told of which there are few images, or none?"""

from vaegan_tf.anyshot.dataset import FeatureDataset, load_features
from vaegan_tf.anyshot.f_vaegan_d2 import FVAE, FVAEGAN, FVAEGAND2, FWGAN
from vaegan_tf.anyshot.features import FeatureTable
from vaegan_tf.anyshot.task import Task, create_task
from vaegan_tf.anyshot.xlsa17 import read_xlsa17

__all__ = [
    "FVAE",
    "FVAEGAN",
    "FVAEGAND2",
    "FWGAN",
    "FeatureDataset",
    "FeatureTable",
    "Task",
    "create_task",
    "load_features",
    "read_xlsa17",
]
