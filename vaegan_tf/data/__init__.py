"""Data sets of images: prepared once, read in batches."""

from vaegan_tf.data.dataset import ImageDataset, Split
from vaegan_tf.data.loading import crop_of, load_dataset

__all__ = ["ImageDataset", "Split", "crop_of", "load_dataset"]
