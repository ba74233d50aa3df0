import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import write_images
from vaegan_tf.data import arrays, load_dataset
from vaegan_tf.data.image_files import open_tree

ROOT = Path(__file__).parents[2]


def load(root, data_dir):
    return load_dataset(
        "image_folder", data_dir=data_dir, source_dir=root, image_size=8
    )


def folders(data_dir):
    return sorted(
        path.name
        for path in data_dir.glob("image_folder/*/1.0.0/arrays/*")
        if path.name != ".lock"
    )


def test_the_name_tells_what_the_arrays_hold():
    one = arrays.ArrayFormat(64, 3, "celeb", seed=None)
    other = arrays.ArrayFormat(32, 1, "square", seed=7)
    assert one.key == f"64x64x3-celeb-v{arrays.PIPELINE_VERSION}"
    assert other.key == f"32x32x1-square-seed7-v{arrays.PIPELINE_VERSION}"
    assert other.image_shape == (32, 32, 1)


def test_arrays_are_made_once(tmp_path, monkeypatch):
    root = write_images(tmp_path / "photos", 10)
    load(root, tmp_path)

    def fail(*arguments):
        raise RuntimeError("made again")

    monkeypatch.setattr(arrays, "_write", fail)
    load(root, tmp_path)


def test_an_error_leaves_nothing_behind(tmp_path, monkeypatch):
    root = write_images(tmp_path / "photos", 10)
    append = arrays._Writers.append

    def full(self, targets, **rows):
        append(self, targets, **rows)
        raise OSError("No space left on device")

    monkeypatch.setattr(arrays._Writers, "append", full)
    with pytest.raises(OSError, match="No space left"):
        load(root, tmp_path)
    assert folders(tmp_path) == []
    monkeypatch.undo()
    assert len(load(root, tmp_path).splits["train"]) == 8
    assert folders(tmp_path) == ["8x8x3-square-seed0-v1"]


# Dies in the middle of the arrays, as by a kill from outside.
_PROGRAM = """
import os, signal, sys
from vaegan_tf.data import arrays, load_dataset
append = arrays._Writers.append
def die(self, targets, **rows):
    append(self, targets, **rows)
    os.kill(os.getpid(), signal.SIGKILL)
arrays._Writers.append = die
load_dataset("image_folder", data_dir=sys.argv[1], source_dir=sys.argv[2],
             image_size=8)
"""


def test_a_kill_leaves_nothing_that_looks_complete(tmp_path):
    root = write_images(tmp_path / "photos", 10)
    process = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path), str(root)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
    )
    assert process.returncode == -signal.SIGKILL
    (leftover,) = folders(tmp_path)
    assert leftover == ".partial"
    dataset = load(root, tmp_path)
    assert folders(tmp_path) == ["8x8x3-square-seed0-v1"]
    colors = [s.images[:, 0, 0] for s in dataset.splits.values()]
    assert len(np.unique(np.concatenate(colors), axis=0)) == 10


def test_what_a_killed_preparation_left_is_removed(tmp_path):
    root = write_images(tmp_path / "photos", 10)
    identity = open_tree(root).identity()
    leftover = tmp_path / "image_folder" / identity / "incomplete.X_1.0.0"
    leftover.mkdir(parents=True)
    (leftover / "image_folder-train.tfrecord").write_bytes(b"half")
    assert len(load(root, tmp_path).splits["train"]) == 8
    assert not leftover.exists()
