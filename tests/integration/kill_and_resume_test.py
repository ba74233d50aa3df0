"""A run stopped at any moment ends as one that was never stopped.

Real processes are stopped with SIGTERM, and killed with SIGKILL at moments
drawn from a seed, and started again with the same command; then everything they
left is compared with what an uninterrupted process left, bit for bit.
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

STEPS, CHECKPOINT_EVERY = 60, 4
STEP_LINE = re.compile(r"step (\d+) of \d+")


@pytest.fixture
def command(start, tiny_arguments):
    """A function that starts a run, exact and of many checkpoints.

    It has all that has a state: three networks and attributes, averages, half
    precision, a rate that falls, networks that wait.
    """

    def begin(folder, fresh=False):
        return start(
            "-m",
            "vaegan_tf.cli.train",
            *tiny_arguments,
            "--deterministic",
            "--model=vaegan",
            "--conditional",
            "--precision=bfloat16",
            "--equilibrium_margin=0.05",  # Narrow: networks have to wait soon.
            "--learning_rate_decay=authors",
            "--augmentation=authors",
            "--ema_momentum=0.9",
            f"--train_steps={STEPS}",
            "--log_every=3",
            f"--checkpoint_every={CHECKPOINT_EVERY}",
            "--sample_every=12",
            f"--model_dir={folder}",
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

    return training.wait_until(is_logged)


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


def newest(folder):
    """The step of the newest checkpoint."""
    return max(steps_in(folder / "checkpoints"), default=0)


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
    least = newest(folder) + rng.randint(3, 12)
    wait_for_step(training, min(least, STEPS - 30))
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


def terminate(training, folder):
    """Ends a run by SIGTERM; whether the step after it had no checkpoint due.

    Such a step alone shows that the signal has a checkpoint written.
    """
    before = newest(folder)
    wait_for_step(training, before + 3)
    training.send(signal.SIGTERM)
    assert training.status() == 128 + signal.SIGTERM, training.text
    assert before < newest(folder) < STEPS
    assert not (folder / "export").exists()
    log = training.text
    assert "SIGTERM: a checkpoint is written after this step." in log
    assert "Stopped; the same command resumes from here." in log
    return newest(folder) % CHECKPOINT_EVERY != 0


def test_stopped_at_any_moment_it_ends_the_same(command, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    command(whole, fresh=True).finish()
    while not terminate(command(stopped), stopped):
        pass
    rng = random.Random(20160209)
    for kill in (
        kill_while_a_checkpoint_is_written,
        kill_at_a_random_moment,
        kill_when_some_numbers_are_written,
    ):
        status = kill(command(stopped), stopped, rng)
        assert status == -signal.SIGKILL
        assert STEPS not in steps_in(stopped / "checkpoints")
    command(stopped).finish()
    assert (stopped / "export" / str(STEPS) / "saved_model.pb").exists()
    assert_same_runs(whole, stopped)
    gates = [
        value
        for record in records(whole)
        for name, value in record.items()
        if name.endswith("_updated")
    ]
    # The equilibrium rule was at work, or its gates would prove nothing.
    assert min(gates) < 1
