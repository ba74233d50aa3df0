"""One process at a time writes into a folder."""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from absl import logging

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class LockedError(OSError):
    """Another process holds a lock."""


@contextlib.contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[None]:
    """Holds a lock file, which names its holder, until the block ends.

    The system frees it when its holder dies: unfinished work that the holder
    of the lock finds is a dead process's and may be deleted. The file is
    created if missing, and left behind, empty. Over NFS it excludes other
    machines too; a file system without locks is warned of and not locked.

    Args:
        path: The file.
        wait: Whether to wait, with a word, while another process holds it.

    Raises:
        LockedError: If another process holds it, and this is not to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opened(path) as file:
        _acquire(file, path, wait)
        _sign(file, f"{socket.gethostname()}, process {os.getpid()}, since ")
        try:
            yield
        finally:
            _sign(file, "")


def _opened(path: Path) -> TextIO:
    try:
        return open(path, "a+", encoding="utf-8", opener=_without_links)
    except PermissionError:  # Another user's, in a shared folder.
        return open(path, encoding="utf-8", opener=_without_links)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _acquire(file: TextIO, path: Path, wait: bool) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        if not wait:
            raise LockedError(
                f"{path.parent} is in use by another process ({holder}). Wait "
                "for its end or stop it, or choose another folder."
            ) from None
        logging.info("Waiting for %s: %s holds it.", path, holder)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        logging.warning(
            "%s cannot be locked (%s): make sure that no other process writes "
            "there.",
            path.parent,
            error.strerror,
        )


def _holder(file: TextIO) -> str:
    file.seek(0)
    return " ".join(file.read(200).split()) or "which has not said its name"


def _sign(file: TextIO, name: str) -> None:
    """Says who holds the lock, and since when; or that nobody does."""
    if not file.writable():
        return
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError):  # A full disk is no reason to stop.
        file.truncate(0)
        file.write(f"{name}{now}\n" if name else "")
        file.flush()
