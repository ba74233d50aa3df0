import importlib.metadata
import json
import platform
import shutil
import subprocess

import keras
import numpy as np
import pytest

from vaegan_tf.runs import provenance


def test_versions():
    actual = provenance.versions()
    assert actual["python"] == platform.python_version()
    assert actual["keras"] == keras.__version__
    assert actual["numpy"] == np.__version__
    assert {"tensorflow", "tensorflow-datasets", "vaegan-tf"} < set(actual)
    assert json.loads(json.dumps(actual)) == actual


def test_packages_that_are_not_installed_have_no_version(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(provenance.importlib.metadata, "version", unknown)
    assert provenance.versions()["keras"] is None


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
    module = tmp_path / "package" / "provenance.py"
    module.parent.mkdir()
    module.write_text("one\n")
    git(tmp_path, "init")
    (tmp_path / "README").write_text("one\n")
    git(tmp_path, "add", "README")
    git(tmp_path, "commit", "-m", "One")
    monkeypatch.setattr(provenance, "__file__", str(module))
    return tmp_path


def test_git_commit(checkout):
    git(checkout, "add", "package")
    git(checkout, "commit", "-m", "Two")
    commit = provenance.git_commit()
    assert len(commit) >= 7
    assert git(checkout, "rev-parse", "HEAD").startswith(commit)
    (checkout / "README").write_text("changed\n")
    assert provenance.git_commit() == f"{commit}-dirty"


def test_no_git_commit_of_a_project_that_merely_surrounds_it(checkout):
    assert provenance.git_commit() is None


def test_no_git_commit_without_a_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.git_commit() is None


def test_no_git_commit_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.git_commit() is None
