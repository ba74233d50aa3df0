import io
import re
import sys
import types

import pytest
import tensorflow as tf
from absl import logging

from vaegan_tf.training import terminal


@pytest.mark.parametrize(
    ("values", "line"),
    [
        # Seven steps of 1 from the lowest to the highest.
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([2.0, 1.0, 1.4], "█▁▄"),  # 0.4 of 7 steps is 2.8, so the fourth
        ([3.0, 3.0], "▁▁"),
        ([0.0, float("nan"), 7.0, float("inf")], "▁ █ "),
        ([float("nan")], " "),
        ([], ""),
    ],
)
def test_sparkline(values, line):
    assert terminal.sparkline(values) == line


def test_a_long_sparkline_keeps_first_and_last():
    # Of 0 to 700 the first, every hundredth and the last.
    assert terminal.sparkline(range(701), width=8) == "▁▂▃▄▅▆▇█"
    assert len(terminal.sparkline(range(701))) == 32


def test_scores_of_a_run(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert terminal.score_history(path) == ""
    path.write_text(
        '{"step": 1, "kl": 3, "validation/kl": 1}\n'
        '{"step": 2, "validation/pixel_error": 0.5}\n'
        "[]\n"
        '{"step": 2, "validation/kl": 8, "evaluation/x": 1}\n'
        '{"step": 3, "validation/pixel_error": 0.25, "validation/kl": "?"}\n'
        '{"step": 3, "val',
        encoding="utf-8",
    )
    assert terminal.score_history(path).splitlines() == [
        "validation/kl           ▁█  1 to 8",
        "validation/pixel_error  █▁  0.5 to 0.25",
    ]


class Screen(io.StringIO):
    """Stands for standard error."""

    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        return self.is_terminal


def watch(monkeypatch, is_terminal, logs):
    """What a run of four steps, resumed at the second, shows; the line."""
    screen = Screen(is_terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    # Commands that ran before in this process have left theirs.
    monkeypatch.setattr(logging.get_absl_handler(), "filters", [])
    monkeypatch.setattr(terminal.tqdm, "mininterval", 0, raising=False)
    line = terminal.LiveLine(8)
    model = types.SimpleNamespace(
        step=tf.Variable(2), term_names=("kl", "nll", "real", "fake")
    )
    line.set_model(model)
    line.set_params({"train_steps": 4})
    line.on_train_begin()
    line._bar.mininterval = 0
    for step in (3, 4):
        model.step.assign(step)
        line.on_train_batch_end(step - 1, logs)
    return screen, line


LOGS = {"fake": 4.0, "kl": 61.25, "nll": 1234.5, "real": 0.5, "loss": 9.0}


def test_the_live_line_shows_how_far_a_run_is(monkeypatch):
    screen, line = watch(monkeypatch, True, LOGS)
    last = screen.getvalue().split("\r")[-1]
    assert last.startswith("100 %|")
    assert "| step 4 of 4, 00:00 left, " in last
    assert re.search(r" [\d.]+ images/s, kl 61.25, nll 1234, real 0.5$", last)
    line.rewind(2)
    line.on_train_batch_end(2, LOGS)
    assert " step 4 of 4" in screen.getvalue().split("\r")[-1]
    line.on_train_end()
    assert screen.getvalue().split("\r")[-1] == ""  # Nothing is left.


def test_what_is_logged_stands_above_it(monkeypatch):
    screen, line = watch(monkeypatch, True, LOGS)
    before = len(logging.get_absl_handler().filters)
    handler = logging.get_absl_handler()
    record = handler.filter(
        logging.get_absl_logger().makeRecord("", 20, "x.py", 1, "x", (), None)
    )
    assert record
    assert screen.getvalue().endswith("\r")  # An empty line to write on.
    line.close()
    line.close()
    assert len(handler.filters) == before - 1


def test_elsewhere_nothing_is_written(monkeypatch):
    screen, line = watch(monkeypatch, False, LOGS)
    line.on_train_end()
    assert screen.getvalue() == ""
