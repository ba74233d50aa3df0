"""Prepared data sets on object storage, copied to this machine once."""

import hashlib
import os
import re
from pathlib import Path
from typing import TypeGuard

import tensorflow as tf
from absl import logging

from vaegan_tf import files, locks


def local_folder(data_dir: str, name: str) -> Path:
    """Copies a prepared data set from a URL into the user's cache.

    Local files of the same size and time are not copied again. What is not
    prepared there is prepared here, in the folder that is returned.

    Args:
        data_dir: A URL that TensorFlow can read, such as `gs://bucket/data`,
            below which data sets lie as in a folder of TFDS.
        name: Name of the data set, possibly with a configuration.

    Raises:
        ValueError: If TensorFlow cannot read such URLs.
        ConnectionError: If the storage cannot be read, or an object would be
            copied to another place than this cache.
    """
    url = data_dir.rstrip("/")
    dataset = re.split("[/:]", name)[0]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    digest = hashlib.sha256(url.encode()).hexdigest()[:10]
    slug = re.sub(r"[^\w.-]+", "-", url, flags=re.ASCII)[:100]
    folder = cache / "vaegan_tf" / f"{slug}-{digest}"
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


def is_url(data_dir: str | os.PathLike | None) -> TypeGuard[str]:
    """Whether it names a location on object storage, and no folder."""
    return isinstance(data_dir, str) and "://" in data_dir


def _copy_tree(url, folder):
    try:
        tf.io.gfile.stat(url)
    except tf.errors.NotFoundError:
        logging.info("%s is not there; it is prepared here.", url)
        return
    for place, _, names in tf.io.gfile.walk(url):
        place = place.rstrip("/")
        inner = folder / place.removeprefix(url).strip("/")
        for name in names:
            path = inner / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise OSError(f"{place}/{name} lies outside of the data set")
            _copy_file(f"{place}/{name}", path)


def _copy_file(url, path):
    there = tf.io.gfile.stat(url)
    if path.exists():
        here = path.stat()
        known = here.st_size, here.st_mtime_ns
        if known == (there.length, there.mtime_nsec):
            return
    logging.info("Copying %s.", url)
    with files.replacing(path) as temporary:
        tf.io.gfile.copy(url, str(temporary), overwrite=True)
        os.utime(temporary, ns=(there.mtime_nsec, there.mtime_nsec))
