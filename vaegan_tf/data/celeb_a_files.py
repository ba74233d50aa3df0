"""CelebA from files that the user has: the official layout or Kaggle's."""

import collections
import dataclasses
import functools
import os
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from vaegan_tf.data import file_tree, image_files, splits, transforms
from vaegan_tf.data.attribute_table import Table, read_celeba_list, read_csv

_HEIGHT, _WIDTH = transforms.CELEB_SIZE
# The official partition cuts the numbered images at these counts.
_OFFICIAL_SIZES = {"train": 162_770, "validation": 19_867, "test": 19_962}
_IMAGES = "img_align_celeba"
_ATTRIBUTES = "list_attr_celeba"
_PARTITION = "list_eval_partition"


@dataclasses.dataclass(frozen=True, eq=False)
class CelebAFolder:
    """What a folder or zip of CelebA holds.

    Args:
        tree: The folder or zip with the lists.
        image_tree: The folder or zip with the images, often the same.
        image_paths: Names in `image_tree` by the name of the image.
    """

    tree: file_tree.FileTree
    image_tree: file_tree.FileTree
    image_paths: Mapping[str, str]

    @functools.cached_property
    def attributes(self) -> Table:
        """The attributes, −1 or 1 (or 0 or 1)."""
        table = self._read_list(_ATTRIBUTES)
        if table is None:
            raise FileNotFoundError(
                "`source_dir` must hold list_attr_celeba.txt or .csv. "
                f"Received: {str(self.tree.path)!r}."
            )
        return table

    def partition(self) -> dict[str, list[str]]:
        """Names of the images by split; only `train` where nothing is known.

        Raises:
            ValueError: If the list does not match the images.
        """
        names = sorted(self.image_paths)
        table = self._read_list(_PARTITION)
        if table is not None:
            table.check_matches(names)
            return _by_number(table, names)
        if len(names) != sum(_OFFICIAL_SIZES.values()):
            return {"train": names}
        ends = np.cumsum(list(_OFFICIAL_SIZES.values()))[:-1]
        return dict(zip(_OFFICIAL_SIZES, map(list, np.split(names, ends))))

    def read_image(self, name: str) -> bytes:
        """The JPEG of an image."""
        return self.image_tree.read(self.image_paths[name])

    def identity(self) -> str:
        """A name that changes with the place and the state of all files."""
        return self.tree.identity()

    def _read_list(self, stem):
        names = [PurePosixPath(name) for name in self.tree.names()]
        for suffix, read in ((".txt", read_celeba_list), (".csv", read_csv)):
            for name in names:
                if name.name == stem + suffix:
                    text = self.tree.read(str(name)).decode()
                    return read(name.name, text)
        return None


def open_celeba(source_dir: str | os.PathLike) -> CelebAFolder:
    """Find the images and lists in a folder or zip.

    The images may be in `img_align_celeba/`, there once more in
    `img_align_celeba/`, or in `img_align_celeba.zip`; all of it may lie in
    further folders, as in the official `Img/`, `Anno/` and `Eval/`.

    Args:
        source_dir: The folder or zip.

    Raises:
        FileNotFoundError: If there are no images.
    """
    tree = file_tree.open_tree(source_dir)
    names = tree.names()
    image_tree, paths = tree, _image_paths(names)
    archive = f"{_IMAGES}.zip"
    archives = [n for n in names if PurePosixPath(n).name == archive]
    if not paths and archives and isinstance(tree, file_tree.Folder):
        image_tree = file_tree.open_tree(tree.path / archives[0])
        paths = _image_paths(image_tree.names())
    if not paths:
        raise FileNotFoundError(
            f"`source_dir` must hold {_IMAGES}.zip or a folder {_IMAGES} with "
            f"images in it. Received: {str(source_dir)!r}."
        )
    return CelebAFolder(tree, image_tree, paths)


class CelebAFilesConfig(tfds.core.BuilderConfig):
    """Which files.

    Args:
        source_dir: The folder or zip.
    """

    def __init__(self, source_dir: str | os.PathLike):
        self.source = open_celeba(source_dir)
        super().__init__(name=self.source.identity())


class CelebAFiles(tfds.core.GeneratorBasedBuilder):
    """CelebA without its download: neither landmarks nor identities.

    The JPEGs stay as they are.
    """

    name = "celeb_a_files"
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        columns = self.builder_config.source.attributes.columns
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(
                        shape=(_HEIGHT, _WIDTH, 3), encoding_format="jpeg"
                    ),
                    "attributes": dict.fromkeys(columns, np.bool_),
                }
            ),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        source = self.builder_config.source
        source.attributes.check_matches(source.image_paths)
        partition = source.partition()
        whole = image_files.whole_images(
            source.image_tree,
            sorted(source.image_paths.values()),
            required_size=(_WIDTH, _HEIGHT),
        )
        whole = {PurePosixPath(path).name for path in whole}
        return {
            split: self._generate_examples(
                split, [name for name in names if name in whole]
            )
            for split, names in partition.items()
        }

    def _generate_examples(self, split, names):
        source = self.builder_config.source
        columns = source.attributes.columns
        for number, name in enumerate(
            tqdm(
                names, f"Copying images ({split})", unit=" images", disable=None
            )
        ):
            row = source.attributes.rows[name] > 0
            yield (
                number,
                {
                    "image": source.read_image(name),
                    "attributes": dict(zip(columns, row)),
                },
            )


def _image_paths(names):
    pattern = re.compile(rf"(^|/){_IMAGES}/[^/]+\.jpg$", re.IGNORECASE)
    return {
        PurePosixPath(name).name: name for name in names if pattern.search(name)
    }


def _by_number(table, names):
    partition = collections.defaultdict(list)
    for name in names:
        number = float(table.rows[name][0])
        if number not in (0, 1, 2):
            raise ValueError(
                f"{table.source} must hold 0 (train), 1 (validation) or 2 "
                f"(test). Received: {number:g} for {name}."
            )
        partition[splits.SPLITS[int(number)]].append(name)
    return dict(partition)
