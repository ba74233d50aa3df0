"""How a number is said: to the digits that mean something."""

import datetime
import math

_SUFFIXES = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))


def number(value, digits=4):
    """A number to some significant digits, thousands set apart."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e15:
        return signed(f"{int(value):,}")
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4:
        return _scientific(value, digits)
    text = f"{value:,.{max(digits - 1 - magnitude, 0)}f}"
    return signed(text.rstrip("0").rstrip(".") if "." in text else text)


def with_error(value, error):
    """A number to the second digit of its standard error: 31.42 ± 0.15."""
    known = error is not None and math.isfinite(error) and error > 0
    if not known or not math.isfinite(value):
        return number(value)
    decimals = max(1 - math.floor(math.log10(error)), 0)
    if decimals > 6:
        return f"{number(value)} ± {number(error, 2)}"
    return f"{signed(f'{value:,.{decimals}f}')} ± {error:,.{decimals}f}"


def marks(values):
    """The numbers along an axis, alike: 0.00, 0.05; 0, 2,000; 0, 20k."""
    largest = max(abs(value) for value in values)
    smallest = min((abs(value) for value in values if value), default=1)
    if largest < 1e-4:
        return [_scientific(value, 2) if value else "0" for value in values]
    for size, divisor, suffix in _SUFFIXES:
        if largest >= size:
            texts = [f"{value / divisor:.6g}" for value in values]
            return [
                "0" if text == "0" else signed(text) + suffix for text in texts
            ]
    decimals = next((d for d in range(6) if _are_exact(values, d, smallest)), 6)
    return [signed(f"{value:,.{decimals}f}") for value in values]


def setting(value):
    """A setting as a person says it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, float):
        return number(value)
    return str(value)


def moment(text):
    """A time in ISO 8601 as a person writes it; other text as it is."""
    try:
        return datetime.datetime.fromisoformat(text).strftime("%Y-%m-%d, %H:%M")
    except (TypeError, ValueError):
        return str(text)


def signed(text):
    """A number's text with a minus sign instead of a hyphen."""
    return text.replace("-", "−")


def _are_exact(values, decimals, smallest):
    return all(abs(v - round(v, decimals)) < smallest / 1e6 for v in values)


def _scientific(value, digits):
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    raised = str(int(exponent)).translate(
        str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    )
    return f"{signed(mantissa)}·10{raised}"
