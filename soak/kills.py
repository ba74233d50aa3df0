"""A run that is killed at random moments ends as if it never had been."""

import collections
import pathlib
import random
import subprocess
import time

from soak.runs import Training


def kill_and_compare(
    folder: pathlib.Path,
    reference: Training,
    rng: random.Random,
    most: int = 6,
) -> collections.Counter:
    """Kills a run up to so often, lets it end, and compares it.

    Moments are drawn over the whole time that a run takes: the preparation of
    data, steps, checkpoints, evaluations and the export among them.
    """
    training, kills = Training(folder, reference.photos), 0
    for _ in range(rng.randint(most // 2, most)):
        started = time.monotonic()
        process = training.start()
        try:
            status = process.wait(rng.uniform(0.5, 0.8 * reference.seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            continue
        training.check(status, (0,))
        if not kills:  # A whole run: the machine has become faster.
            elapsed = time.monotonic() - started
            reference.seconds = min(reference.seconds, elapsed)
        break
    training.finish()
    reference.compare(training)
    training.delete()
    return collections.Counter(kills=kills, runs=1)
