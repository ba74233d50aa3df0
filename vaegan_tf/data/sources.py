"""From the name of a data set to its prepared TFDS builder."""

import contextlib
import difflib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import requests
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from google.protobuf import json_format
from tensorflow_datasets.core.download import download_manager

from vaegan_tf import locks
from vaegan_tf.data.avatars import Avatars
from vaegan_tf.data.celeb_a_files import CelebAFolder
from vaegan_tf.data.image_folder import ImageFolder
from vaegan_tf.data.progress import progress
from vaegan_tf.errors import first_line, one_line

OWN_DATASETS = ("avatars", "celeb_a_files", "image_folder")

# Of version 2.1.0 of the TFDS builder, which accepts no others.
CELEB_A_FILE_BYTES = {
    "img_align_celeba.zip": 1_443_490_838,
    "list_eval_partition.txt": 2_836_386,
    "list_attr_celeba.txt": 26_721_026,
    "list_landmarks_align_celeba.txt": 12_156_055,
    "identity_CelebA.txt": 3_424_458,
}

# What TFDS raises for files of its own that were changed.
_DAMAGED = (
    json.JSONDecodeError,
    json_format.ParseError,
    AttributeError,
    LookupError,
    TypeError,
    UnicodeDecodeError,
)
_NAME = re.compile(r"\w+(/[\w.+-]+)?(:\d[\w.*+-]*)?", re.ASCII)
_DOWNLOAD_ERRORS = (
    requests.exceptions.RequestException,
    tfds.download.DownloadError,
    download_manager.NonMatchingChecksumError,
)


class FilesConfig(tfds.core.BuilderConfig):
    """Which files; each state of them is a configuration of its own."""

    def __init__(self, source: CelebAFolder | ImageFolder):
        self.source = source
        super().__init__(name=source.tree.identity())


class FilesBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Copies the images that can be decoded, in order."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = self.builder_config.source.features()
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager) -> dict[str, Iterator]:
        source = self.builder_config.source
        source.attributes.check_matches(source.image_names)
        partition, whole = source.partition(), source.whole_images()
        return {
            split: self._generate_examples(
                split, [name for name in names if name in whole]
            )
            for split, names in partition.items()
        }

    def _generate_examples(self, split, names) -> Iterator[tuple[int, dict]]:
        title = f"Copying images ({split})"
        for number, name in enumerate(progress(names, title)):
            yield number, self.builder_config.source.example(name)


class CelebAFiles(FilesBuilder):
    """CelebA without its download, the JPEGs as they are.

    It has neither landmarks nor identities.
    """

    name = "celeb_a_files"
    Source = CelebAFolder


class ImageFolderFiles(FilesBuilder):
    """Images from files that the user has."""

    name = "image_folder"
    Source = ImageFolder


_OF_FILES = {
    builder.name: builder for builder in (CelebAFiles, ImageFolderFiles)
}


def find_builder(
    name: str,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
) -> tfds.core.DatasetBuilder:
    """The builder of a data set, prepared if it was not.

    Arguments and errors are those of `load_dataset`.
    """
    try:
        builder = _builder(name, data_dir, source_dir)
    except _DAMAGED as error:
        raise ValueError(
            f"What is prepared of {name!r} is damaged "
            f"({type(error).__name__}: {one_line(error)[:200]}). "
            f"Delete its folder in {data_dir or '~/tensorflow_datasets'}, and "
            "it is prepared again."
        ) from error
    _check_features(name, builder.info.features)
    if not Path(builder.data_path).is_dir():
        if name == "celeb_a" and source_dir is not None:
            _check_celeb_a_files(source_dir)
        _prepare(builder, source_dir)
    return builder


