"""Draws avatars on all cores, in order."""

import contextlib
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PROGRAM = Path(__file__).with_name("avatar_drawing.py")


def available_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def draw_all(
    seed: int, split: str, count: int, num_workers: int | None = None
) -> Iterator[bytes]:
    """Draw the first avatars of a split.

    The workers are plain programs that write pictures to a pipe, and not
    `multiprocessing` processes: a fork after TensorFlow has started its
    threads may hang, and a spawn runs the caller's main module again.

    Args:
        seed: Seed of the data set.
        split: Name of the split.
        count: Number of avatars.
        num_workers: Number of processes; one per available core by default.
            The pictures do not depend on it.

    Yields:
        The PNG of avatar 0, 1, … count − 1.

    Raises:
        RuntimeError: If a worker ended early.
    """
    num_workers = min(num_workers or available_cores(), max(count, 1))
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(seed, split, first, count, num_workers))
            for first in range(num_workers)
        ]
        for index in range(count):
            yield _read_picture(workers[index % num_workers])


@contextlib.contextmanager
def _worker(seed, split, first, count, stride):
    arguments = map(str, (seed, split, first, count, stride))
    # -P: the program's own folder must not shadow modules of the same names.
    command = [sys.executable, "-P", str(_PROGRAM), *arguments]
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_picture(process):
    header = process.stdout.read(4)
    if len(header) == 4:
        (length,) = struct.unpack(">I", header)
        picture = process.stdout.read(length)
        if len(picture) == length:
            return picture
    reason = process.stderr.read().decode(errors="replace").strip()
    raise RuntimeError(f"A process that draws avatars ended early: {reason}")
