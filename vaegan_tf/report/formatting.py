"""Numbers, settings and times as text, to the digits that mean something."""

import datetime
import math
from collections.abc import Sequence
from typing import Any

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUFFIXES = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def number(value: float | None, digits: int = 4) -> str:
    """A number to some significant digits, with thousands separators."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    if value == int(value):
        return _typeset(f"{int(value):,}")
    is_large = abs(value) >= 10 ** (digits - 1)
    return _typeset(f"{value:,.0f}" if is_large else f"{value:,.{digits}g}")


def with_error(value: float, error: float | None) -> str:
    """A number to the second digit of its standard error: 31.42 ± 0.15."""
    if not (error and 0 < error < math.inf and math.isfinite(value)):
        return number(value)
    decimals = max(1 - math.floor(math.log10(error)), 0)
    if decimals > 6:
        return f"{number(value)} ± {number(error, 2)}"
    return _typeset(f"{value:,.{decimals}f} ± {error:,.{decimals}f}")


def tick_labels(values: Sequence[float]) -> tuple[str, ...]:
    """Numbers along an axis in one format: 0.00, 0.05; 0, 2,000; 0, 20k."""
    largest = max(abs(value) for value in values)
    smallest = min((abs(value) for value in values if value), default=1)
    if largest < 1e-4:
        return tuple(_typeset(f"{value:.2g}") for value in values)
    for size, divisor, suffix in _SUFFIXES:
        if largest >= size:
            texts = [_typeset(f"{value / divisor:.6g}") for value in values]
            return tuple(t if t == "0" else t + suffix for t in texts)
    for decimals in range(7):
        if all(abs(v - round(v, decimals)) < smallest / 1e6 for v in values):
            break
    return tuple(_typeset(f"{value:,.{decimals}f}") for value in values)


def setting(value: Any) -> str:
    """The value of a setting in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, float):
        return number(value)
    return "none" if value is None else str(value)


def timestamp(text: Any) -> str:
    """A time in ISO 8601 without seconds and zone; other text unchanged."""
    try:
        return datetime.datetime.fromisoformat(text).strftime("%Y-%m-%d, %H:%M")
    except (TypeError, ValueError):
        return str(text)


def _typeset(text):
    """A number's text with a minus sign, and powers of ten as such."""
    mantissa, _, exponent = text.partition("e")
    if exponent:
        raised = str(int(exponent)).translate(_SUPERSCRIPTS)
        exponent = f"·10{raised}"
    return mantissa.replace("-", "−") + exponent
