"""Scores per attribute as one figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaegan_tf.predictor.scores import percentage

ROW, BAR = 22, 14
PANEL, NUMBER, GAP = 260, 56, 12
FONT_SIZE = 13
INK, PALE, BLUE, ORANGE = "#222222", "#e8e8e8", "#3b75af", "#d9822b"
PANELS = (
    ("accuracy", "guess_accuracy", "accuracy %", BLUE),
    ("f1", "guess_f1", "F1 %", ORANGE),
)
CAPTION = "dark line: always the commoner answer (accuracy), always yes (F1)"


def score_chart(
    scores: Sequence[Mapping[str, Any]], title: str = ""
) -> np.ndarray:
    """Draws accuracy and F1 of every attribute as bars, best F1 first.

    A dark line across each bar shows what guessing scores. `scores` are those
    of `attribute_scores`; the figure is uint8, (height, width, 3).
    """
    font = ImageFont.load_default(FONT_SIZE)
    rows = sorted(scores, key=lambda row: (-(row["f1"] or 0.0), row["name"]))
    names = max(font.getlength(row["name"]) for row in rows)
    left = round(names) + 2 * GAP
    corners = [left + n * (PANEL + NUMBER + GAP) for n in range(len(PANELS))]
    width = corners[-1] + PANEL + NUMBER + GAP
    width = max(width, round(font.getlength(CAPTION)) + 2 * GAP)
    image = Image.new("RGB", (width, ROW * (len(rows) + 3) + GAP), "white")
    draw = ImageDraw.Draw(image)
    draw.text((GAP, GAP // 2), title, INK, font)
    y = ROW + GAP // 2
    for x, (_, _, label, _) in zip(corners, PANELS):
        draw.text((x, y), label, INK, font)
    for row in rows:
        y += ROW
        draw.text((GAP, y - 1), row["name"], INK, font)
        for x, (key, guess, _, colour) in zip(corners, PANELS):
            _draw_bar(draw, x, y, row[key], row[guess], colour)
            text = percentage(row[key])
            draw.text((x + PANEL + GAP // 2, y - 1), text, INK, font)
    draw.text((GAP, y + ROW), CAPTION, INK, font)
    return np.asarray(image)


def _draw_bar(draw, x, y, value, guess, colour):
    bottom = y + BAR - 1
    draw.rectangle((x, y, x + PANEL - 1, bottom), PALE)
    if value:
        draw.rectangle((x, y, x + round(value * PANEL) - 1, bottom), colour)
    if guess is not None:
        line = x + round(guess * (PANEL - 1))
        draw.line((line, y - 2, line, bottom + 2), INK, 2)
