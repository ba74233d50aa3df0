"""What is the architecture? Encoder, decoder and discriminator."""

from vaegan_tf.networks.blocks import Network
from vaegan_tf.networks.decoder import Decoder
from vaegan_tf.networks.discriminator import Discriminator
from vaegan_tf.networks.encoder import Encoder
from vaegan_tf.networks.normalization import FusedBatchNormalization

__all__ = [
    "Decoder",
    "Discriminator",
    "Encoder",
    "FusedBatchNormalization",
    "Network",
]
