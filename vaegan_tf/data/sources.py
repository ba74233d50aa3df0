"""From the name of a data set to its prepared TFDS builder."""

import contextlib
import difflib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import requests
import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core.download import download_manager

from vaegan_tf.data import locks
from vaegan_tf.data.avatars import Avatars
from vaegan_tf.data.celeb_a_files import CelebAFiles, CelebAFilesConfig
from vaegan_tf.data.image_folder import ImageFolderConfig, ImageFolderFiles

OWN_DATASETS = ("avatars", "celeb_a_files", "image_folder")

# Of version 2.1.0 of the TFDS builder, which accepts no others.
CELEB_A_FILE_BYTES = {
    "img_align_celeba.zip": 1_443_490_838,
    "list_eval_partition.txt": 2_836_386,
    "list_attr_celeba.txt": 26_721_026,
    "list_landmarks_align_celeba.txt": 12_156_055,
    "identity_CelebA.txt": 3_424_458,
}

_DOWNLOAD_ERRORS = (
    requests.exceptions.RequestException,
    tfds.download.DownloadError,
    download_manager.NonMatchingChecksumError,
)


def find_builder(
    name: str,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
) -> tfds.core.DatasetBuilder:
    """The builder of a data set, prepared if it was not.

    Args:
        name: Name of the data set, with `/config` behind it if it has such.
        data_dir: Where prepared data sets lie.
        source_dir: The user's files, for data sets made of them.

    Returns:
        A builder whose examples can be read.

    Raises:
        FileNotFoundError: If a file or folder is missing.
        ValueError: If there is no such data set, or it holds no images.
        ConnectionError: If a download failed.
    """
    builder = _builder(name, data_dir, source_dir)
    _check_features(name, builder.info.features)
    if not Path(builder.data_path).is_dir():
        if name == "celeb_a" and source_dir is not None:
            check_celeb_a_files(source_dir)
        _prepare(builder, source_dir)
    return builder


def check_celeb_a_files(source_dir: str | os.PathLike) -> None:
    """Refuse a folder without CelebA's five official files.

    Args:
        source_dir: The folder.

    Raises:
        FileNotFoundError: If one is missing or has another size.
    """
    problems = []
    for name, size in CELEB_A_FILE_BYTES.items():
        path = Path(source_dir).expanduser() / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif path.stat().st_size != size:
            problems.append(
                f"{name} has {path.stat().st_size:,} bytes, not {size:,}"
            )
    if problems:
        raise FileNotFoundError(
            "`source_dir` must hold the five official files of CelebA. "
            f"Received: {str(source_dir)!r}, where {'; '.join(problems)}. "
            "Other copies can be read with --dataset=celeb_a_files."
        )


def _check_features(name, features):
    image = dict(features.items()).get("image")
    if not isinstance(image, tfds.features.Image):
        raise ValueError(
            f"The data set must have a feature `image`. Received: {name!r} "
            f"with {', '.join(features)}."
        )
    if image.shape[-1] not in (1, 3) or image.np_dtype != np.uint8:
        raise ValueError(
            "The images must have 1 or 3 channels of 8 bits. Received: "
            f"{name!r} with {image.shape[-1]} of {image.np_dtype.__name__}."
        )


def _builder(name, data_dir, source_dir):
    base, _, config = name.partition("/")
    if base in ("celeb_a_files", "image_folder"):
        return _builder_of_files(base, data_dir, source_dir)
    if source_dir is not None and base != "celeb_a":
        raise ValueError(
            "`source_dir` is for celeb_a, celeb_a_files and image_folder. "
            f"Received: {str(source_dir)!r} for {name!r}."
        )
    if base == "avatars":
        return _avatars(name, config, data_dir)
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(_unknown_name(name)) from error


def _builder_of_files(name, data_dir, source_dir):
    if source_dir is None:
        raise ValueError(
            f"`source_dir` must name the folder or zip for {name!r}. "
            "Received: None."
        )
    if name == "celeb_a_files":
        builder, config = CelebAFiles, CelebAFilesConfig(source_dir)
    else:
        builder, config = ImageFolderFiles, ImageFolderConfig(source_dir)
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # "Using custom configuration …"
    try:
        return builder(data_dir=data_dir, config=config)
    finally:
        logging.set_verbosity(verbosity)


def _avatars(name, config, data_dir):
    if config and config not in Avatars.builder_configs:
        known = ", ".join(f"avatars/{c}" for c in Avatars.builder_configs)
        raise ValueError(
            f"`name` must be one of avatars, {known}. Received: {name!r}."
        )
    return Avatars(data_dir=data_dir, config=config or None)


def _unknown_name(name):
    known = [*OWN_DATASETS, *tfds.list_builders()]
    near = difflib.get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"`name` must be one of {', '.join(OWN_DATASETS)}, or a data set of "
        f"TFDS. Received: {name!r}.{hint}"
    )


def _prepare(builder, manual_dir):
    folder = Path(builder.data_path)
    with locks.exclusive(folder.parent / f".{folder.name}.lock"):
        for leftover in folder.parent.glob(f"incomplete.*_{folder.name}"):
            shutil.rmtree(leftover)
        if folder.is_dir():
            return
        if builder.name in OWN_DATASETS:
            with _quiet():
                builder.download_and_prepare()
        else:
            _download_and_prepare(builder, manual_dir)


def _download_and_prepare(builder, manual_dir):
    config = tfds.download.DownloadConfig(
        manual_dir=None if manual_dir is None else os.fspath(manual_dir)
    )
    try:
        builder.download_and_prepare(download_config=config)
    except _DOWNLOAD_ERRORS as error:
        ways = "Try again later, or prepare it on a machine with a network."
        if builder.name == "celeb_a":
            ways = (
                "Try again later; or put the five official files into a folder "
                "and give it as --source_dir; or read another copy with "
                "--dataset=celeb_a_files."
            )
        reason = str(error).strip().splitlines()[0][:200]
        raise ConnectionError(
            f"{builder.name} could not be downloaded "
            f"({type(error).__name__}: {reason}). {ways}"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Spare the user TFDS's talk of downloads where there are none.

    Our own builders show one bar for each step.
    """
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()
