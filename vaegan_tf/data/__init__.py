"""What does an example look like? Data sets, prepared once, in batches."""

from vaegan_tf.data.dataset import ImageDataset, Split
from vaegan_tf.data.loading import load_dataset

__all__ = ["ImageDataset", "Split", "load_dataset"]
