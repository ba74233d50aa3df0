"""How is a new picture or clip drawn that is made as a single one is?"""

from vaegan_tf.patch.model import HPVAEGAN
from vaegan_tf.patch.pyramid import Pyramid, create_pyramid
from vaegan_tf.patch.single import SingleDataset, load_single
from vaegan_tf.patch.stages import Stages

__all__ = [
    "HPVAEGAN",
    "Pyramid",
    "SingleDataset",
    "Stages",
    "create_pyramid",
    "load_single",
]
