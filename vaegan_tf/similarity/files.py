"""Which images of two folders belong together, and what is known of them?"""

import os
import pathlib
import re
from collections.abc import Sequence

from vaegan_tf.data import file_tree, image_files
from vaegan_tf.data.attribute_table import read_csv

CLASSES = ("normal", "anomalous")


def image_names(folder: str | os.PathLike) -> list[str]:
    """Names of the images in a folder and in those in it, sorted.

    Raises:
        ValueError: If there are none.
    """
    names = file_tree.Folder(pathlib.Path(folder)).names()
    found = image_files.image_names(names)
    if not found:
        raise ValueError(
            f"{folder} holds no images ({', '.join(image_files.SUFFIXES)})."
        )
    return found


def common_names(one: str | os.PathLike, other: str | os.PathLike) -> list[str]:
    """Names of the images in two folders that hold images of the same names.

    Raises:
        ValueError: If one holds an image that the other lacks.
    """
    names, others = image_names(one), image_names(other)
    for folder, missing in (
        (other, sorted(set(names) - set(others))),
        (one, sorted(set(others) - set(names))),
    ):
        if missing:
            more = ", …" if len(missing) > 3 else ""
            raise ValueError(
                "The two folders must hold images of the same names. "
                f"{folder} lacks {len(missing)}: {', '.join(missing[:3])}{more}"
            )
    return names


def labels_of_folders(names: Sequence[str]) -> dict[str, int] | None:
    """Labels by name if the images lie in `normal/` and `anomalous/`.

    Args:
        names: Names of images, folders included.

    Returns:
        1 for anomalous and 0 for normal ones; `None` if they lie elsewhere.
    """
    folders = {name: name.partition("/")[0] for name in names}
    if set(folders.values()) != set(CLASSES):
        return None
    return {name: CLASSES.index(place) for name, place in folders.items()}


def read_labels(
    path: str | os.PathLike, names: Sequence[str]
) -> dict[str, int]:
    """Labels by name, from a table with the columns `file` and `label`.

    Args:
        path: A CSV file; labels are `normal` and `anomalous`, or 0 and 1.
        names: The images, each of which must have a row.

    Returns:
        1 for anomalous and 0 for normal ones.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a table, does not match the images, or
            all labels are the same.
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be a text file.") from None
    for number, word in enumerate(CLASSES):
        text = re.sub(rf",\s*{word}\s*$", f",{number}", text, flags=re.M)
    table = read_csv(str(path), text)
    if table.columns != ("label",):
        raise ValueError(
            f"{path} must have the columns file and label. "
            f"Received: {', '.join(table.columns)} behind the first."
        )
    table.check_matches(names)
    labels = {name: float(table.rows[name][0]) for name in names}
    if set(labels.values()) != {0.0, 1.0}:
        raise ValueError(
            f"{path} must have labels of both kinds, normal (0) and anomalous "
            f"(1). Received: {sorted(set(labels.values()))}."
        )
    return {name: int(label) for name, label in labels.items()}
