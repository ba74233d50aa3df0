import dataclasses
import importlib.metadata
import json
import pathlib
import platform
import shutil
import subprocess

import keras
import numpy as np
import pytest

from vaegan_tf.training import runs
from vaegan_tf.training.runs import Run, differences

RECORD = {
    "flags": {"model": "vae", "train_steps": 4},
    "model": {"model": "vae", "image_size": 32},
    "data": {"name": "avatars", "attribute_names": ["Hat"]},
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "a" / "run")
    run.write(**RECORD, flag_file="--model=vae\n")
    return run


def test_the_record(run):
    record = run.read()
    assert {key: record[key] for key in RECORD} == RECORD
    others = {"command", "precision", "device", "versions", "git_commit"}
    assert set(record) == {*RECORD, *others}
    assert run.flags.read_text() == "--model=vae\n"
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "run.json",
        "train.flags",
    ]


def test_places(tmp_path):
    run = Run(str(tmp_path))
    places = {
        "record": "run.json",
        "flags": "train.flags",
        "metrics": "metrics.jsonl",
        "speed": "speed.jsonl",
        "checkpoints": "checkpoints",
        "best": "best",
        "samples": "samples",
        "tensorboard": "tensorboard",
        "scores": "scores.json",
        "exports": "export",
        "evaluation": "evaluation.json",
        "mixture": "samplers/mixture.npz",
    }
    assert {name: getattr(run, name) for name in places} == {
        name: tmp_path / place for name, place in places.items()
    }


def test_the_home_folder_is_understood():
    assert Run("~/runs/a").folder == pathlib.Path.home() / "runs" / "a"


def test_runs_are_values(tmp_path):
    assert Run(str(tmp_path)) == Run(tmp_path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Run(tmp_path).folder = tmp_path


def test_what_is_no_run(tmp_path):
    run = Run(tmp_path)
    assert not run.exists
    message = r"is no run: it holds no run\.json\. Give the folder that was"
    with pytest.raises(FileNotFoundError, match=message):
        run.read()
    with pytest.raises(FileNotFoundError, match=message):
        run.model()


def test_a_damaged_record(run):
    run.record.write_text(run.record.read_text()[:-30])
    with pytest.raises(ValueError, match=r"run\.json is damaged: .*line"):
        run.read()


def test_a_record_is_written_whole_or_not_at_all(run, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no space left")

    before = run.record.read_text()
    monkeypatch.setattr(pathlib.Path, "write_bytes", fail)
    with pytest.raises(OSError, match="no space left"):
        runs.write_text(run.record, "{}")
    assert run.record.read_text() == before


def test_a_record_that_cannot_be_written_leaves_nothing(run, monkeypatch):
    def fail(*paths):
        raise OSError("no space left")

    before = sorted(run.folder.iterdir())
    monkeypatch.setattr(runs.os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        runs.write_text(run.record, "{}")
    assert sorted(run.folder.iterdir()) == before


def test_deleting_leaves_the_folder_empty(run, tmp_path):
    (run.samples / "deep").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.folder / "link").symlink_to(outside)
    run.delete()
    assert not list(run.folder.iterdir())
    assert outside.exists()


def test_deleting_that_is_cut_short_leaves_a_run(run, monkeypatch):
    def killed(path):
        raise KeyboardInterrupt

    run.checkpoints.mkdir()
    monkeypatch.setattr(runs.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run.delete()
    assert run.exists
    assert run.checkpoints.exists()


def test_versions():
    found = runs.versions()
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.__version__
    assert found["numpy"] == np.__version__
    assert {"tensorflow", "tensorflow-datasets", "vaegan-tf"} < set(found)
    assert json.loads(json.dumps(found)) == found


def test_packages_that_are_not_installed_have_no_version(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(runs.importlib.metadata, "version", unknown)
    assert runs.versions()["keras"] is None


def git(folder, *arguments):
    names = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    result = subprocess.run(
        ["git", "-C", str(folder), *names, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with a commit, in which this package lies."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    module = tmp_path / "package" / "runs.py"
    module.parent.mkdir()
    module.write_text("one\n")
    git(tmp_path, "init")
    (tmp_path / "README").write_text("one\n")
    git(tmp_path, "add", "README")
    git(tmp_path, "commit", "-m", "One")
    monkeypatch.setattr(runs, "__file__", str(module))
    return tmp_path


def test_git_commit(checkout):
    git(checkout, "add", "package")
    git(checkout, "commit", "-m", "Two")
    commit = runs.git_commit()
    assert len(commit) >= 7
    assert git(checkout, "rev-parse", "HEAD").startswith(commit)
    (checkout / "README").write_text("changed\n")
    assert runs.git_commit() == f"{commit}-dirty"


def test_no_git_commit_of_a_project_that_merely_surrounds_it(checkout):
    assert runs.git_commit() is None


def test_no_git_commit_without_a_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "__file__", str(tmp_path / "runs.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert runs.git_commit() is None


def test_no_git_commit_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert runs.git_commit() is None


def test_differences():
    before = {"same": 1, "gamma": 1.0, "seed": 0, "gone": "x", "names": ["a"]}
    now = {"same": 1, "gamma": 0.5, "seed": 1, "new": None, "names": ["a"]}
    assert differences(before, now, ignored={"seed"}) == [
        "--gamma: 1.0 -> 0.5",
        "--gone: 'x' -> None",
    ]
    assert differences(before, json.loads(json.dumps(before))) == []


def test_a_model_comes_back_in_float32(trained):
    run = Run(trained("vae"))
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, step = run.model()
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(policy)
    assert step == 4
    assert {layer.compute_dtype for layer in model.decoder.layers} == {
        "float32"
    }


@pytest.mark.parametrize("checkpoint", ["latest", "best"])
def test_the_step_of_a_checkpoint_is_known_without_reading_it(
    trained, checkpoint
):
    run = Run(trained("vae"))
    _, step = run.model(checkpoint=checkpoint)
    assert run.checkpoint_step(checkpoint) == step


def test_a_run_without_a_checkpoint(trained, tmp_path):
    shutil.copy(trained("vae") / "run.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no checkpoint in"):
        Run(tmp_path).model()
    with pytest.raises(FileNotFoundError, match=r"no checkpoint in .*best"):
        Run(tmp_path).model(checkpoint="best")
