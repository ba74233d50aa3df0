import os
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.toy import Toy, assert_same, every_variable, make_toy, toy_batches
from vaegan_tf.runs import Checkpoints
from vaegan_tf.runs.checkpoints import steps_in
from vaegan_tf.settings import RunSettings
from vaegan_tf.training import (
    Distribution,
    DivergenceError,
    StopSignals,
    Trainer,
    trainer,
)
from vaegan_tf.training.callbacks import StepCallback
from vaegan_tf.training.fused_optimizers import FusedAdam


class Recorder(StepCallback):
    """Notes every call with the step, and what it reads there."""

    def __init__(self, every=1, read=lambda model: None):
        super().__init__(every)
        self.read, self.calls, self.readings = read, [], {}
        self.epochs = {}

    def on_train_begin(self, logs=None):
        self.calls.append(("begin", self.step))

    def rewind(self, step):
        self.calls.append(("rewind", step))

    def act(self):
        self.calls.append(("act", self.step))
        self.readings[self.step] = self.read(self.model)

    def on_epoch_end(self, epoch, logs=None):
        self.epochs[self.step] = logs

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        self.calls.append(("end", self.step))

    @property
    def levels(self):
        return {step: logs["level"] for step, logs in self.epochs.items()}


class Stopper(StepCallback):
    """Does something after one step."""

    def __init__(self, step, action):
        super().__init__(step)
        self.at, self.action = step, action

    def act(self):
        if self.step == self.at:
            self.action()


@pytest.fixture
def training(tmp_path):
    """A function that makes a trainer in one and the same folder."""

    def make(
        train_steps,
        *callbacks,
        toy=None,
        folder="run",
        learning_rates=None,
        distribution=None,
        **settings,
    ):
        model = make_toy(**(toy or {}))
        return Trainer(
            model,
            toy_batches,
            Checkpoints(model, tmp_path / folder),
            RunSettings(**settings),
            train_steps=train_steps,
            callbacks=callbacks,
            learning_rates=learning_rates,
            distribution=distribution,
        )

    return make


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def decoder_rate(model):
    return float(model.optimizers["decoder"].learning_rate)


def noise_seed(model):
    return int(model.noise_seed.numpy())


def test_callbacks_act_when_they_are_due(training):
    thirds, all_of_them = Recorder(3), Recorder(1)
    assert training(7, thirds, all_of_them).run() is True
    acts = [("act", step) for step in (3, 6, 7)]
    assert thirds.calls == [("begin", 0), *acts, ("end", 7)]
    assert [step for _, step in all_of_them.calls] == [0, *range(1, 8), 7]


def test_callbacks_act_when_they_are_due_after_a_resume(training):
    training(4, Recorder(3)).run()
    recorder = Recorder(3)
    assert training(7, recorder).run() is True
    acts = [("act", 6), ("act", 7)]
    assert recorder.calls == [("begin", 4), *acts, ("end", 7)]


def test_a_finished_run_only_ends_again(training):
    training(4).run()
    recorder = Recorder(1)
    assert training(4, recorder).run() is True
    assert recorder.calls == [("begin", 4), ("end", 4)]


def test_callbacks_know_the_last_step(training):
    recorder = Recorder(2)
    recorder.read = lambda model: recorder.params["train_steps"]
    training(3, recorder).run()
    assert recorder.readings == {2: 3, 3: 3}


def test_an_epoch_is_the_steps_of_a_log(training):
    recorder = Recorder(1)
    training(5, recorder, log_every=2).run()
    # The images of step s are s − 1: (0 + 1)/2, (2 + 3)/2, then 4 alone.
    assert recorder.levels == {2: 0.5, 4: 2.5, 5: 4.0}
    assert recorder.params["epochs"] == 3
    assert recorder.params["steps"] == 2


def test_an_epoch_is_of_the_same_steps_after_a_resume(training):
    stop = Stopper(3, terminate)
    first = training(5, stop, log_every=2)
    assert first.run() is False
    recorder = Recorder(1)
    training(5, recorder, log_every=2).run()
    assert recorder.levels == {4: 2.5, 5: 4.0}


