"""A run killed at any moment ends as one that was never killed.

Real processes are killed with SIGKILL, at moments drawn from a seed, and
started again with the same command; then everything they left is compared
with what an uninterrupted process left, bit for bit.
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

import vaegan_tf
from vaegan_tf.runs.checkpoints import PARTIAL, PREFIX, score_in, steps_in

pytestmark = pytest.mark.integration

ROOT = pathlib.Path(vaegan_tf.__file__).parents[1]
DEADLINE_SECONDS = 600
STEPS = 60
STEP_LINE = re.compile(rb"step (\d+) of \d+")


class Command:
    """A `vaegan-train` in a process of its own, and what it has logged."""

    def __init__(self, arguments, log):
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vaegan_tf.cli.train", *arguments],
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def wait_until(self, condition):
        """Waits for a condition; returns whether it came true in time."""
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.0005)
        return True

    def wait_for_step(self, least):
        """Waits until a step of at least this number is logged."""

        def is_logged():
            steps = STEP_LINE.findall(self.log.read_bytes())
            return bool(steps) and int(steps[-1]) >= least

        return self.wait_until(is_logged)

    def kill(self):
        self.process.kill()
        return self.process.wait()

    def finish(self):
        """Waits for the end, which must be a good one."""
        status = self.process.wait(DEADLINE_SECONDS)
        assert status == 0, self.log.read_text()


@pytest.fixture(scope="module")
def command(tiny_arguments, tmp_path_factory):
    """A function that starts a run, exact and of many checkpoints."""
    logs = tmp_path_factory.mktemp("logs")

    def start(folder, *arguments):
        log = logs / f"{len(list(logs.iterdir()))}.log"
        return Command(
            [
                *tiny_arguments,
                "--deterministic",
                f"--train_steps={STEPS}",
                "--log_every=3",
                "--checkpoint_every=4",
                "--sample_every=6",
                f"--model_dir={folder}",
                *arguments,
            ],
            log,
        )

    return start


def variables(run):
    reader = tf.train.load_checkpoint(
        str(run / "checkpoints" / f"step-{STEPS}" / PREFIX)
    )
    names = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name)
        for name in names
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


def records(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def pictures(run):
    return {
        path.name: path.read_bytes() for path in (run / "samples").iterdir()
    }


def assert_same_runs(one, other):
    expected, actual = variables(one), variables(other)
    assert set(expected) == set(actual)
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
    assert records(one) == records(other)
    assert pictures(one) == pictures(other)
    scores = [score_in(r / "best") for r in (one, other)]
    assert scores[0] == scores[1]
    assert steps_in(one / "best") == steps_in(other / "best")
    assert not (other / "checkpoints" / PARTIAL).exists()


def kill_while_a_checkpoint_is_written(training, folder, rng):
    training.wait_for_step(3 * rng.randint(1, 3))
    partial = folder / "checkpoints" / PARTIAL
    process = training.process
    while training.wait_until(partial.exists):
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        if partial.exists():
            break
        process.send_signal(signal.SIGCONT)  # Looked up too late.
    status = training.kill()
    assert partial.exists()
    return status


def kill_at_a_random_moment(training, folder, rng):
    done = max(steps_in(folder / "checkpoints"), default=0)
    training.wait_for_step(min(done + rng.randint(3, 12), STEPS - 30))
    moment = time.monotonic() + rng.uniform(0, 0.1)
    training.wait_until(lambda: time.monotonic() > moment)
    return training.kill()


def kill_when_some_numbers_are_written(training, folder, rng):
    metrics = folder / "metrics.jsonl"
    size = metrics.stat().st_size + rng.randint(1, 3000)
    # What is there of later steps is dropped first.
    training.wait_for_step(1)
    training.wait_until(lambda: metrics.stat().st_size > size)
    return training.kill()


VAEGAN = (
    "--model=vaegan",
    "--equilibrium_margin=0.05",  # Narrow: networks have to wait soon.
    "--learning_rate_decay=authors",
    "--augmentation=authors",
    "--ema_momentum=0.9",
)


def test_killed_at_any_moment_it_ends_the_same(command, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command(whole, *VAEGAN).finish()
    rng = random.Random(20160209)
    for kill in (
        kill_while_a_checkpoint_is_written,
        kill_at_a_random_moment,
        kill_when_some_numbers_are_written,
    ):
        status = kill(command(killed, *VAEGAN), killed, rng)
        assert status == -signal.SIGKILL
        assert STEPS not in steps_in(killed / "checkpoints")
    command(killed, *VAEGAN).finish()
    assert_same_runs(whole, killed)
    gates = [
        value
        for record in records(whole)
        for name, value in record.items()
        if name.endswith("_updated")
    ]
    # The equilibrium rule was at work, or its gates would prove nothing.
    assert min(gates) < 1


def test_terminated_it_leaves_a_checkpoint_and_ends_the_same(command, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    arguments = (
        "--model=vae",
        "--conditional",
        "--checkpoint_every=16",
        "--precision=bfloat16",
    )
    command(whole, *arguments).finish()
    training = command(stopped, *arguments)
    training.wait_for_step(3)
    os.kill(training.process.pid, signal.SIGTERM)
    training.finish()
    (step,) = [s for s in steps_in(stopped / "checkpoints") if s]
    assert 3 <= step < STEPS
    assert step % 16
    assert not (stopped / "export").exists()
    log = training.log.read_text()
    assert "SIGTERM: a checkpoint is written after this step." in log
    assert "Stopped; the same command resumes from here." in log
    command(stopped, *arguments).finish()
    assert (stopped / "export" / str(STEPS) / "saved_model.pb").exists()
    assert_same_runs(whole, stopped)
