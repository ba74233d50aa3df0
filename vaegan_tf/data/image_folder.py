"""Any folder or zip of images, with attributes if there is a list of them."""

import collections
import functools
import os
from pathlib import PurePosixPath

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from vaegan_tf.data import file_tree, image_files, splits
from vaegan_tf.data.attribute_table import Table, read_csv

ATTRIBUTE_LIST = "attributes.csv"


class ImageFolderConfig(tfds.core.BuilderConfig):
    """Which files.

    Args:
        source_dir: The folder or zip.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it holds no images.
    """

    def __init__(self, source_dir: str | os.PathLike):
        self.tree = file_tree.open_tree(source_dir)
        names = self.tree.names()
        self.image_names = image_files.image_names(names)
        self.has_attributes = ATTRIBUTE_LIST in names
        if not self.image_names:
            raise ValueError(
                "`source_dir` must hold images "
                f"({', '.join(image_files.SUFFIXES)}). "
                f"Received: {str(source_dir)!r} with {len(names)} other files."
            )
        super().__init__(name=self.tree.identity())

    @functools.cached_property
    def attributes(self) -> Table:
        """The attributes, without columns if the folder has no list."""
        if not self.has_attributes:
            empty = np.zeros([0], np.float32)
            return Table("", (), dict.fromkeys(self.image_names, empty))
        text = self.tree.read(ATTRIBUTE_LIST).decode("utf-8-sig")
        return read_csv(ATTRIBUTE_LIST, text).as_flags()

    def partition(self) -> dict[str, list[str]]:
        """Names of the images by split.

        Where the first folder of every image is named like a split, and one
        of them is `train`, these are the splits; otherwise all is `train`.
        """
        partition = collections.defaultdict(list)
        for name in self.image_names:
            folders = PurePosixPath(name).parts[:-1]
            split = splits.canonical_name(folders[0]) if folders else None
            partition[split].append(name)
        if None in partition or "train" not in partition:
            return {"train": self.image_names}
        return dict(partition)


class ImageFolderFiles(tfds.core.GeneratorBasedBuilder):
    """Images from files that the user has."""

    name = "image_folder"
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(shape=(None, None, 3))}
        columns = self.builder_config.attributes.columns
        if columns:
            features["attributes"] = dict.fromkeys(columns, np.float32)
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        config = self.builder_config
        config.attributes.check_matches(config.image_names)
        whole = set(image_files.whole_images(config.tree, config.image_names))
        return {
            split: self._generate_examples(
                split, [name for name in names if name in whole]
            )
            for split, names in config.partition().items()
        }

    def _generate_examples(self, split, names):
        config = self.builder_config
        columns = config.attributes.columns
        for number, name in enumerate(
            tqdm(
                names, f"Copying images ({split})", unit=" images", disable=None
            )
        ):
            data = config.tree.read(name)
            example = {"image": image_files.encode_for_tensorflow(data)}
            if columns:
                row = config.attributes.rows[name]
                example["attributes"] = dict(zip(columns, row))
            yield number, example
