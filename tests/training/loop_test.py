import os
import signal

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.training import loop
from vaegan_tf.training.checkpoints import Checkpoints
from vaegan_tf.training.loop import DivergenceError, Observer, Training


class Recorder(Observer):
    """Notes every call with the step, and what it reads there."""

    def __init__(self, every=1, read=lambda moment: None):
        super().__init__(every)
        self.read, self.calls, self.readings = read, [], {}

    def begin(self, moment):
        self.calls.append(("begin", moment.step))

    def look(self, moment):
        self.calls.append(("look", moment.step))
        self.readings[moment.step] = self.read(moment)

    def end(self, moment):
        self.calls.append(("end", moment.step))


class Stopper(Observer):
    """Does something after one step."""

    def __init__(self, step, action):
        super().__init__(step)
        self.step, self.action = step, action

    def look(self, moment):
        if moment.step == self.step:
            self.action()


@pytest.fixture
def training(tmp_path, make_toy, batches):
    """A function that makes a training in one and the same folder."""

    def make(train_steps, *observers, toy=None, folder="run", **arguments):
        model = make_toy(**(toy or {}))
        return Training(
            model,
            batches,
            Checkpoints(model, tmp_path / folder),
            train_steps=train_steps,
            observers=observers,
            **arguments,
        )

    return make


def assert_same(one, other):
    assert len(one) == len(other)
    for before, after in zip(one, other):
        np.testing.assert_array_equal(before, after)


def test_observers_look_when_they_are_due(training):
    thirds, all_of_them = Recorder(3), Recorder(1)
    assert training(7, thirds, all_of_them).run() is True
    looks = [("look", step) for step in (3, 6, 7)]
    assert thirds.calls == [("begin", 0), *looks, ("end", 7)]
    assert [step for _, step in all_of_them.calls] == [0, *range(1, 8), 7]


def test_observers_look_when_they_are_due_after_a_resume(training):
    training(4, Recorder(3)).run()
    recorder = Recorder(3)
    assert training(7, recorder).run() is True
    looks = [("look", 6), ("look", 7)]
    assert recorder.calls == [("begin", 4), *looks, ("end", 7)]


def test_a_finished_training_only_ends_again(training):
    training(4).run()
    recorder = Recorder(1)
    assert training(4, recorder).run() is True
    assert recorder.calls == [("begin", 4), ("end", 4)]


def test_moments_tell_the_last_step(training):
    recorder = Recorder(2, lambda moment: moment.last_step)
    training(3, recorder).run()
    assert recorder.readings == {2: 3, 3: 3}


def test_means_are_over_the_steps_since_the_last_log(training):
    recorder = Recorder(1, lambda moment: moment.means.get("level"))
    training(5, recorder, log_every=2).run()
    # The images of step s are s − 1: (0 + 1)/2, (2 + 3)/2, then 4 alone.
    assert recorder.readings == {1: None, 2: 0.5, 3: 0.5, 4: 2.5, 5: 4.0}


def test_means_are_over_the_same_steps_after_a_resume(training):
    stop = Stopper(3, lambda: setattr(first, "stop_requested", True))
    first = training(5, stop, log_every=2)
    assert first.run() is False
    recorder = Recorder(1, lambda moment: moment.means.get("level"))
    training(5, recorder, log_every=2).run()
    assert recorder.readings == {4: 2.5, 5: 4.0}


def test_checkpoints_are_written_first_at_intervals_and_last(training):
    seen = Recorder(1, lambda moment: first.checkpoints.steps)
    first = training(5, seen, checkpoint_every=2)
    first.run()
    # Observers look before a checkpoint is written.
    assert seen.readings[1] == [0]
    assert seen.readings[3] == [0, 2]
    assert first.checkpoints.steps == [2, 4, 5]


def test_a_resumed_training_computes_what_one_never_stopped_does(
    training, every_variable
):
    whole = training(7, folder="whole")
    whole.run()
    training(4).run()
    resumed = training(7)
    resumed.run()
    assert_same(every_variable(whole.model), every_variable(resumed.model))


