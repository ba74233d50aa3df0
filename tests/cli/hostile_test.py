"""What bad input makes of a command: one clear line, and nothing else."""

import csv
import errno
import os
import pickle
import pickletools
import stat
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest

from vaegan_tf import files
from vaegan_tf.cli import app, distance, evaluate, sample
from vaegan_tf.evaluation import torch_files
from vaegan_tf.settings import Settings, setting
from vaegan_tf.training.distribution import read_cluster


class Few(Settings):
    """Two flags."""

    rate: float = setting(1.0, "Rate.", above=0)
    count: int = setting(1, "Count.", low=1)
    folder: str | None = setting(None, "Folder.", is_path=True)
    words: tuple[str, ...] = setting((), "Words.")


def run(*arguments, error=None):
    """The exit status of a command that raises an error."""

    def main(few):
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as caught:
        app.Command(main, "Tests.", {"Few": Few})(["vaegan-test", *arguments])
    return caught.value.code


@pytest.mark.parametrize(
    "argument",
    [
        "--rate=nan",
        "--rate=inf",
        "--rate=-inf",
        "--rate=-1",
        "--rate=1e999",
        "--count=nan",
        "--count=0",
        f"--count={10**30}",
        "--count=1.5",
        "--folder=gs://bucket/run",
        "--folder=a\udcffb",
        "--words=a\udcffb",
        "--folder=a\0b",
        "--rate",
        "--",
        "--flagfile=/dev/null/x",
        "--import=os.nonsense",
    ],
)
def test_flags_that_make_no_sense_exit_with_2(argument, capsys):
    status = run(argument) if argument != "--" else run("--", "x")
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vaegan-test: error: ")
    assert line.isprintable()


def tensorflow_error(name, text="{{node x}} no such thing\nmore"):
    import tensorflow as tf

    return getattr(tf.errors, name)(None, None, text)


@pytest.mark.parametrize(
    ("make", "start", "is_fault"),
    [
        (lambda: KeyError("x"), "KeyError: 'x'. This is a fault of", True),
        (lambda: RuntimeError("a\nb"), "RuntimeError: a b. This is", True),
        (lambda: AssertionError(), "AssertionError: AssertionError.", True),
        (lambda: MemoryError("8 TiB"), "There is not enough memory: 8", False),
        (lambda: ImportError("no x"), "A package is missing or broken", False),
        (
            lambda: tensorflow_error("ResourceExhaustedError"),
            "The memory, the disk or open files do not suffice: no such thing",
            False,
        ),
        (
            lambda: tensorflow_error("DataLossError"),
            "TensorFlow could not read, write or compute: no such thing",
            False,
        ),
        (
            lambda: tensorflow_error("InvalidArgumentError"),
            "InvalidArgumentError: {{node x}} no such thing more. This is",
            True,
        ),
        (
            lambda: OSError(errno.ENOSPC, "No space left", "metrics.jsonl"),
            "No space left: metrics.jsonl",
            False,
        ),
    ],
)
def test_whatever_is_raised_is_one_line(make, start, is_fault, capsys):
    assert run(error=make()) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vaegan-test: error: {start}")
    assert ("fault of vaegan_tf" in line) == is_fault