def _check_celeb_a_files(source_dir):
    """Refuses a folder without CelebA's five official files."""
    problems = []
    for name, size in CELEB_A_FILE_BYTES.items():
        path = Path(source_dir).expanduser() / name
        found = path.stat().st_size if path.is_file() else None
        if found is None:
            problems.append(f"{name} is missing")
        elif found != size:
            problems.append(f"{name} has {found:,} bytes, not {size:,}")
    if problems:
        raise FileNotFoundError(
            "`source_dir` must hold the five official files of CelebA. "
            f"Received: {str(source_dir)!r}, where {'; '.join(problems)}. "
            "Other copies can be read as data set celeb_a_files."
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
    if base in _OF_FILES:
        return _builder_of_files(_OF_FILES[base], data_dir, source_dir)
    if source_dir is not None and base != "celeb_a":
        raise ValueError(
            "`source_dir` is for celeb_a, celeb_a_files and image_folder. "
            f"Received: {str(source_dir)!r} for {name!r}."
        )
    if base == "avatars":
        if config and config not in Avatars.builder_configs:
            known = [f"avatars/{size}" for size in Avatars.builder_configs]
            raise ValueError(
                f"`dataset` must be one of avatars, {', '.join(known)}. "
                f"Received: {name!r}."
            )
        return Avatars(data_dir=data_dir, config=config or None)
    # A namespace makes TFDS fetch Python code and import it.
    if not _NAME.fullmatch(name):
        raise ValueError(
            "`dataset` must be a name such as mnist, mnist:3.0.1 or "
            f"glue/cola. Received: {name!r}."
        )
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = [*OWN_DATASETS, *tfds.list_builders()]
        near = difflib.get_close_matches(name, known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"`dataset` must be one of {', '.join(OWN_DATASETS)}, or a data "
            f"set of TFDS. Received: {name!r}.{hint}"
        ) from error


def _builder_of_files(builder, data_dir, source_dir):
    if source_dir is None:
        raise ValueError(
            f"`source_dir` must name the folder or zip for {builder.name!r}. "
            "Received: None."
        )
    config = FilesConfig(builder.Source(source_dir))
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # "Using custom configuration …"
    try:
        return builder(data_dir=data_dir, config=config)
    finally:
        logging.set_verbosity(verbosity)


def _prepare(builder, manual_dir):
    folder = Path(builder.data_path)
    with locks.exclusive(folder.parent / f".{folder.name}.lock"):
        for leftover in folder.parent.glob(f"incomplete.*_{folder.name}"):
            shutil.rmtree(leftover)
        if folder.is_dir():  # Another process has prepared it meanwhile.
            builder.info.read_from_directory(folder)
            return
        with _saying_where(folder):
            _prepare_alone(builder, manual_dir)


@contextlib.contextmanager
def _saying_where(folder):
    """Says of a full disk and the like which folder could not be written."""
    try:
        yield
    except (tf.errors.OpError, RuntimeError) as error:
        # TFDS wraps those of TensorFlow.
        causes = (error, error.__cause__)
        if not any(isinstance(e, tf.errors.OpError) for e in causes):
            raise
        raise OSError(
            f"{folder} could not be prepared: {first_line(error)}."
        ) from error


def _prepare_alone(builder, manual_dir):
    if builder.name not in OWN_DATASETS:
        _download_and_prepare(builder, manual_dir)
        return
    # TFDS talks of downloads; our builders show bars of their own.
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare()
    finally:
        tfds.enable_progress_bar()


def _download_and_prepare(builder, manual_dir):
    manual_dir = None if manual_dir is None else os.fspath(manual_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    try:
        builder.download_and_prepare(download_config=config)
    except _DOWNLOAD_ERRORS as error:
        ways = "Try again later, or prepare it on a machine with a network."
        if builder.name == "celeb_a":
            ways = (
                "Try again later; or put the five official files into a folder "
                "and give it as `source_dir`; or read another copy as data set "
                "celeb_a_files."
            )
        raise ConnectionError(
            f"{builder.name} could not be downloaded "
            f"({type(error).__name__}: {first_line(error)}). {ways}"
        ) from error