def test_learning_rates_follow_their_schedules(training):
    recorder = Recorder(
        1,
        lambda moment: float(moment.model.optimizers["decoder"].learning_rate),
    )
    schedules = {"decoder": lambda step: 0.6 / tf.cast(1 + step, tf.float32)}
    training(3, recorder, learning_rates=schedules).run()
    np.testing.assert_allclose(
        list(recorder.readings.values()), [0.6, 0.3, 0.2], rtol=1e-6
    )
    later = Recorder(1, recorder.read)
    training(4, later, learning_rates=schedules).run()
    np.testing.assert_allclose(later.readings[4], 0.15, rtol=1e-6)


def test_networks_without_a_schedule_keep_their_rate(training):
    recorder = Recorder(
        1,
        lambda moment: float(moment.model.optimizers["decoder"].learning_rate),
    )
    training(2, recorder).run()
    np.testing.assert_allclose(list(recorder.readings.values()), [0.01] * 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_training_after_its_step(training, number):
    before = signal.getsignal(number)
    within = []

    def interrupt():
        os.kill(os.getpid(), number)
        within.append(signal.getsignal(number))

    recorder = Recorder(1)
    first = training(9, Stopper(3, interrupt), recorder, checkpoint_every=5)
    assert first.run() is False
    assert recorder.calls[-1] == ("look", 3)
    assert first.checkpoints.steps == [0, 3]
    # A second signal does what it always did.
    assert within == [before]
    assert signal.getsignal(number) is before


def test_a_signal_at_the_last_step_comes_too_late(training):
    stop = Stopper(3, lambda: setattr(first, "stop_requested", True))
    first = training(3, stop)
    assert first.run() is True


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
        r"that of step 4; go on from it with --nan_retries=N"
    )
    with pytest.raises(DivergenceError, match=message):
        faulty.run()
    assert faulty.checkpoints.steps == [0, 2, 4]
    assert int(faulty.model.step.numpy()) == 4


def test_what_is_large_but_no_runaway_passes(training):
    toy = {"bad": is_sixth, "trouble": 0.9 * loop.RUNAWAY}
    assert training(6, toy=toy).run() is True


def test_retries_go_back_with_other_noise(training):
    toy = {
        "bad": lambda step, seed: (step == 5) & (seed == 7),
        "trouble": float("nan"),
    }
    recorder = Recorder(2, lambda moment: int(moment.model.noise_seed.numpy()))
    healed = training(8, recorder, toy=toy, checkpoint_every=4, nan_retries=1)
    assert healed.run() is True
    assert [call for call in recorder.calls if call[0] != "look"] == [
        ("begin", 0),
        ("begin", 4),
        ("end", 8),
    ]
    assert [step for kind, step in recorder.calls if kind == "look"] == [
        *(2, 4),
        *(6, 8),
    ]
    seeds = recorder.readings
    assert seeds[2] == seeds[4] == 7
    assert seeds[6] == seeds[8] != 7


def test_retries_take_other_noise_each_and_come_to_an_end(training):
    toy = {"bad": is_sixth, "trouble": float("nan")}
    recorder = Recorder(5, lambda moment: int(moment.model.noise_seed.numpy()))
    seeds = []
    recorder.look = lambda moment: seeds.append(recorder.read(moment))
    hopeless = training(8, recorder, toy=toy, nan_retries=2)
    with pytest.raises(DivergenceError, match="error is nan after step 6"):
        hopeless.run()
    assert len(seeds) == len(set(seeds)) == 3


@pytest.mark.parametrize("train_steps", [12, 13])
def test_several_steps_at_once_are_the_same_steps(training, train_steps):
    means = {}
    variables = []
    for count in (1, 3):
        recorder = Recorder(6, lambda moment: moment.means)
        made = training(
            train_steps,
            recorder,
            folder=f"by-{count}",
            log_every=6,
            checkpoint_every=3,
            steps_per_execution=count,
        )
        assert made.run() is True
        means[count] = recorder.readings
        variables.append([v.numpy() for v in made.model.variables])
    assert means[1] == means[3]
    assert set(means[3]) == {6, 12, train_steps}
    assert_same(*variables)


def test_several_steps_at_once_go_on_from_any_step(training):
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


def test_errors_of_observers_restore_the_signal_handlers(training):
    before = signal.getsignal(signal.SIGTERM)

    def fail():
        raise ValueError("full of woe")

    with pytest.raises(ValueError, match="full of woe"):
        training(3, Stopper(2, fail)).run()
    assert signal.getsignal(signal.SIGTERM) is before