def test_only_debug_shows_the_traceback(capsys):
    assert run("--debug", error=KeyError("x")) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_module_of_models_may_raise_what_it_likes(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "broken_models.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert run("--import=broken_models") == 2
    assert "division by zero" in capsys.readouterr().err


def test_names_of_files_do_not_command_the_terminal(capsys):
    name = "\x1b]0;owned\x07\u202egnp.exe\udcff\r"
    assert run(error=ValueError(f"Not an image: {name}")) == 1
    error = capsys.readouterr().err
    assert error.endswith(r"\x1b]0;owned\x07\u202egnp.exe\udcff" + "\n")
    app.show(f"{name}\tü\n")
    shown = capsys.readouterr().out
    assert shown == r"\x1b]0;owned\x07\u202egnp.exe\udcff\r" + "\tü\n"


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0.png", "+1", "-1", "@x"])
def test_a_table_holds_no_formulas(tmp_path, name):
    path = tmp_path / "rows.csv"
    distance.write(str(path), [{"image": name, "pixel_distance": -1.5}], {})
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {"image": f"'{name}", "pixel_distance": "-1.5"}


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("gs://bucket/a.png", "must be on this machine"),
        ("", "is a folder"),
        (".", "is a folder"),
        ("a\nb.png", "must be printable text"),
        ("a\udcffb.png", "must be printable text"),
        ("\x1b[2J.png", "must be printable text"),
        ("file/a.png", "is a file and no folder"),
        ("file/x/a.png", "is a file and no folder"),
    ],
)
def test_outputs_that_cannot_be(tmp_path, monkeypatch, output, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises((ValueError, OSError), match=message):
        files.check_output(output)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("check", [files.check_output, files.write_text])
def test_devices_and_pipes_are_not_replaced(tmp_path, check):
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    arguments = [path] if check is files.check_output else [path, "x"]
    with pytest.raises(ValueError, match=r"pipe\.png is no file that could be"):
        check(*arguments)
    assert stat.S_ISFIFO(path.stat().st_mode)


def call(command, *arguments):
    *settings, _ = command.parse(arguments)
    command.main(*settings)


def test_a_million_images_are_drawn_in_parts_or_refused(trained, tmp_path):
    run = f"--model_dir={trained('gan')}"
    with pytest.raises(ValueError, match="grid holds at most 10,000 images"):
        call(sample.command, run, "--count=1000000")
    folder = tmp_path / "drawn"
    call(sample.command, run, "--count=130", f"--output={folder}/")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{n:05d}.png" for n in range(130)]


def test_scores_are_shown_though_the_folder_is_read_only(
    trained, monkeypatch, capsys
):
    def refuse(path, value):
        raise PermissionError(13, "Permission denied", str(path))

    run = f"--model_dir={trained('vae')}"
    monkeypatch.setattr(files, "write_json", refuse)
    with pytest.raises(PermissionError):
        call(evaluate.command, run)
    assert "PSNR" in capsys.readouterr().out


@pytest.mark.parametrize(
    "config",
    [
        '{"cluster": {"worker": "host:1"}, "task": {"type": "worker"}}',
        '{"cluster": {"worker": [1, 2]}, "task": {"type": "worker"}}',
        '{"cluster": ["worker"]}',
        '{"cluster": {"worker": {"0": "host:1"}}, "task": {"type": "worker"}}',
        '{"cluster": {"worker": ["h:1"]}, "task": {"type": "worker", '
        '"index": 1e999}}',
        "[]",
        "worker",
    ],
)
def test_a_cluster_that_is_none(config):
    with pytest.raises(ValueError, match="TF_CONFIG must look like"):
        read_cluster(config)


class Claim:
    """A tensor of more elements than are stored."""

    def __init__(self, shape, strides, key="0"):
        self.arguments = (shape, strides, key)


def torch_file(path, shape, strides, data=b"\0" * 16, compression=0):
    """A `.pth` of one float32 tensor."""
    code = [
        pickle.PROTO + b"\x02",
        b"}U\x01wctorch._utils\n_rebuild_tensor_v2\n(",
        b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQ",
        b"K\x00" + pickle.dumps(shape, 2)[2:-1],
        pickle.dumps(strides, 2)[2:-1],
        b"\x89}tRs.",
    ]
    content = b"".join(code)
    list(pickletools.genops(content))
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("a/data.pkl", content)
        file.writestr("a/data/0", data)


def test_a_tensor_of_stride_0_claims_no_memory(tmp_path):
    path = tmp_path / "a.pth"
    torch_file(path, (2, 2), (2, 1))
    assert torch_files.read_state_dict(path)["w"].shape == (2, 2)
    torch_file(path, (10**6, 10**6), (0, 0))
    with pytest.raises(ValueError, match="more elements than are stored"):
        torch_files.read_state_dict(path)


def test_compressed_weights_are_none(tmp_path):
    path = tmp_path / "a.pth"
    torch_file(path, (2, 2), (2, 1), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="compressed"):
        torch_files.read_state_dict(path)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_weights_are_named(tmp_path, seed):
    path = tmp_path / "a.pth"
    torch_file(path, (2, 2), (2, 1))
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), 10):
        content[place] = rng.integers(0, 256)
    path.write_bytes(content)
    said = ""
    try:
        torch_files.read_state_dict(path)
    except ValueError as error:
        said = str(error)
    assert not said or str(path) in said


def test_a_thread_that_fails_is_a_line(capsys, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    def main(few):
        failing = threading.Thread(target=lambda: 1 / 0, name="events")
        failing.start()
        failing.join()

    with pytest.raises(SystemExit):
        app.Command(main, "Tests.", {"Few": Few})(["vaegan-test"])
    error = capsys.readouterr().err
    assert "WARNING The thread events has failed: division by zero" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("kind", ["python", "tensorflow"])
def test_a_full_disk_of_tensorboard_is_named(tmp_path, monkeypatch, kind):
    from vaegan_tf.training.summaries import SummaryWriter

    full = OSError(28, "No space left")
    if kind == "tensorflow":
        full = tensorflow_error("ResourceExhaustedError", "No space left")

    def fail():
        raise full

    writer = SummaryWriter(tmp_path / "events")
    monkeypatch.setattr(writer._events, "flush", fail)
    message = "events cannot be written to: .*No space left"
    with pytest.raises(OSError, match=message):
        writer.scalars(1, {"kl": 2.0})


def test_appending_to_a_full_disk_names_the_file():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        files.append_text("/dev/full", "x")


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "vaegan_tf.cli.train", "--help"]
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (process.returncode, process.stderr) == (1, b"")
