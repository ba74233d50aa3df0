"""Damaged files for every reader, each with a limit of time and memory."""

import collections
import dataclasses
import hashlib
import io
import json
import os
import pathlib
import pickle
import random
import re
import select
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable

import numpy as np

from soak.mutations import mutated, mutated_json
from soak.runs import ROOT, FindingError, Training

SECONDS, MEBIBYTES = 120, 4096
_COMMANDS_OF_A_WORKER = 50
_BAD = (b"Traceback (most recent call last)", b"fault of vaegan_tf")


@dataclasses.dataclass(frozen=True)
class Case:
    """A file of a scene that is damaged, and the command that reads it."""

    pattern: str  # Of files below the scene's folder.
    command: str
    arguments: tuple[str, ...]  # `{scene}` is the folder.
    mutate: Callable[[bytes, random.Random], bytes] = mutated


_RUN, _DATA = "--model_dir={scene}/run", "--data_dir={scene}/data"
_OUT = "--output={scene}/out"
_PHOTOS = ("--dataset=image_folder", "--image_size=32", _DATA)
_FOLDER = (*_PHOTOS, "--source_dir={scene}/photos")
_OWN = ("--source_dir={scene}/photos", _DATA)
_REPORT = ("{scene}/run", "--output={scene}/out.html", *_OWN)
CASES = (
    Case("photos/*.png", "prepare", _FOLDER),
    Case("photos/*.png", "reconstruct", (_RUN, f"{_OUT}.png", "{file}")),
    Case("photos/attributes.csv", "prepare", _FOLDER),
    Case("labels.csv", "distance", (_RUN, "--labels={file}", "{scene}/photos")),
    Case("a.zip", "prepare", (*_PHOTOS, "--source_dir={file}")),
    Case("run/run.json", "sample", (_RUN, f"{_OUT}.png"), mutated_json),
    Case("run/run.json", "evaluate", (_RUN,), mutated_json),
    Case("run/run.json", "report", _REPORT, mutated_json),
    Case("run/evaluation.json", "report", _REPORT, mutated_json),
    Case("run/metrics.jsonl", "report", _REPORT, mutated_json),
    Case("run/speed.jsonl", "report", _REPORT, mutated_json),
    Case("run/checkpoints/*/*", "sample", (_RUN, f"{_OUT}.png")),
    Case("run/best/*/*", "export", (_RUN, _OUT, "--checkpoint=best")),
    Case(
        "run/samplers/mixture.npz",
        "sample",
        (_RUN, f"{_OUT}.png", "--sampler=mixture", *_OWN),
    ),
    Case("w.pth", "evaluate", (_RUN, *_OWN, "--inception_weights={file}")),
    Case("w.npz", "evaluate", (_RUN, *_OWN, "--inception_weights={file}")),
    Case("data/**/*.json", "prepare", _FOLDER, mutated_json),
    Case("data/**/*.npy", "evaluate", (_RUN, *_OWN)),
    Case("data/**/*.tfrecord*", "prepare", (*_FOLDER, "--num_channels=1")),
    Case("prepare.flags", "prepare", ("--flagfile={file}", *_FOLDER)),
)


