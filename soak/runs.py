"""Trainings in processes of their own, and whether two ended the same."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from PIL import Image

from vaegan_tf.runs.checkpoints import PREFIX, score_in, steps_in

ROOT = pathlib.Path(__file__).parents[1]
STEPS = 24
_SETTINGS = (
    "--dataset=image_folder",
    "--image_size=32",
    "--model=vae",
    "--width=0.05",
    "--latent_dim=4",
    "--batch_size=8",
    f"--train_steps={STEPS}",
    "--log_every=2",
    "--checkpoint_every=3",
    "--sample_every=4",
    "--eval_every=6",
    "--eval_images=4",
    "--precision=float32",
    "--deterministic",
)
DEADLINE_SECONDS = 600
_BAD = (b"Traceback (most recent call last)", b"fault of vaegan_tf")


class FindingError(AssertionError):
    """Something that must not be."""


class Training:
    """A run, its data and its log, all in one folder unless told otherwise."""

    def __init__(
        self,
        folder: pathlib.Path,
        photos: pathlib.Path | None = None,
        data: pathlib.Path | None = None,
    ):
        self.folder = folder
        self.data = data or folder / "data"
        self.run = folder / "run"
        self.log = folder / "log"
        self.photos = photos or folder / "photos"
        self.seconds = 0.0  # How long it took, if it was undisturbed.
        folder.mkdir(parents=True)
        if photos is None:
            _write_photos(self.photos)

    def start(
        self, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen:
        """The process that begins or resumes the run."""
        arguments = [
            *_SETTINGS,
            f"--source_dir={self.photos}",
            f"--data_dir={self.data}",
            f"--model_dir={self.run}",
        ]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "vaegan_tf.cli.train", *arguments],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=log,
                stderr=log,
            )

    def finish(self) -> None:
        """Runs to the end, which must be a good one."""
        status = self.start().wait(DEADLINE_SECONDS)
        self.check(status, (0,))

    def check(self, status: int, allowed: tuple[int, ...]) -> None:
        """Raises for another status, or for a log that tells of a fault."""
        log = self.log.read_bytes()
        if status not in allowed or any(bad in log for bad in _BAD):
            raise FindingError(f"exit code {status}, see {self.log}")

    def compare(self, other: "Training") -> None:
        """Raises a FindingError unless both runs ended with the same bits."""
        for what in (_variables, _numbers, _pictures, _best, _exported):
            if what(self.run) != what(other.run):
                name = what.__name__.strip("_")
                raise FindingError(
                    f"other {name} in {other.run} than in {self.run}"
                )

    def delete(self) -> None:
        """Deletes all of it."""
        shutil.rmtree(self.folder)


def reference_run(folder: pathlib.Path) -> Training:
    """A run that nothing disturbs; how long it took is in `seconds`."""
    training = Training(folder)
    started = time.monotonic()
    training.finish()
    training.seconds = time.monotonic() - started
    return training


def _write_photos(folder):
    folder.mkdir()
    rng = np.random.default_rng(0)
    lines = ["file,Bright"]
    for number in range(40):
        levels = rng.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(levels).save(folder / f"{number:02d}.png")
        lines.append(f"{number:02d}.png,{number % 2}")
    (folder / "attributes.csv").write_text("\n".join(lines) + "\n")


def _variables(run):
    path = run / "checkpoints" / f"step-{STEPS}" / PREFIX
    reader = tf.train.load_checkpoint(str(path))
    names = sorted(reader.get_variable_to_shape_map())
    names.remove("_CHECKPOINTABLE_OBJECT_GRAPH")
    return [(name, reader.get_tensor(name).tobytes()) for name in names]


def _numbers(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _pictures(run):
    paths = sorted((run / "samples").iterdir())
    return [(path.name, path.read_bytes()) for path in paths]


def _best(run):
    return score_in(run / "best"), steps_in(run / "best")


def _exported(run):
    return sorted(path.name for path in (run / "export" / str(STEPS)).iterdir())
