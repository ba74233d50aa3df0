"""The user's files, alike in a folder and in a zip."""

import abc
import hashlib
import os
import re
import threading
import zipfile
from pathlib import Path, PurePosixPath


class FileTree(abc.ABC):
    """Files by their names relative to a root, with `/` between folders.

    Args:
        path: The folder or zip.
    """

    def __init__(self, path: Path):
        self.path = path

    @abc.abstractmethod
    def names(self) -> list[str]:
        """Names of all files in sorted order, hidden ones left out."""

    @abc.abstractmethod
    def read(self, name: str) -> bytes:
        """The content of a file. Safe to call from several threads."""

    @abc.abstractmethod
    def state(self) -> str:
        """A text that changes when the files change."""

    def identity(self) -> str:
        """A name of place and state, fit for a folder: `photos-0a1b2c3d4e`."""
        resolved = self.path.resolve()
        slug = re.sub(r"[^A-Za-z0-9_.]+", "_", resolved.stem) or "root"
        text = f"{resolved}\n{self.state()}"
        digest = hashlib.sha256(text.encode(errors="surrogateescape"))
        return f"{slug}-{digest.hexdigest()[:10]}"


class Folder(FileTree):
    """The files of a folder and of the folders in it."""

    def names(self) -> list[str]:
        """See the base class."""
        return sorted(name for name, _ in self._files())

    def read(self, name: str) -> bytes:
        """See the base class."""
        return (self.path / name).read_bytes()

    def state(self) -> str:
        """Names, sizes and times of all files."""
        lines = []
        for name, path in self._files():
            status = os.stat(path)
            lines.append(f"{name} {status.st_size} {status.st_mtime_ns}")
        return "\n".join(sorted(lines))

    def _files(self):
        for folder, _, files in os.walk(self.path, followlinks=True):
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.path).as_posix()
                if _is_visible(name):
                    yield name, path


class Zip(FileTree):
    """The files of a zip."""

    def __init__(self, path: Path):
        super().__init__(path)
        self._local = threading.local()

    def names(self) -> list[str]:
        """See the base class."""
        names = self._file().namelist()
        return sorted(
            name
            for name in names
            if not name.endswith("/") and _is_visible(name)
        )

    def read(self, name: str) -> bytes:
        """See the base class."""
        return self._file().read(name)

    def state(self) -> str:
        """Size and time of the zip."""
        status = self.path.stat()
        return f"{status.st_size} {status.st_mtime_ns}"

    def _file(self):
        # One handle a thread: a shared one would serialise the reads.
        if not hasattr(self._local, "file"):
            self._local.file = zipfile.ZipFile(self.path)
        return self._local.file


def open_tree(source_dir: str | os.PathLike) -> FileTree:
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
    if not zipfile.is_zipfile(path):
        raise ValueError(
            "`source_dir` must name a folder or zip. Received: "
            f"{str(source_dir)!r}, which is another kind of file."
        )
    return Zip(path)


def _is_visible(name):
    parts = PurePosixPath(name).parts
    return not any(p.startswith(".") or p == "__MACOSX" for p in parts)
