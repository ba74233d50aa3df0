"""Which images of two folders form pairs, and what are their labels?"""

import os
import pathlib
import re
from collections.abc import Sequence

from vaegan_tf import files
from vaegan_tf.data import image_files
from vaegan_tf.data.attribute_table import decoded, read_csv

CLASSES = ("normal", "anomalous")


def image_names(folder: str | os.PathLike) -> list[str]:
    """Sorted names of the images in and below a folder; ValueError if none."""
    names = image_files.Folder(pathlib.Path(folder)).names()
    images = image_files.image_names(names)
    if not images:
        raise ValueError(
            f"{folder} holds no images ({', '.join(image_files.SUFFIXES)})."
        )
    return images


def common_names(one: str | os.PathLike, other: str | os.PathLike) -> list[str]:
    """Names of the images in two folders; ValueError if one lacks some."""
    names, others = image_names(one), image_names(other)
    for folder, here, there in ((other, others, names), (one, names, others)):
        if missing := sorted(set(there) - set(here)):
            more = ", …" if len(missing) > 3 else ""
            raise ValueError(
                "The two folders must hold images of the same names. "
                f"{folder} lacks {len(missing)}: {', '.join(missing[:3])}{more}"
            )
    return names


def labels_of_folders(names: Sequence[str]) -> dict[str, int] | None:
    """1 for images in `anomalous/`, 0 in `normal/`; `None` if elsewhere."""
    folders = {name: name.partition("/")[0] for name in names}
    if set(folders.values()) != set(CLASSES):
        return None
    return {name: CLASSES.index(place) for name, place in folders.items()}


def read_labels(
    path: str | os.PathLike, names: Sequence[str]
) -> dict[str, int]:
    """1 for anomalous and 0 for normal images, from a CSV file, by name.

    It has the columns `file` and `label`, `normal` or `anomalous`, or 0 or 1,
    and a row for each image.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a table, does not match the images, or
            all labels are the same.
    """
    files.check_regular(path)
    text = decoded(str(path), pathlib.Path(path).read_bytes())
    for number, word in enumerate(CLASSES):
        text = re.sub(rf",\s*{word}\s*$", f",{number}", text, flags=re.M)
    table = read_csv(str(path), text)
    if table.columns != ("label",):
        raise ValueError(
            f"{path} must have the columns file and label. "
            f"Received: {', '.join(table.columns)} after the first."
        )
    table.check_matches(names)
    labels = {name: float(table.rows[name][0]) for name in names}
    if (kinds := sorted(set(labels.values()))) != [0.0, 1.0]:
        raise ValueError(
            f"{path} must have labels of both kinds, normal (0) and anomalous "
            f"(1). Received: {kinds}."
        )
    return {name: int(label) for name, label in labels.items()}
