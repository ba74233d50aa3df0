"""Any folder or zip of images, with attributes if there is a list of them."""

import collections
import functools
import os
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from vaegan_tf.data import image_files, splits
from vaegan_tf.data.attribute_table import Table, decoded, read_csv

ATTRIBUTE_LIST = "attributes.csv"


class ImageFolder:
    """The images in a folder or zip."""

    def __init__(self, source_dir: str | os.PathLike):
        self.tree = image_files.open_tree(source_dir)
        names = self.tree.names()
        self.image_names = image_files.image_names(names)
        self.has_attributes = ATTRIBUTE_LIST in names
        if not self.image_names:
            raise ValueError(
                "`source_dir` must hold images "
                f"({', '.join(image_files.SUFFIXES)}). "
                f"Received: {str(source_dir)!r} with {len(names)} other files."
            )

    @functools.cached_property
    def attributes(self) -> Table:
        """The attributes, without columns if the folder has no list."""
        if not self.has_attributes:
            empty = np.zeros([0], np.float32)
            return Table("", (), dict.fromkeys(self.image_names, empty))
        text = decoded(ATTRIBUTE_LIST, self.tree.read(ATTRIBUTE_LIST))
        return read_csv(ATTRIBUTE_LIST, text).as_flags()

    def features(self) -> dict[str, Any]:
        """What an example holds, in TFDS's terms."""
        features = {"image": tfds.features.Image(shape=(None, None, 3))}
        columns = dict.fromkeys(self.attributes.columns, np.float32)
        return {**features, "attributes": columns} if columns else features

    def whole_images(self) -> set[str]:
        """Names of the images that can be decoded."""
        return image_files.whole_images(self.tree, self.image_names)

    def partition(self) -> dict[str, list[str]]:
        """Names of the images by split.

        Where the first folder of every image is named like a split, and one
        of them is `train`, these are the splits; otherwise all is `train`.
        """
        partition = collections.defaultdict(list)
        for name in self.image_names:
            folders = PurePosixPath(name).parts[:-1]
            split = splits.canonical_name(folders[0]) if folders else None
            partition[split or ""].append(name)
        if "" in partition or "train" not in partition:
            return {"train": self.image_names}
        return partition

    def example(self, name: str) -> dict[str, Any]:
        """The image, in a form that TensorFlow decodes, and its attributes."""
        image = image_files.encode_for_tensorflow(self.tree.read(name))
        attributes = self.attributes.row(name)
        if not attributes:
            return {"image": image}
        return {"image": image, "attributes": attributes}
