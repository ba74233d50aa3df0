"""Atomic writes: a reader sees the old file or the whole new one."""

import contextlib
import ctypes
import errno
import itertools
import json
import lzma
import os
import pathlib
import re
import shutil
import time
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

MAX_ARRAY_BYTES = 2**33  # of a file that is read whole
# Raised for damaged zips and what is in them.
DAMAGE = (
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_counter = itertools.count()
_TEMPORARY = re.compile(r"\..+\.\d+\.\d+")  # As `_temporary` names them.
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux.


def local(path: str | os.PathLike) -> pathlib.Path:
    """The path of a file or folder on this machine; ValueError for a URL."""
    text = os.fspath(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text):
        raise ValueError(
            "A run or an output must be on this machine or mounted there, and "
            f"no URL. Received: {text}."
        )
    return pathlib.Path(text).expanduser()


def check_regular(path: str | os.PathLike) -> None:
    """Refuses what cannot be read as a file: a pipe might never end.

    Raises:
        FileNotFoundError: If there is nothing of this name.
        ValueError: If it is a folder, a pipe or a device.
    """
    if not os.path.exists(path):
        missing = errno.ENOENT
        raise FileNotFoundError(missing, os.strerror(missing), os.fspath(path))
    if not os.path.isfile(path):
        raise ValueError(f"{os.fspath(path)} is no file, but a folder or pipe.")


def check_output(path: str | os.PathLike) -> None:
    """Refuses, before any work, a path that no file can be written to.

    Raises:
        ValueError: If it is a URL, a folder, or no name of a file.
        OSError: If its folder is a file, or nothing can be written there.
    """
    target = local(path)
    name = os.fsencode(os.fspath(path)).decode("utf-8", "replace")
    if not name.isprintable() or "\ufffd" in name:
        raise ValueError(
            "The name of a file to write must be printable text. "
            f"Received: {os.fspath(path)!r}."
        )
    if target.is_dir() or not target.name:
        raise ValueError(
            f"{target} is a folder. Give the name of a file to write."
        )
    _check_replaceable(target)
    folder = next(p for p in target.absolute().parents if p.exists())
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file and no folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"Nothing can be written to {folder}.")


def check_replaceable_folder(
    path: str | os.PathLike, marker: str, what: str
) -> None:
    """Refuses to replace a folder that holds something of another kind.

    Args:
        path: The folder, which may not exist.
        marker: The name of a file that those of this kind have.
        what: What the kind is called, such as `"an ONNX model"`.

    Raises:
        ValueError: If it is a file or a URL, or holds files but no such one.
    """
    folder = local(path)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file. Choose another folder.")
    names = {each.name for each in folder.glob("*")}
    if names and marker not in names:  # They would be deleted.
        raise ValueError(
            f"{folder} holds something that is not {what}. Choose another "
            "folder."
        )


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A temporary file that replaces another when the block ends.

    It is hidden, of a unique name, and beside the target, whose folder is
    created if missing. It is flushed to the disk before it takes the target's
    name; if the block or that fails, it is removed and the old file is kept.
    """
    path = local(path)
    _check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextlib.contextmanager
def replacing_folder(
    path: str | os.PathLike, name: str
) -> Iterator[pathlib.Path]:
    """As `replacing`, a whole folder; of a link to one, its target.

    Args:
        path: The folder.
        name: The temporary folder's. What a kill has left of that name is
            deleted first.
    """
    path = local(path).resolve()
    temporary = path.with_name(name)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for folder, _, names in os.walk(temporary):
            for each in [*names, "."]:
                _sync(pathlib.Path(folder, each))
        if path.exists():
            _exchange(temporary, path)
        else:
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _sync_folder(path.parent)


def delete_leftovers(folder: str | os.PathLike, age: float = 3600.0) -> None:
    """Deletes temporary files of `replacing` that kills have left.

    Args:
        folder: Where to look, at any depth.
        age: In seconds: younger ones may be in use.
    """
    for path in pathlib.Path(folder).rglob(".*"):
        with contextlib.suppress(OSError):  # Gone, or another user's.
            is_old = time.time() - path.lstat().st_mtime > age
            if is_old and path.is_file() and _TEMPORARY.fullmatch(path.name):
                path.unlink()


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file whole or not at all, and creates its folder if missing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file in UTF-8 as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def append_text(path: str | os.PathLike, text: str) -> None:
    """Adds to a text file; what fails names the file."""
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:  # A full disk would not say which file.
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes indented JSON; ValueError if it holds numbers not finite."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_npz(
    path: str | os.PathLike, arrays: Mapping[str, Any], compress: bool = False
) -> None:
    """Writes arrays by name into an `.npz` file, atomically."""
    import numpy as np

    save = np.savez_compressed if compress else np.savez
    with replacing(path) as temporary, temporary.open("wb") as file:
        save(file, **arrays)  # type: ignore[arg-type]


def read_npz(
    path: str | os.PathLike,
    shapes: Mapping[str, tuple[int | None, ...]] = MappingProxyType({}),
) -> dict[str, Any]:
    """The arrays in an `.npz` file, by name.

    Args:
        path: The file.
        shapes: Arrays of numbers that must be there and their shapes, `None`
            being any size.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another kind of file, damaged, too large, or lacks
            one of these arrays.
    """
    import numpy as np

    check_regular(path)
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(info.file_size for info in file.infolist())
        if size > MAX_ARRAY_BYTES:
            raise ValueError(f"its arrays have {size:,} bytes")
        with np.load(path, allow_pickle=False) as read:
            arrays = {name: np.asarray(read[name]) for name in read}
    except DAMAGE as error:
        raise ValueError(f"{os.fspath(path)} is damaged: {error}.") from error
    for name, shape in shapes.items():
        array = arrays.get(name, np.zeros(0, "S1"))
        if (
            array.dtype.kind not in "fiu"
            or array.ndim != len(shape)
            or any(s not in (None, n) for s, n in zip(shape, array.shape))
        ):
            raise ValueError(
                f"{os.fspath(path)} is damaged, or of another model: {name} "
                f"must be numbers of the shape {shape}. Received: "
                f"{array.shape} of {array.dtype}."
            )
    return arrays


def _check_replaceable(path: pathlib.Path) -> None:
    """ValueError for a device or a pipe, whose place a file would take."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file that could be replaced.")


def _temporary(path: pathlib.Path) -> pathlib.Path:
    name = f".{path.name[:200]}.{os.getpid()}.{next(_counter)}"
    return path.with_name(name)


def _exchange(one: pathlib.Path, other: pathlib.Path) -> None:
    """Gives two folders each other's name, in one step where that can be."""
    names = os.fsencode(one), os.fsencode(other)
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename and not rename(_HERE, names[0], _HERE, names[1], _EXCHANGE):
        return
    aside = _temporary(other)
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    aside.rename(one)


def _sync(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: pathlib.Path) -> None:
    with contextlib.suppress(OSError):  # Not all file systems sync folders.
        _sync(path)
