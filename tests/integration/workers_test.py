"""Workers of one run: who writes, what happens when one dies."""

import json
import re
import signal

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.runs.checkpoints import PREFIX, steps_in

pytestmark = [pytest.mark.integration, pytest.mark.distribution]

STEPS = 60
ARGUMENTS = (
    "--model=vae",
    f"--train_steps={STEPS}",
    "--checkpoint_every=8",
    "--sample_every=40",
    "--ema_momentum=0.9",
    "--learning_rate=2e-6",
    # Muon steps as far where a gradient is all rounding.
    "--optimizer=adam",
)


@pytest.fixture
def train(start_workers, tiny_arguments):
    """A function that starts both workers, the other without the folder."""

    def begin(folder, **options):
        command = (*("-m", "vaegan_tf.cli.train"), *tiny_arguments, *ARGUMENTS)
        folders = (folder, folder.with_name("nothing"))
        own = [[f"--model_dir={each}"] for each in folders]
        return start_workers(*command, own=own, **options)

    return begin


def variables(run, step=STEPS):
    path = run / "checkpoints" / f"step-{step}" / PREFIX
    reader = tf.train.load_checkpoint(str(path))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


def records(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def assert_alike(one, other):
    """Variable by variable, within rounding, which RMSprop makes larger.

    Single entries may be further apart: where rounding decides whether a unit
    is active. The posterior mean's bias is all rounding: centring the codes
    takes its gradient away.
    """
    expected, actual = variables(one), variables(other)
    assert expected.keys() == actual.keys()
    for name, value in expected.items():
        if re.search("encoder_mean.*bias", name):
            continue
        apart = np.linalg.norm(np.ravel(actual[name] - value))
        assert apart <= 1e-2 * np.linalg.norm(np.ravel(value)), name
    steps = [record["step"] for record in records(one)]
    assert [record["step"] for record in records(other)] == steps


def test_whoever_dies_the_others_stop_and_all_resume_together(
    train, train_tiny, tmp_path
):
    run = tmp_path / "run"

    # One is asked to stop: all do, after the same step.
    workers = train(run, fresh=False)
    workers[0].wait_for(f"step 8 of {STEPS}")
    workers[1].send(signal.SIGTERM)
    for worker in workers:
        assert worker.status() == 128 + signal.SIGTERM, worker.text
        assert "the same command resumes from here." in worker.text
    stopped = max(steps_in(run / "checkpoints"))
    assert 8 <= stopped < STEPS

    # One is killed: the other says so and stops.
    workers = train(run, fresh=False)
    workers[0].wait_for(f"step {(stopped + 10) // 2 * 2} of {STEPS}")
    assert workers[1].kill() == -signal.SIGKILL
    assert workers[0].status() == 1
    message = "error: Worker 0 of 2 stops, for another one has stopped"
    assert message in workers[0].text
    killed = max(steps_in(run / "checkpoints"))
    assert stopped < killed < STEPS

    # All are started again with the same command.
    workers = train(run)
    for worker in workers:
        worker.finish()
    assert f"Done: see {run / 'samples'}" in workers[0].text
    assert "Done" not in workers[1].text
    assert (run / "export" / str(STEPS) / "saved_model.pb").exists()
    assert not (tmp_path / "nothing").exists()

    # One device makes the same model, and can resume theirs.
    alone = tmp_path / "alone"
    train_tiny(alone, *ARGUMENTS, export=False)
    assert_alike(alone, run)
    arguments = (*ARGUMENTS, f"--train_steps={STEPS + 2}")
    train_tiny(run, *arguments, export=False)
    assert steps_in(run / "checkpoints")[-1] == STEPS + 2
