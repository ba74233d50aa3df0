"""One process at a time writes into a folder."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds a lock file until the block ends; waits while another process does.

    The system frees it when its holder dies: unfinished work that the holder
    of the lock finds is a dead process's and may be deleted. The file is
    created if missing, and left behind, empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
