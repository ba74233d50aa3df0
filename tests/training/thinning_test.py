"""A long run does not fill the disk with pictures."""

import pytest

from tests.training.callbacks_test import Painter, Writer, begin, example
from vaegan_tf.training import SampleGrid, callbacks


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A function that draws at some steps; the steps that are left."""
    monkeypatch.setattr(callbacks, "MOST_KEPT", 4)
    writer = Writer()

    def draw(steps, step=0):
        grid = SampleGrid(5, tmp_path, example(1), writer=writer)
        begin(grid, Painter(), step)
        for each in steps:
            grid.model.step.assign(each)
            grid.act()
        files = [int(path.stem[-8:]) for path in grid.paths()]
        return files, [step for step, *_ in writer.of("images")]

    return draw


def test_few_are_all_kept(drawn):
    steps = [0, 5, 10, 15, 20]
    files, logged = drawn(steps[1:])
    assert files == logged == steps


def test_of_many_every_second_is_kept_and_the_newest(drawn):
    files, logged = drawn(range(5, 36, 5))
    assert files == [0, 10, 20, 30, 35]
    assert logged == [0, 5, 10, 15, 20, 30]


def test_there_are_never_many_more(drawn):
    files, logged = drawn(range(5, 1001, 5))
    assert files == [0, 320, 640, 960, 1000]
    assert len(logged) < 20


def test_a_resumed_run_keeps_the_same(drawn):
    files, _ = drawn(range(5, 36, 5))
    again, _ = drawn(range(25, 36, 5), step=20)
    assert again == files
