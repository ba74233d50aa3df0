"""Real processes, alone or as the workers of one run."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

import vaegan_tf

ROOT = pathlib.Path(vaegan_tf.__file__).parents[1]
DEADLINE_SECONDS = 600


class Process:
    """A Python program in a process of its own, and what it has logged."""

    def __init__(self, arguments, log, **environment):
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, text):
        """Waits until something is logged."""
        end = time.monotonic() + DEADLINE_SECONDS
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.005)

    def status(self):
        """Waits for the end; the exit status."""
        try:
            return self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(self.text) from None

    def finish(self):
        """Waits for the end, which must be a good one."""
        assert self.status() == 0, self.text


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A function that starts a process; none outlives the module."""
    logs = tmp_path_factory.mktemp("logs")
    started = []

    def begin(*arguments, **environment):
        log = logs / f"{len(started)}.log"
        started.append(Process(arguments, log, **environment))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


@pytest.fixture(scope="module")
def start_workers(start):
    """A function that starts the two workers of one run."""

    def begin(*arguments, own=((), ())):
        addresses = free_addresses(2)
        return [
            start(
                *(*arguments, *own[worker]),
                TF_CONFIG=tf_config(addresses, worker),
            )
            for worker in range(2)
        ]

    return begin


def tf_config(addresses, worker):
    return json.dumps(
        {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": worker},
        }
    )


def free_addresses(count):
    """Addresses on this machine that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return [f"localhost:{port}" for port in ports]
