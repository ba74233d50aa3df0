"""Atomic writes: a reader sees the old file or the whole new one."""

import contextlib
import itertools
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

_counter = itertools.count()


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A temporary file that replaces another when the block ends.

    It is hidden, of a unique name, and beside the target, whose folder is
    created if missing. It is flushed to the disk before it takes the target's
    name; if the block or that fails, it is removed and the old file is kept.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_counter)}")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # Not all file systems sync folders.
        _sync(path.parent)


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file whole or not at all, and creates its folder if missing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file in UTF-8 as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes indented JSON; ValueError if it holds numbers not finite."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _sync(path: pathlib.Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
