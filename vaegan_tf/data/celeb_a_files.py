"""CelebA from files that the user has: the official layout or Kaggle's."""

import collections
import functools
import os
import re
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from vaegan_tf.data import image_files, splits, transforms
from vaegan_tf.data.attribute_table import (
    Table,
    decoded,
    read_celeba_list,
    read_csv,
)

_HEIGHT, _WIDTH = transforms.CELEB_SIZE
# The official partition cuts the numbered images at these counts.
_OFFICIAL_SIZES = {"train": 162_770, "validation": 19_867, "test": 19_962}
_IMAGES = "img_align_celeba"
_ATTRIBUTES = "list_attr_celeba"
_PARTITION = "list_eval_partition"


class CelebAFolder:
    """The images and lists in a folder or zip of CelebA.

    The images may be in `img_align_celeba/`, there once more in
    `img_align_celeba/`, or in `img_align_celeba.zip`; all of it may lie in
    further folders, as in the official `Img/`, `Anno/` and `Eval/`.
    """

    def __init__(self, source_dir: str | os.PathLike):
        self.tree = self._image_tree = image_files.open_tree(source_dir)
        names = self.tree.names()
        self._paths = _image_paths(names)
        zips = [n for n in names if PurePosixPath(n).name == f"{_IMAGES}.zip"]
        is_zip = isinstance(self.tree, image_files.Zip)
        if zips and not self._paths and not is_zip:
            self._image_tree = image_files.open_tree(self.tree.path / zips[0])
            self._paths = _image_paths(self._image_tree.names())
        self.image_names = sorted(self._paths)
        if not self.image_names:
            raise FileNotFoundError(
                f"`source_dir` must hold {_IMAGES}.zip or a folder {_IMAGES} "
                f"with images in it. Received: {str(source_dir)!r}."
            )

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
        """Names of the images by split; only `train` where nothing is known."""
        names = self.image_names
        table = self._read_list(_PARTITION)
        if table is not None:
            table.check_matches(names)
            return _by_number(table, names)
        if len(names) != sum(_OFFICIAL_SIZES.values()):
            return {"train": names}
        ends = np.cumsum(list(_OFFICIAL_SIZES.values()))[:-1]
        return dict(zip(_OFFICIAL_SIZES, map(list, np.split(names, ends))))

    def features(self) -> dict[str, Any]:
        """What an example holds, in TFDS's terms."""
        shape = (_HEIGHT, _WIDTH, 3)
        return {
            "image": tfds.features.Image(shape=shape, encoding_format="jpeg"),
            "attributes": dict.fromkeys(self.attributes.columns, np.bool_),
        }

    def whole_images(self) -> set[str]:
        """Names of the images that can be decoded."""
        paths = sorted(self._paths.values())
        whole = image_files.whole_images(
            self._image_tree, paths, required_size=(_WIDTH, _HEIGHT)
        )
        return {PurePosixPath(path).name for path in whole}

    def example(self, name: str) -> dict[str, Any]:
        """The JPEG as it is, and the attributes."""
        row = self.attributes.row(name)
        attributes = {column: value > 0 for column, value in row.items()}
        image = self._image_tree.read(self._paths[name])
        return {"image": image, "attributes": attributes}

    def _read_list(self, stem):
        for suffix, read in ((".txt", read_celeba_list), (".csv", read_csv)):
            for name in self.tree.names():
                if PurePosixPath(name).name == stem + suffix:
                    text = decoded(stem + suffix, self.tree.read(name))
                    return read(stem + suffix, text)
        return None


def _image_paths(names):
    pattern = re.compile(rf"(^|/){_IMAGES}/[^/]+\.jpg$", re.IGNORECASE)
    return {
        PurePosixPath(name).name: name for name in names if pattern.search(name)
    }


def _by_number(table, names):
    if len(table.columns) != 1:
        raise ValueError(
            f"{table.source} must have one number for each image. "
            f"Received: {len(table.columns)}."
        )
    partition = collections.defaultdict(list)
    for name in names:
        number = float(table.rows[name][0])
        if number not in (0, 1, 2):
            raise ValueError(
                f"{table.source} must hold 0 (train), 1 (validation) or 2 "
                f"(test). Received: {number:g} for {name}."
            )
        partition[splits.SPLITS[int(number)]].append(name)
    return partition
