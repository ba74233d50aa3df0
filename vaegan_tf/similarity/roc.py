"""How well do scores tell two classes apart? The ROC curve."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SIZE, _LEFT, _TOP, _FINE = 480, 56, 40, 3
_COLORS = ("#1f77b4", "#d95f02", "#2ca02c", "#7b3294")


def roc_curve(labels: Sequence[int], scores: Sequence[float]) -> dict[str, Any]:
    """The receiver operating characteristic of scores, high where labels are 1.

    Returns:
        `{"false_positive_rate": (points,), "true_positive_rate": (points,),
        "auc": float}`. The area under the curve is the probability that a
        score of label 1 exceeds one of label 0.
    """
    from sklearn import metrics

    false, true, _ = metrics.roc_curve(labels, scores)
    return {
        "false_positive_rate": false,
        "true_positive_rate": true,
        "auc": float(metrics.auc(false, true)),
    }


def draw_roc(curves: Mapping[str, Mapping[str, Any]]) -> np.ndarray:
    """Draws results of `roc_curve`, by name, as uint8 (480, 480, 3)."""
    image = Image.new("RGB", (_SIZE * _FINE, _SIZE * _FINE), "white")
    draw = ImageDraw.Draw(image)
    _draw_axes(draw)
    for index, (name, curve) in enumerate(curves.items()):
        color = _COLORS[index % len(_COLORS)]
        points = zip(curve["false_positive_rate"], curve["true_positive_rate"])
        line = [_place(x, y) for x, y in points]
        draw.line(line, color, 2 * _FINE, joint="curve")
        x, y = _place(0.4, 0.06 + 0.07 * (len(curves) - 1 - index))
        draw.line([(x, y), (x + 24 * _FINE, y)], color, 2 * _FINE)
        text = f"{name}, area {curve['auc']:.3f}"
        _write(draw, (x + 32 * _FINE, y), text, "lm")
    return np.asarray(image.resize((_SIZE, _SIZE), Image.Resampling.LANCZOS))


def _draw_axes(draw):
    draw.rectangle([_place(0, 1), _place(1, 0)], outline="black", width=_FINE)
    draw.line([_place(0, 0), _place(1, 1)], "#bbbbbb", _FINE)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        (x, bottom), (left, y) = _place(tick, 0), _place(0, tick)
        _write(draw, (x, bottom + 6 * _FINE), f"{tick:g}", "mt")
        _write(draw, (left - 6 * _FINE, y), f"{tick:g}", "rm")
    x, y = _place(0.5, 0)
    _write(draw, (x, y + 24 * _FINE), "false positive rate", "mt")
    x, y = _place(0, 1)
    _write(draw, (x, y - 10 * _FINE), "true positive rate", "ls")


def _place(x, y):
    """Where a point of the unit square lies in the image."""
    side = _SIZE - _LEFT - _TOP
    return (_LEFT + x * side) * _FINE, (_TOP + (1 - y) * side) * _FINE


def _write(draw, place, text, anchor):
    font = ImageFont.load_default(13 * _FINE)
    draw.text(place, text, "black", font, anchor)
