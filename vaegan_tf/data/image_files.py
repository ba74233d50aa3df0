"""The user's files, in a folder or a zip; which of them can be decoded?"""

import concurrent.futures
import hashlib
import io
import lzma
import os
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from absl import logging

from vaegan_tf.data.progress import progress
from vaegan_tf.errors import one_line
from vaegan_tf.images import UNREADABLE, opened, upright_rgb

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")

_MOST_DAMAGED = 0.01
_NAMED_IN_LOG = 10
_MOST_BYTES = 2**28  # Of one file.
# What Pillow raises, and what a zip does: RuntimeError for a password,
# NotImplementedError for an unknown compression.
_DAMAGE = (*UNREADABLE, zipfile.BadZipFile, RuntimeError, lzma.LZMAError)
_ORIENTATION = 0x0112


class Folder:
    """The files of a folder and of the folders in it.

    A file's name is its path from there, with `/` between folders.
    """

    def __init__(self, path: Path):
        self.path = path

    def identity(self) -> str:
        """A name of place and state, fit for a folder: `photos-0a1b2c3d4e`."""
        resolved = self.path.resolve()
        slug = re.sub(r"[^A-Za-z0-9_.]+", "_", resolved.stem) or "root"
        text = f"{resolved}\n{self.state()}"
        digest = hashlib.sha256(text.encode(errors="surrogateescape"))
        return f"{slug}-{digest.hexdigest()[:10]}"

    def names(self) -> list[str]:
        """Names of all files in sorted order, hidden ones left out."""
        return sorted(name for name, _ in self._files())

    def read(self, name: str) -> bytes:
        """The content of a file. Safe to call from several threads.

        Raises:
            ValueError: If it is larger than any image.
        """
        path = self.path / name
        _check_size(name, path.stat().st_size)
        return path.read_bytes()

    def state(self) -> str:
        """A text that changes when the files change: sizes and times."""
        lines = [f"{name} {_state(path)}" for name, path in self._files()]
        return "\n".join(sorted(lines))

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Names and paths of files; pipes, devices and loops are left out."""
        seen = set()
        for folder, inner, files in os.walk(self.path, followlinks=True):
            place = os.path.realpath(folder)
            if place in seen:
                inner.clear()
                continue
            seen.add(place)
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.path).as_posix()
                if _is_visible(name) and path.is_file():
                    yield name, path


class Zip(Folder):
    """The files of a zip, as those of a folder."""

    def __init__(self, path: Path):
        super().__init__(path)
        self._local = threading.local()

    def names(self) -> list[str]:
        """See the base class."""
        names = [n for n in self._file().namelist() if not n.endswith("/")]
        return sorted(filter(_is_visible, names))

    def read(self, name: str) -> bytes:
        """See the base class; ValueError too if it cannot be unpacked."""
        try:
            _check_size(name, self._file().getinfo(name).file_size)
            return self._file().read(name)
        except _DAMAGE as error:
            raise ValueError(
                f"{name} in {self.path} cannot be read: {error}"
            ) from error

    def state(self) -> str:
        """Size and time of the zip."""
        return _state(self.path)

    def _file(self) -> zipfile.ZipFile:
        # One handle a thread: a shared one would serialise the reads.
        if not hasattr(self._local, "file"):
            try:
                self._local.file = zipfile.ZipFile(self.path)
            except _DAMAGE as error:
                raise ValueError(f"{self.path} is damaged: {error}") from error
        return self._local.file


def open_tree(source_dir: str | os.PathLike) -> Folder:
    """The files in a folder or zip.

    Raises:
        FileNotFoundError: If there is nothing of this name.
        ValueError: If it is neither a folder nor a zip.
    """
    path = Path(source_dir).expanduser()
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise FileNotFoundError(
            "`source_dir` must name a folder or zip that exists. "
            f"Received: {str(source_dir)!r}."
        )
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise ValueError(
            "`source_dir` must name a folder or zip. Received: "
            f"{str(source_dir)!r}, which is another kind of file."
        )
    return Zip(path)


def image_names(names: Sequence[str]) -> list[str]:
    """The names with an image's suffix."""
    return [name for name in names if name.lower().endswith(SUFFIXES)]


def encode_for_tensorflow(data: bytes) -> bytes:
    """Turns an image file into a JPEG or PNG that TensorFlow decodes alike.

    An upright JPEG or PNG of 8 bits in grey or colour stays as it is. Of all
    others the first frame is turned upright, laid over white and made a PNG.
    """
    with opened(io.BytesIO(data)) as image:
        plain = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
        upright = image.getexif().get(_ORIENTATION, 1) == 1
        if plain and upright and "transparency" not in image.info:
            return data
        buffer = io.BytesIO()
        upright_rgb(image).save(buffer, "PNG")
    return buffer.getvalue()


def whole_images(
    tree: Folder,
    names: Sequence[str],
    required_size: tuple[int, int] | None = None,
) -> set[str]:
    """The names of the images that can be decoded; the others are logged.

    Args:
        tree: Where the images are.
        names: The images to check.
        required_size: (width, height) that all of them must have.

    Raises:
        ValueError: If more than 1 % are damaged, or one has another size.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        checked = pool.map(lambda name: _size(tree, name), names)
        sizes = list(progress(checked, "Checking images", len(names)))
    found = dict(zip(names, sizes))
    whole = {k: size for k, size in found.items() if isinstance(size, tuple)}
    for name, size in whole.items():
        if required_size not in (None, size):
            raise ValueError(
                "The images must be {} × {} pixels. ".format(*required_size)
                + f"Received: {name} of {size[0]} × {size[1]}. Other images "
                "can be read as data set image_folder."
            )
    damaged = {k: why for k, why in found.items() if isinstance(why, str)}
    _report(damaged, len(names))
    return set(whole)


def _size(tree: Folder, name: str) -> tuple[int, int] | str:
    """(width, height) of an image; what is wrong if it is damaged."""
    try:
        with opened(io.BytesIO(tree.read(name))) as image:
            upright_rgb(image)
            return image.size
    except _DAMAGE as error:
        return one_line(error)


def _report(damaged, count):
    if not damaged:
        return
    first = ", ".join([*damaged][:_NAMED_IN_LOG])
    more = ", …" if len(damaged) > _NAMED_IN_LOG else ""
    reason = next(iter(damaged.values()))[:200]
    if len(damaged) > _MOST_DAMAGED * count:
        raise ValueError(
            f"At most 1 % of the images may be damaged. Received: "
            f"{len(damaged)} of {count}: {first}{more} (of the first is said: "
            f"{reason})"
        )
    message = "Left out %d of %d images, which are damaged: %s%s"
    logging.warning(message, len(damaged), count, first, more)


def _check_size(name, size):
    if size > _MOST_BYTES:
        raise ValueError(
            f"A file of images or of their list must have at most "
            f"{_MOST_BYTES:,} bytes. Received: {name} with {size:,}."
        )


def _state(path):
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _is_visible(name):
    parts = PurePosixPath(name).parts
    return not any(p.startswith(".") or p == "__MACOSX" for p in parts)
