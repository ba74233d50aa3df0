"""Real processes, alone or as the workers of one run."""

import json
import os
import pathlib
import signal
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

    def __init__(self, ask, arguments, log, environment, fresh):
        self.log, self._ask, self._status = log, ask, None
        self.pid = ask(
            arguments=[*map(str, arguments)],
            log=str(log),
            environment=environment,
            fresh=fresh,
        )

    @property
    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def poll(self, options=os.WNOHANG):
        """The exit status, a signal's number below 0; `None` while it runs."""
        if self._status is None:
            pid, status = self._ask(pid=self.pid, options=options)
            if pid and not os.WIFSTOPPED(status):
                self._status = os.waitstatus_to_exitcode(status)
        return self._status

    def send(self, number):
        """Sends a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def stop(self):
        """Stops it for a while, until `SIGCONT`."""
        self.send(signal.SIGSTOP)
        self.poll(os.WUNTRACED)

    def kill(self):
        """Kills it; the exit status."""
        self.send(signal.SIGKILL)
        return self.status()

    def wait_until(self, condition, seconds=0.005):
        """Waits for a condition; returns whether it came true in time."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            if self.poll() is not None:
                return False
            assert time.monotonic() < end, self.text
            time.sleep(seconds)
        return True

    def wait_for(self, text):
        """Waits until something is logged."""
        assert self.wait_until(lambda: text in self.text), self.text

    def status(self):
        """Waits for the end; the exit status."""
        self.wait_until(lambda: False, seconds=0.05)
        return self._status

    def finish(self):
        """Waits for the end, which must be a good one."""
        assert self.status() == 0, self.text


@pytest.fixture(scope="session")
def ask():
    """A function that asks `fork_programs.py` for something."""
    program = pathlib.Path(__file__).with_name("fork_programs.py")
    with subprocess.Popen(
        [sys.executable, str(program)],
        cwd=ROOT,
        # NumPy starts no threads of its own: these could not be forked.
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def request(**arguments):
            server.stdin.write(f"{json.dumps(arguments)}\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        yield request


@pytest.fixture(scope="module")
def start(ask, tmp_path_factory):
    """A function that starts a process; none outlives the module.

    A `fresh` one is a new interpreter, others are forked.
    """
    logs = tmp_path_factory.mktemp("logs")
    started = []

    def begin(*arguments, fresh=False, **environment):
        log = logs / f"{len(started)}.log"
        started.append(Process(ask, arguments, log, environment, fresh))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


@pytest.fixture(scope="module")
def start_workers(start):
    """A function that starts the two workers of one run."""

    def begin(*arguments, own=((), ()), fresh=True):
        addresses = free_addresses(2)
        return [
            start(
                *(*arguments, *own[worker]),
                # In two processes of users, hashes differ.
                fresh=fresh and worker == 1,
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
