"""Prepared data sets on object storage, copied to this machine once."""

import os
import re
from pathlib import Path

import tensorflow as tf
from absl import logging

from vaegan_tf.data import locks


def local_folder(data_dir: str | os.PathLike, name: str) -> Path:
    """Copies a prepared data set from a URL to this machine.

    Files that are here with the same size are not copied again. What is not
    prepared there is prepared here, in the same folder.

    Args:
        data_dir: A URL that TensorFlow can read, such as `gs://bucket/data`,
            below which data sets lie as in a folder of TFDS.
        name: Name of the data set, possibly with a configuration.

    Returns:
        A folder to take for `data_dir`, in the user's cache.

    Raises:
        ValueError: If TensorFlow cannot read such URLs.
        ConnectionError: If the storage cannot be read.
    """
    url = os.fspath(data_dir).rstrip("/")
    dataset = re.split("[/:]", name)[0]
    folder = _cache() / re.sub(r"[^\w.-]+", "-", url)
    try:
        with locks.exclusive(folder / ".lock"):
            _copy_tree(f"{url}/{dataset}", folder / dataset)
    except tf.errors.UnimplementedError as error:
        scheme = url.split("://")[0]
        raise ValueError(
            f"TensorFlow does not read {scheme}:// as it is installed here. "
            "Install its file system, such as tensorflow[gcs-filesystem] for "
            "gs://, or mount the storage and give the folder."
        ) from error
    except (tf.errors.OpError, OSError) as error:
        raise ConnectionError(
            f"{url} could not be copied to {folder}: {error}"
        ) from error
    return folder


def is_url(data_dir: str | os.PathLike | None) -> bool:
    """Whether it names a place on object storage, and no folder."""
    return isinstance(data_dir, str) and "://" in data_dir


def _cache():
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "vaegan_tf"


def _copy_tree(url, folder):
    try:
        tf.io.gfile.stat(url)
    except tf.errors.NotFoundError:
        logging.info("%s is not there; it is prepared here.", url)
        return
    for place, _, names in tf.io.gfile.walk(url):
        inner = folder / place.removeprefix(url).strip("/")
        for name in names:
            _copy_file(f"{place.rstrip('/')}/{name}", inner / name)


def _copy_file(url, path):
    if path.exists() and path.stat().st_size == tf.io.gfile.stat(url).length:
        return
    logging.info("Copying %s.", url)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    tf.io.gfile.copy(url, str(partial), overwrite=True)
    os.replace(partial, path)
