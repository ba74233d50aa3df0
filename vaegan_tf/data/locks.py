"""One process at a time writes into a folder."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock until the block ends; wait while another process holds it.

    The system frees it when its holder dies, so whatever unfinished work the
    holder of the lock finds is a dead process's and may go.

    Args:
        path: The lock file; made when missing, and left behind, empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
