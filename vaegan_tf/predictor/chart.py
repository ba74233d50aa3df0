"""Scores per attribute as one picture."""

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
    """Bars of accuracy and F1 of every attribute, best F1 first.

    A dark line across each bar shows what guessing scores.

    Args:
        scores: As from `attribute_scores`.
        title: What stands above.

    Returns:
        A picture, uint8, (height, width, 3).
    """
    font = ImageFont.load_default(FONT_SIZE)
    rows = sorted(scores, key=lambda row: (-(row["f1"] or 0.0), row["name"]))
    names = max(font.getlength(row["name"]) for row in rows)
    left = round(names) + 2 * GAP
    width = left + len(PANELS) * (PANEL + NUMBER + GAP)
    width = max(width, round(font.getlength(CAPTION)) + 2 * GAP)
    image = Image.new("RGB", (width, ROW * (len(rows) + 3) + GAP), "white")
    draw = ImageDraw.Draw(image)
    draw.text((GAP, GAP // 2), title, INK, font)
    for panel, (key, guess, label, colour) in enumerate(PANELS):
        x = left + panel * (PANEL + NUMBER + GAP)
        draw.text((x, ROW + GAP // 2), label, INK, font)
        for place, row in enumerate(rows):
            y = ROW * (place + 2) + GAP // 2
            _draw_bar(draw, (x, y), row[key], row[guess], colour)
            text = percentage(row[key])
            draw.text((x + PANEL + GAP // 2, y - 1), text, INK, font)
    for place, row in enumerate(rows):
        y = ROW * (place + 2) + GAP // 2
        draw.text((GAP, y - 1), row["name"], INK, font)
    y = ROW * (len(rows) + 2) + GAP // 2
    draw.text((GAP, y), CAPTION, INK, font)
    return np.asarray(image)


def _draw_bar(draw, corner, value, guess, colour):
    x, y = corner
    bottom = y + BAR - 1
    draw.rectangle((x, y, x + PANEL - 1, bottom), PALE)
    if value:
        draw.rectangle((x, y, x + round(value * PANEL) - 1, bottom), colour)
    if guess is not None:
        line = x + round(guess * (PANEL - 1))
        draw.line((line, y - 2, line, bottom + 2), INK, 2)
