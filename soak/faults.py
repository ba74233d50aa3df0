"""A run whose disk fails says so in a line, and goes on from there later."""

import collections
import errno
import functools
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

from soak.runs import Training

_ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE)
_CALLS = 1200  # Writes of a whole run, about.


def can_be_injected() -> bool:
    """Whether there is a compiler for the library that makes writes fail."""
    return shutil.which("cc") is not None


def fail_and_compare(
    folder: pathlib.Path,
    reference: Training,
    rng: random.Random,
    most: int = 3,
) -> collections.Counter:
    """Lets writes of a run fail up to so often, then ends and compares it."""
    training, faults = Training(folder, reference.photos), 0
    for _ in range(rng.randint(1, most)):
        status = training.start(_environment(training, rng)).wait(600)
        training.check(status, (0, 1))
        faults += 1
    training.finish()
    reference.compare(training)
    training.delete()
    return collections.Counter(faults=faults, runs=1)


def _environment(training, rng):
    count = rng.choice([1, 1, 3, 10**9])  # For once, or for ever.
    return {
        "LD_PRELOAD": os.fspath(_library()),
        "SOAK_FOLDER": os.fspath(training.folder),
        "SOAK_AT": str(int(_CALLS ** rng.uniform(0, 1))),
        "SOAK_COUNT": str(count),
        "SOAK_ERRNO": str(rng.choice(_ERRORS)),
    }


@functools.cache
def _library() -> pathlib.Path:
    source = pathlib.Path(__file__).with_name("faults.c")
    library = pathlib.Path(tempfile.mkdtemp(prefix="soak-")) / "faults.so"
    options = ["-shared", "-fPIC", "-O1", "-o", os.fspath(library)]
    subprocess.run(["cc", *options, os.fspath(source), "-ldl"], check=True)
    return library
