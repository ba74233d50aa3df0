"""A run killed at any moment ends as one that was never killed.

Real processes are killed with SIGKILL, at moments drawn from a seed, and
started again with the same command; then everything they left is compared
with what an uninterrupted process left, bit for bit.
"""

import json
import random
import re
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.runs.checkpoints import PARTIAL, PREFIX, score_in, steps_in

pytestmark = pytest.mark.integration

STEPS = 60
STEP_LINE = re.compile(r"step (\d+) of \d+")


@pytest.fixture
def command(start, tiny_arguments):
    """A function that starts a run, exact and of many checkpoints."""

    def begin(folder, *arguments, fresh=False):
        return start(
            "-m",
            "vaegan_tf.cli.train",
            *tiny_arguments,
            "--deterministic",
            f"--train_steps={STEPS}",
            "--log_every=3",
            "--checkpoint_every=4",
            "--sample_every=12",
            f"--model_dir={folder}",
            *arguments,
            fresh=fresh,
        )

    return begin


def wait_until(training, condition):
    """Waits for a condition that may soon be over."""
    return training.wait_until(condition, seconds=0.0005)


def wait_for_step(training, least):
    """Waits until a step of at least this number is logged."""

    def is_logged():
        steps = STEP_LINE.findall(training.text)
        return bool(steps) and int(steps[-1]) >= least

    return wait_until(training, is_logged)


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
    wait_for_step(training, 3 * rng.randint(1, 3))
    partial = folder / "checkpoints" / PARTIAL
    while wait_until(training, partial.exists):
        training.stop()
        if partial.exists():
            break
        training.send(signal.SIGCONT)  # Looked up too late.
    status = training.kill()
    assert partial.exists()
    return status


def kill_at_a_random_moment(training, folder, rng):
    done = max(steps_in(folder / "checkpoints"), default=0)
    wait_for_step(training, min(done + rng.randint(3, 12), STEPS - 30))
    moment = time.monotonic() + rng.uniform(0, 0.1)
    wait_until(training, lambda: time.monotonic() > moment)
    return training.kill()


def kill_when_some_numbers_are_written(training, folder, rng):
    metrics = folder / "metrics.jsonl"
    size = metrics.stat().st_size + rng.randint(1, 3000)
    # What is there of later steps is dropped first.
    wait_for_step(training, 1)
    wait_until(training, lambda: metrics.stat().st_size > size)
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
    command(whole, *VAEGAN, fresh=True).finish()
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
    command(whole, *arguments, fresh=True).finish()
    training = command(stopped, *arguments)
    wait_for_step(training, 3)
    training.send(signal.SIGTERM)
    assert training.status() == 128 + signal.SIGTERM, training.text
    (step,) = [s for s in steps_in(stopped / "checkpoints") if s]
    assert 3 <= step < STEPS
    assert step % 16
    assert not (stopped / "export").exists()
    log = training.text
    assert "SIGTERM: a checkpoint is written after this step." in log
    assert "Stopped; the same command resumes from here." in log
    command(stopped, *arguments).finish()
    assert (stopped / "export" / str(STEPS) / "saved_model.pb").exists()
    assert_same_runs(whole, stopped)