class Readers:
    """A scene of valid files, and a process that reads them damaged."""

    def __init__(
        self, folder: pathlib.Path, reference: Training, rng: random.Random
    ):
        self.folder = folder
        self.rng = rng
        self.number = 0
        self.scene = folder / "scene"  # Prepared data know where they lie.
        self.valid = folder / "valid"
        self.outside = folder / "outside"
        self.outside.mkdir(parents=True)
        (self.outside / "precious").write_text("precious")
        self._process: subprocess.Popen | None = None
        _write_scene(self.scene, reference)

    def __enter__(self) -> "Readers":
        for command, arguments in (
            ("prepare", _FOLDER),
            ("sample", (_RUN, f"{_OUT}.png", "--sampler=mixture", *_OWN)),
            ("evaluate", (_RUN, *_OWN)),
        ):
            if self._run(command, arguments, self.scene, f"valid {command}"):
                raise FindingError(f"{command} fails on valid files")
        self.scene.rename(self.valid)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def read_one(self) -> collections.Counter:
        """Damages one file, and lets a command read it."""
        self.number += 1
        shutil.copytree(self.valid, self.scene)
        case = self.rng.choice(CASES)
        file = self.rng.choice(
            sorted(p for p in self.scene.glob(case.pattern) if p.is_file())
        )
        file.write_bytes(case.mutate(file.read_bytes(), self.rng))
        name = f"{case.command} of {file.relative_to(self.scene)}"
        try:
            status = self._run(case.command, case.arguments, file, name)
        except FindingError as finding:
            kept = self.folder / f"finding-{self.number}"
            self.scene.rename(kept)
            raise FindingError(f"{finding}, see {kept}") from finding
        shutil.rmtree(self.scene)
        return collections.Counter(
            {"damaged files": 1, f"exits with {status}": 1}
        )

    def _run(self, command, arguments, file, name):
        before = _digest(self.outside)
        log = self.scene / "log"
        given = [a.format(scene=self.scene, file=file) for a in arguments]
        status = self._answer(command, given, log, name)
        text = log.read_bytes()
        if status not in (0, 1, 2) or any(bad in text for bad in _BAD):
            raise FindingError(f"exit code {status} of {name}")
        if _digest(self.outside) != before:
            raise FindingError(f"{name} has changed files outside")
        with (self.folder / "answers").open("ab") as answers:
            last = text.strip().rpartition(b"\n")[2]
            answers.write(f"{status} {name}: ".encode() + last + b"\n")
        return status

    def _answer(self, command, arguments, log, name):
        """The exit code of a command in the worker, within its limits."""
        if self._process is None or self.number % _COMMANDS_OF_A_WORKER == 0:
            self._stop()
            self._process = self._start()
        process = self._process
        case = {"command": command, "arguments": arguments, "log": str(log)}
        process.stdin.write(json.dumps(case).encode() + b"\n")
        process.stdin.flush()
        end = time.monotonic() + SECONDS
        while not select.select([process.stdout], [], [], 0.05)[0]:
            too_large = _memory(process.pid) > MEBIBYTES
            if too_large or time.monotonic() > end:
                self._stop()
                what = "memory" if too_large else "time"
                raise FindingError(f"too much {what} for {name}")
        answer = process.stdout.readline()
        if not answer:
            status = process.wait()
            self._process = None
            raise FindingError(f"a crash ({status}) of {name}")
        return int(answer)

    def _start(self):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "soak.worker"],
            cwd=home,
            env={
                **os.environ,
                "HOME": str(home),
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(home),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def _stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _write_scene(folder, reference):
    """One valid file for every reader."""
    left_out = shutil.ignore_patterns("tensorboard", "export", "samples")
    shutil.copytree(reference.run, folder / "run", ignore=left_out)
    shutil.copytree(reference.photos, folder / "photos")
    shutil.copytree(reference.folder / "data", folder / "data")
    names = [f"{number:02d}.png" for number in range(40)]
    lines = ["file,label", *[f"{n},{i % 2}" for i, n in enumerate(names)]]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted((folder / "photos").iterdir()):
            file.write(path, path.name)
    np.savez(folder / "w.npz", **{"fc.weight": np.zeros((1008, 4), "f4")})
    (folder / "w.pth").write_bytes(_torch_file())
    (folder / "prepare.flags").write_text(
        "# A comment.\n--crop=square\n--num_channels=3\n--attributes=Bright\n"
    )


def _torch_file() -> bytes:
    """A state dict of one tensor, as `torch.save` writes it."""
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuM\xc0\x0ftQ"
    shape = pickle.dumps((1008, 4), 2)[2:-1]
    strides = pickle.dumps((4, 1), 2)[2:-1]
    code = (
        b"\x80\x02}U\x09fc.weightctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00"
        + shape
        + strides
        + b"\x89}tRs."
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a/data.pkl", code)
        file.writestr("a/data/0", bytes(4032 * 4))
    return content.getvalue()


def _digest(folder):
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(f"{path} {path.stat().st_mtime_ns}".encode())
    return digest.digest()


def _memory(pid):
    """MiB that a process holds."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(match[1]) // 1024 if match else 0
