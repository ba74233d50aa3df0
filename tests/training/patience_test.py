"""When a worker that waits says so."""

import time

import pytest

from vaegan_tf.training import patience
from vaegan_tf.training.distribution import Distribution


@pytest.fixture
def warnings(monkeypatch):
    """Seconds that were warned of."""
    said = []
    monkeypatch.setattr(
        patience.logging, "warning", lambda _, who, still: said.append(still)
    )
    return said


def test_it_warns_after_a_minute_then_after_twice_as_long(
    warnings, monkeypatch
):
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    waiting = patience.Patience("Worker 1 of 2")
    for seconds in range(0, 300, 10):
        waiting.check(1000.0 + seconds)
    assert warnings == [60, 120, 240]


def test_what_moves_is_not_warned_of(warnings, monkeypatch):
    waiting = patience.Patience("Worker 1 of 2")
    for seconds in range(0, 300, 50):
        monkeypatch.setattr(time, "monotonic", lambda s=seconds: s)
        waiting.moved()
        waiting.check(seconds + 50.0)
    assert not warnings
    waiting.check(seconds + 61.0)
    waiting.moved()
    waiting.check(seconds + 59.0)
    assert warnings == [61]


def test_the_watch_ends_with_the_run_also_by_an_error(warnings, monkeypatch):
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.001)
    two = Distribution(num_workers=2)

    def wait_and_fail():
        with two.watched():
            while not warnings:
                assert two.patience._thread.is_alive()
            raise KeyError

    with pytest.raises(KeyError):
        wait_and_fail()
    assert not two.patience._thread.is_alive()
