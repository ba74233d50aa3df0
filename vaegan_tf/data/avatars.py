"""The embedded data set: cartoon faces with exactly known attributes."""

import contextlib
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from vaegan_tf.data import avatar_drawing
from vaegan_tf.data.progress import progress
from vaegan_tf.data.splits import SPLITS

SEED = 0
_PROGRAM = Path(avatar_drawing.__file__)
_SIZES = {"full": (8000, 1000, 1000), "tiny": (160, 32, 32)}


class Avatars(tfds.core.GeneratorBasedBuilder):
    """Cartoon faces, drawn offline with `python-avatars` and `resvg-py`.

    Example number i of a split is avatar number i: `avatar_drawing` defines
    it. `avatars/tiny` is for smoke tests.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in _SIZES]

    def _info(self):
        size = avatar_drawing.IMAGE_SIZE
        features = {
            "image": tfds.features.Image(shape=(size, size, 3)),
            "attributes": dict.fromkeys(avatar_drawing.ATTRIBUTES, np.bool_),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        sizes = zip(SPLITS, _SIZES[self.builder_config.name])
        return {
            split: self._generate_examples(split, count)
            for split, count in sizes
        }

    def _generate_examples(self, split, count):
        images = draw_all(SEED, split, count)
        title = f"Drawing avatars ({split})"
        for index, image in enumerate(progress(images, title, count)):
            attributes = avatar_drawing.sample_attributes(SEED, split, index)
            yield index, {"image": image, "attributes": attributes}


def draw_all(
    seed: int, split: str, count: int, num_workers: int | None = None
) -> Iterator[bytes]:
    """Draws the first avatars of a split on all cores, in order, as PNGs.

    The workers are plain programs that write images to a pipe, and not
    `multiprocessing` processes: a fork after TensorFlow has started its
    threads may hang, and a spawn runs the caller's main module again.

    Raises:
        RuntimeError: If a worker ended early.
    """
    num_workers = min(num_workers or _available_cores(), max(count, 1))
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(seed, split, first, count, num_workers))
            for first in range(num_workers)
        ]
        for index in range(count):
            yield _read_image(workers[index % num_workers])


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


def _read_image(process):
    header = process.stdout.read(4)
    if len(header) == 4:
        (length,) = struct.unpack(">I", header)
        image = process.stdout.read(length)
        if len(image) == length:
            return image
    reason = process.stderr.read().decode(errors="replace").strip()
    raise RuntimeError(f"A process that draws avatars ended early: {reason}")


def _available_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
