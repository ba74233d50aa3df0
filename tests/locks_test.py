"""A lock names its holder and is free again after the holder's death."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from vaegan_tf import locks

HOLDER = """
import pathlib, sys, time
from vaegan_tf.locks import exclusive
with exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def said(monkeypatch):
    lines = []
    for level in ("info", "warning"):
        monkeypatch.setattr(
            locks.logging, level, lambda text, *v: lines.append(text % v)
        )
    return lines


def test_it_names_its_holder_until_that_is_dead(tmp_path):
    path = tmp_path / "run" / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"held\n"
    message = rf"run is in use by .*, process {holder.pid}, since 20"
    with pytest.raises(locks.LockedError, match=message):
        locks.exclusive(path, wait=False).__enter__()
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with locks.exclusive(path, wait=False):
        assert f"process {os.getpid()}" in path.read_text()
    assert path.read_text() == ""


def test_who_waits_says_so(tmp_path, said, monkeypatch):
    path = tmp_path / ".lock"

    def flock(file, kind):
        if kind & fcntl.LOCK_NB:
            path.write_text("ada, process 7, since noon")
            raise BlockingIOError

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    with locks.exclusive(path):
        pass
    assert said == [f"Waiting for {path}: ada, process 7, since noon holds it."]


def test_a_file_system_without_locks_is_warned_of(tmp_path, said, monkeypatch):
    def flock(file, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    with locks.exclusive(tmp_path / ".lock", wait=False):
        pass
    (line,) = said
    assert "cannot be locked (No locks available): make sure" in line


def test_a_lock_file_of_another_user_can_be_held(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    path.touch()
    real = os.open

    def refuse(path, flags, mode):
        if flags & os.O_RDWR:
            raise PermissionError
        return real(path, flags, mode)

    monkeypatch.setattr(locks.os, "open", refuse)
    with locks.exclusive(path, wait=False):
        pass
