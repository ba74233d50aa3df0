"""Two runs that begin at once prepare their data once, and end alike."""

import collections
import pathlib
import random
import time

from soak.runs import DEADLINE_SECONDS, Training


def race_and_compare(
    folder: pathlib.Path, reference: Training, rng: random.Random
) -> collections.Counter:
    """Starts two runs on one data folder, kills one or none, compares both."""
    runs = [
        Training(folder / name, reference.photos, data=folder / "data")
        for name in ("first", "second")
    ]
    processes = [training.start() for training in runs]
    killed = rng.randint(0, 2)
    if killed < 2:
        time.sleep(rng.uniform(0.5, 0.8 * reference.seconds))
        processes[killed].kill()
    for number, (training, process) in enumerate(zip(runs, processes)):
        status = process.wait(DEADLINE_SECONDS)
        if number == killed:
            training.finish()
        else:
            training.check(status, (0,))
        reference.compare(training)
        training.delete()
    return collections.Counter(races=1, kills=int(killed < 2), runs=2)
