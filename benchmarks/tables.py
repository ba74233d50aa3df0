"""Medians, ratios and tables, in Markdown that is also read in a terminal."""

import statistics


def summary(values):
    """Median and range of some numbers."""
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "count": len(values),
    }


def ratio(number, other):
    """How many times as much as another; `None` where one is missing."""
    return None if number is None or not other else number / other


def number(value):
    """A number with three digits; a dash where there is none."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def spread(values):
    """A `summary` as `median (low to high)`."""
    low, high = number(values["low"]), number(values["high"])
    return f"{number(values['median'])} ({low} to {high})"


def times(value):
    """A ratio, such as `1.25 ×`."""
    return "–" if value is None else f"{value:.2f} ×"


def percent(value):
    """A share, such as `41 %`."""
    return "–" if value is None else f"{100 * value:.1f} %"


def gibibytes(value):
    """A number of bytes, such as `1.25 GiB`."""
    return "–" if value is None else f"{value / 2**30:.2f} GiB"


def table(title, header, rows):
    """A Markdown table below its title.

    Args:
        title: What it shows.
        header: Names of the columns.
        rows: As many texts each.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    lines = [header, ["-" * width for width in widths], *rows]
    body = ["| " + " | ".join(_padded(line, widths)) + " |" for line in lines]
    return "\n".join([f"### {title}", "", *body, ""])


def _padded(cells, widths):
    return [cell.ljust(width) for cell, width in zip(cells, widths)]