class Diary(keras.callbacks.Callback):
    """Notes every call that Keras makes, with its number."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} begin")

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(f"batch {batch} begin")

    def on_train_batch_end(self, batch, logs=None):
        assert {"level", "error", "decoder_loss"} < set(logs)
        self.calls.append(f"batch {batch} end {logs['level']:g}")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} end {logs['level']:g}")

    def on_train_end(self, logs=None):
        self.calls.append("train end")


def test_keras_callbacks_are_called_as_in_fit(training):
    ours = Diary()
    training(4, ours, log_every=2).run()
    theirs = Diary()
    make_toy().fit(
        toy_batches(),
        epochs=2,
        steps_per_epoch=2,
        shuffle=False,
        verbose=0,
        callbacks=theirs,
    )

    def without_batches(diary):
        return [call for call in diary.calls if "batch" not in call]

    assert without_batches(ours) == without_batches(theirs)
    # Batches count on, as steps do, and their logs are their own numbers.
    assert [call for call in ours.calls if "batch" in call] == [
        line
        for batch in range(4)
        for line in (f"batch {batch} begin", f"batch {batch} end {batch}")
    ]


def test_a_run_resumed_within_an_epoch_begins_it_again(training):
    training(3, log_every=2).run()
    diary = Diary()
    training(5, diary, log_every=2).run()
    assert [call for call in diary.calls if "epoch" in call] == [
        "epoch 1 begin",
        # Step 3 was the last of its run: its epoch was over.
        "epoch 1 end 3",
        "epoch 2 begin",
        "epoch 2 end 4",
    ]


def test_a_callback_can_stop_a_run(training):
    def stop():
        first.model.stop_training = True

    recorder = Recorder(1)
    first = training(9, Stopper(3, stop), recorder, checkpoint_every=5)
    assert first.run() is True
    assert recorder.calls[-1] == ("end", 3)
    assert first.checkpoints.steps == [0, 3]


def test_checkpoints_are_written_first_at_intervals_and_last(training):
    seen = Recorder(1, lambda model: first.checkpoints.steps)
    first = training(5, seen, checkpoint_every=2)
    first.run()
    # Callbacks act before a checkpoint is written.
    assert seen.readings[1] == [0]
    assert seen.readings[3] == [0, 2]
    assert first.checkpoints.steps == [2, 4, 5]


def test_a_resumed_run_computes_what_one_never_stopped_does(training):
    whole = training(7, folder="whole")
    whole.run()
    training(4).run()
    resumed = training(7)
    resumed.run()
    assert_same(every_variable(whole.model), every_variable(resumed.model))


@pytest.mark.parametrize("stops", [(1,), (3, 4), (2, 5, 7)])
def test_intervals_that_do_not_divide_each_other_survive_a_resume(
    training, stops
):
    """Numbers of every epoch and step are those of a run never stopped."""
    options = {"log_every": 3, "checkpoint_every": 4}
    whole = Recorder(5, every_variable)
    training(11, whole, folder="whole", **options).run()
    epochs, readings = {}, {}
    for stop in (*stops, 11):
        part = Recorder(5, every_variable)
        made = training(11, part, Stopper(stop, terminate), **options)
        assert made.run() is (stop == 11)
        epochs |= part.epochs
        readings |= part.readings
    assert epochs == whole.epochs
    assert set(readings) == set(whole.readings) == {5, 10, 11}
    for step, variables in readings.items():
        assert_same(variables, whole.readings[step])


def test_learning_rates_follow_their_schedules(training):
    recorder = Recorder(1, decoder_rate)
    schedules = {"decoder": lambda step: 0.6 / tf.cast(1 + step, tf.float32)}
    training(3, recorder, learning_rates=schedules).run()
    np.testing.assert_allclose(
        list(recorder.readings.values()), [0.6, 0.3, 0.2], rtol=1e-6
    )
    later = Recorder(1, decoder_rate)
    training(4, later, learning_rates=schedules).run()
    np.testing.assert_allclose(later.readings[4], 0.15, rtol=1e-6)


def test_networks_without_a_schedule_keep_their_rate(training):
    recorder = Recorder(1, decoder_rate)
    training(2, recorder).run()
    np.testing.assert_allclose(list(recorder.readings.values()), [0.01] * 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_after_its_step(training, number):
    before = signal.getsignal(number)
    within = []

    def interrupt():
        os.kill(os.getpid(), number)
        within.append(signal.getsignal(number))

    recorder = Recorder(1)
    first = training(9, Stopper(3, interrupt), recorder, checkpoint_every=5)
    signals = StopSignals()
    assert first.run(signals) is False
    assert (signals.received, signals.exit_status) == (number, 128 + number)
    # Callbacks may close their files, but nothing is drawn.
    assert recorder.calls[-2:] == [("act", 3), ("end", 3)]
    assert first.checkpoints.steps == [0, 3]
    # A second signal does what it always did.
    assert within == [before]
    assert signal.getsignal(number) is before


def test_a_signal_at_the_last_step_comes_too_late(training):
    stop = Stopper(3, terminate)
    assert training(3, stop).run() is True


def is_sixth(step, seed):
    return step == 5


@pytest.mark.parametrize(
    ("trouble", "value"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (-float("inf"), "-inf"),
        (2.5e8, r"2\.5e\+08"),
        (-2.5e8, r"-2\.5e\+08"),
    ],
)
def test_divergence_is_named_with_step_and_last_good_checkpoint(
    training, trouble, value
):
    faulty = training(
        9, toy={"bad": is_sixth, "trouble": trouble}, checkpoint_every=2
    )
    message = (
        rf"^error is {value} after step 6\. .* The last good checkpoint is "
        r"that of step 4; resume from it with `nan_retries`"
    )
    with pytest.raises(DivergenceError, match=message):
        faulty.run()
    assert faulty.checkpoints.steps == [0, 2, 4]
    assert int(faulty.model.step.numpy()) == 4


def test_what_is_large_but_no_divergence_passes(training):
    toy = {"bad": is_sixth, "trouble": 0.9 * trainer.DIVERGED}
    assert training(6, toy=toy).run() is True


def test_retries_go_back_with_other_noise(training):
    toy = {
        "bad": lambda step, seed: (step == 5) & (seed == 7),
        "trouble": float("nan"),
    }
    recorder = Recorder(2, noise_seed)
    healed = training(8, recorder, toy=toy, checkpoint_every=4, nan_retries=1)
    assert healed.run() is True
    assert recorder.calls == [
        ("begin", 0),
        *[("act", step) for step in (2, 4)],
        ("rewind", 4),
        *[("act", step) for step in (6, 8)],
        ("end", 8),
    ]
    seeds = recorder.readings
    assert seeds[2] == seeds[4] == 7
    assert seeds[6] == seeds[8] != 7


def test_retries_take_other_noise_each_and_come_to_an_end(training):
    toy = {"bad": is_sixth, "trouble": float("nan")}
    seeds = []
    recorder = Recorder(5, lambda model: seeds.append(noise_seed(model)))
    hopeless = training(8, recorder, toy=toy, nan_retries=2)
    with pytest.raises(DivergenceError, match="error is nan after step 6"):
        hopeless.run()
    assert len(seeds) == len(set(seeds)) == 3


@pytest.mark.parametrize("train_steps", [12, 13])
def test_several_steps_at_once_are_the_same_steps(training, train_steps):
    means = {}
    variables = []
    for count in (1, 3):
        recorder = Recorder(6)
        made = training(
            train_steps,
            recorder,
            folder=f"by-{count}",
            log_every=6,
            checkpoint_every=3,
            steps_per_execution=count,
        )
        assert made.run() is True
        means[count] = recorder.epochs
        variables.append([v.numpy() for v in made.model.variables])
    assert means[1] == means[3]
    assert set(means[3]) == {6, 12, train_steps}
    assert_same(*variables)


def test_several_steps_at_once_resume_from_any_step(training):
    training(4, folder="resumed").run()
    made = training(
        9,
        folder="resumed",
        log_every=3,
        checkpoint_every=3,
        steps_per_execution=3,
    )
    assert made.run() is True
    assert made.checkpoints.steps[-3:] == [4, 6, 9]
    straight = training(9, folder="straight")
    straight.run()
    assert_same(
        *[[v.numpy() for v in t.model.variables] for t in (made, straight)]
    )


@pytest.mark.parametrize("trouble", [float("nan"), float("-inf"), 2e8])
def test_trouble_on_the_way_is_seen_behind_several_steps(training, trouble):
    faulty = training(
        12,
        toy={"bad": is_sixth, "trouble": trouble},
        log_every=4,
        checkpoint_every=4,
        steps_per_execution=4,
    )
    with pytest.raises(DivergenceError, match=r"error is .* after step 8"):
        faulty.run()
    assert faulty.checkpoints.steps == [0, 4]


def test_intervals_that_several_steps_would_miss(training):
    message = r"Recorder=6, steps_per_execution=4\."
    with pytest.raises(ValueError, match=message):
        training(
            8,
            Recorder(6),
            log_every=4,
            checkpoint_every=8,
            steps_per_execution=4,
        )


def test_errors_of_callbacks_restore_the_signal_handlers(training):
    before = signal.getsignal(signal.SIGTERM)

    def fail():
        raise ValueError("full of woe")

    with pytest.raises(ValueError, match="full of woe"):
        training(3, Stopper(2, fail)).run()
    assert signal.getsignal(signal.SIGTERM) is before


def test_only_the_chief_reads_and_writes(training, tmp_path):
    training(3).run()
    before = steps_in(tmp_path / "run")
    worker = training(5, distribution=Distribution(worker=1))
    # What the chief has read is handed out, of which there is nothing alone.
    worker.model.step.assign(4)
    assert worker.run() is True
    assert int(worker.model.step.numpy()) == 5
    assert steps_in(tmp_path / "run") == before


class Growing(Toy):
    """A toy whose second stage, from step 3 on, has a term more."""

    term_names = (*Toy.term_names, "late")

    def prepare_step(self, step):
        self.stage = step // 3
        return self.stage

    def terms(self, example, training):
        terms = super().terms(example, training)
        if self.stage:
            terms["late"] = terms["error"] + float(self.stage)
        return terms


def test_each_stage_of_a_model_is_traced_by_itself(tmp_path):
    keras.utils.set_random_seed(5)
    model = Growing()
    model.compile(FusedAdam(0.01))
    recorder, steps = Recorder(), []
    recorder.on_train_batch_end = lambda batch, logs: steps.append(logs)
    Trainer(
        model,
        toy_batches,
        Checkpoints(model, tmp_path / "run"),
        RunSettings(log_every=1),
        train_steps=7,
        callbacks=[recorder],
    ).run()
    late = [numbers.get("late") for numbers in steps]
    stages = [None, None, None, 1, 1, 1, 2]
    for value, stage, numbers in zip(late, stages, steps, strict=True):
        expected = None if stage is None else numbers["error"] + stage
        assert value == pytest.approx(expected)
    # What a stage does not have is not logged as 0.
    logged = ["late" in recorder.epochs[step] for step in range(1, 8)]
    assert logged == [stage is not None for stage in stages]
