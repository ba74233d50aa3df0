"""Soaks the commands in trouble, and says what they could not bear.

`python -m soak --minutes=60` trains real models that are killed at random
moments, that begin two at a time, whose disk fails at random writes, and gives
every reader damaged files. A finding is a run that does not end as an
undisturbed one does, bit for bit; an exit code that is not 0, 1 or 2; a
traceback; a fault of the package; too much time or memory; and a file outside
of the work folder that changed. What a finding needs to be seen again stays in
the work folder.
"""

import argparse
import collections
import itertools
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator

from soak import faults, kills, races, readers
from soak.runs import FindingError, reference_run


def main() -> int:
    """Soaks for so many minutes; 1 if there was a finding, else 0."""
    parser = argparse.ArgumentParser("python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=pathlib.Path)
    settings = parser.parse_args()
    folder = settings.folder or pathlib.Path(tempfile.mkdtemp(prefix="soak-"))
    say(f"Work folder: {folder}. Seed: {settings.seed}.")
    end = time.monotonic() + 60 * settings.minutes
    counts, findings = soak(folder, random.Random(settings.seed), end)
    say(", ".join(f"{counts[what]:,} {what}" for what in sorted(counts)))
    say(f"{len(findings)} findings")
    return 1 if findings else 0


def soak(
    folder: pathlib.Path, rng: random.Random, end: float
) -> tuple[collections.Counter, list[FindingError]]:
    """What was done until a moment, by name, and what was found."""
    counts: collections.Counter = collections.Counter()
    findings = []
    reference = reference_run(folder / "reference")
    say("The undisturbed run has ended.")
    with readers.Readers(folder / "readers", reference, rng) as reading:
        for number in itertools.count():
            for part in _parts(folder / f"{number:04d}", reference, rng):
                try:
                    counts.update(part())
                except FindingError as finding:
                    findings.append(finding)
                    say(f"FINDING: {finding}")
                if time.monotonic() > end:
                    return counts, findings
            for _ in range(40):
                try:
                    counts.update(reading.read_one())
                except FindingError as finding:
                    findings.append(finding)
                    say(f"FINDING: {finding}")
                if time.monotonic() > end:
                    return counts, findings
            say(f"{dict(counts)}, {len(findings)} findings so far")


def _parts(folder, reference, rng) -> Iterator:
    yield lambda: kills.kill_and_compare(folder / "killed", reference, rng)
    yield lambda: races.race_and_compare(folder / "raced", reference, rng)
    if faults.can_be_injected():
        yield lambda: faults.fail_and_compare(folder / "failed", reference, rng)


def say(text: str) -> None:
    """Writes a line with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
