import numpy as np
import pytest
from PIL import ImageColor

from vaegan_tf.predictor import chart


def row(name, accuracy, f1, guess_accuracy=None, guess_f1=None):
    return {
        "name": name,
        "accuracy": accuracy,
        "guess_accuracy": guess_accuracy,
        "f1": f1,
        "guess_f1": guess_f1,
    }


def pixels(picture, place, colour):
    """How many pixels of a colour the middle of a row's bars has."""
    y = chart.ROW * (place + 2) + chart.GAP // 2 + chart.BAR // 2
    return int((picture[y] == ImageColor.getrgb(colour)).all(axis=-1).sum())


def test_bars_are_as_long_as_the_scores_are_high():
    picture = chart.score_chart([row("Hat", 0.75, 0.5), row("Beard", 1.0, 0.1)])
    assert pixels(picture, 0, chart.BLUE) == 0.75 * chart.PANEL
    assert pixels(picture, 0, chart.ORANGE) == 0.5 * chart.PANEL
    assert pixels(picture, 1, chart.BLUE) == chart.PANEL
    assert pixels(picture, 1, chart.ORANGE) == 0.1 * chart.PANEL


def test_the_best_f1_stands_first():
    picture = chart.score_chart(
        [row("none", 1.0, None), row("low", 1.0, 0.25), row("high", 1.0, 0.75)]
    )
    lengths = [pixels(picture, place, chart.ORANGE) for place in range(3)]
    assert lengths == [0.75 * chart.PANEL, 0.25 * chart.PANEL, 0]


def test_guesses_are_lines_across_the_bars():
    plain = chart.score_chart([row("Hat", 1.0, 1.0)])
    guessed = chart.score_chart([row("Hat", 1.0, 1.0, 0.5, 0.25)])
    changed = np.flatnonzero((plain != guessed).any(axis=(0, 2)))
    groups = np.split(changed, np.flatnonzero(np.diff(changed) > 1) + 1)
    centres = [group.mean() for group in groups]
    apart = chart.PANEL + chart.NUMBER + chart.GAP - 0.25 * chart.PANEL
    assert centres[1] - centres[0] == pytest.approx(apart, abs=1)


def test_charts_grow_with_rows_and_names():
    small = chart.score_chart([row("Hat", 0.5, 0.5)])
    assert small.dtype == np.uint8
    assert small.shape[2] == 3
    more = chart.score_chart([row("Hat", 0.5, 0.5)] * 4)
    assert more.shape[0] == small.shape[0] + 3 * chart.ROW
    wide = chart.score_chart([row("A very long attribute's name", 0.5, 0.5)])
    assert wide.shape[1] > small.shape[1]


def test_the_title_is_drawn():
    with_title = chart.score_chart([row("Hat", 0.5, 0.5)], "avatars")
    assert (with_title != chart.score_chart([row("Hat", 0.5, 0.5)])).any()
