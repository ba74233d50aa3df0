"""Geometry of the charts' axes and lines; the template draws them."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

from vaegan_tf.report import formatting
from vaegan_tf.report.records import Record

# Of the order of a phone's width: small text stays readable there.
WIDTH, HEIGHT = 360, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 20, 32
BOX = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": WIDTH - RIGHT,
    "bottom": HEIGHT - BOTTOM,
}
_X_ENDS, _Y_ENDS = (LEFT, BOX["right"]), (BOX["bottom"], TOP)
MAX_POINTS = 240
_LOGARITHMIC_RATIO = 30
_MARKERS = 4
Points = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Axis:
    """A range of values with labelled ticks, the first and last at its ends."""

    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    logarithmic: bool = False

    def position(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end."""
        low, high = self.ticks[0], self.ticks[-1]
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)

    def place(self, value: float, ends: tuple[int, int]) -> float:
        """Where a value lies between two ends in the box."""
        start, end = ends
        return round(start + self.position(value) * (end - start), 1)

    def places(self, ends: tuple[int, int]) -> list[tuple[float, str]]:
        """Where the ticks lie, and their labels."""
        places = [self.place(tick, ends) for tick in self.ticks]
        return list(zip(places, self.labels))


@dataclasses.dataclass(frozen=True)
class Line:
    """One run's line in a chart."""

    record: Record
    path: str  # The `d` of an SVG path.
    markers: Points  # Positions (x, y) of the run's symbol.
    last: str  # The last value, as text.
    at: str  # The last position on the horizontal axis, as text.


@dataclasses.dataclass(frozen=True)
class Chart:
    """One chart in a box of `WIDTH` by `HEIGHT`."""

    title: str  # What is drawn.
    explanation: str  # What that means, a sentence.
    unit: str  # Unit of the vertical axis.
    across: str  # What the horizontal axis counts.
    x_ticks: list[tuple[float, str]]  # (x, label) below.
    y_ticks: list[tuple[float, str]]  # (y, label) to the left.
    lines: list[Line]  # A line for each run that has the number.
    logarithmic: bool  # Whether the vertical axis is.


def draw(
    title: str,
    explanation: str,
    unit: str,
    across: str,
    curves: Iterable[tuple[Record, Points]],
) -> Chart | None:
    """Lays curves out in a chart; `None` if there is nothing to draw.

    The points (x, y) of a curve have x in ascending order; values y that are
    not finite are left out.
    """
    drawn = []
    for record, points in curves:
        if points := [(x, y) for x, y in points if math.isfinite(y)]:
            drawn.append((record, thin(points), points[-1]))
    if not drawn:
        return None
    xs, ys = zip(*[point for _, thinned, _ in drawn for point in thinned])
    x_axis, y_axis = linear_axis([0, *xs], 5), fitting_axis(ys)
    lines = []
    for index, (record, thinned, last) in enumerate(drawn, start=1):
        placed = [
            (x_axis.place(x, _X_ENDS), y_axis.place(y, _Y_ENDS))
            for x, y in thinned
        ]
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in placed)
        markers = _markers(placed, index / (len(drawn) + 1))
        last_x, last_y = map(formatting.number, last)
        lines.append(Line(record, path, markers, last_y, last_x))
    return Chart(
        title,
        explanation,
        unit,
        across,
        x_axis.places(_X_ENDS),
        y_axis.places(_Y_ENDS),
        lines,
        y_axis.logarithmic,
    )


def fitting_axis(values: Sequence[float]) -> Axis:
    """A logarithmic axis for what spans more than a factor of 30."""
    low, high = min(values), max(values)
    if low > 0 and high / low > _LOGARITHMIC_RATIO:
        return logarithmic_axis(values)
    # Zero is shown where that takes little room.
    return linear_axis([0, *values] if 0 < low < high / 3 else values, 4)


def linear_axis(values: Sequence[float], max_steps: int) -> Axis:
    """An axis that covers values in about `max_steps` round steps."""
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    step = round_step((high - low) / max_steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * count for count in range(first, last + 1))
    return Axis(ticks, formatting.tick_labels(ticks))


def logarithmic_axis(values: Sequence[float]) -> Axis:
    """An axis with ticks at 1, 2, 5 times powers of ten, or at fewer."""
    low, high = min(values), max(values)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**e for e in range(first, last + 1) for d in digits]
        below = max(tick for tick in ticks if tick <= low * (1 + 1e-9))
        above = min(tick for tick in ticks if tick >= high * (1 - 1e-9))
        ticks = [tick for tick in ticks if below <= tick <= above]
        if len(ticks) <= 6:
            break
    labels = tuple(formatting.tick_labels([tick])[0] for tick in ticks)
    return Axis(tuple(ticks), labels, logarithmic=True)


def round_step(step: float) -> float:
    """The least of 1, 2, 2.5 and 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(step))
    factors = (1, 2, 2.5, 5, 10)
    return power * min(f for f in factors if f * power >= step - 1e-12)


def thin(points: Points) -> Points:
    """At most `MAX_POINTS` points: means of as many neighbours each."""
    size = math.ceil(len(points) / MAX_POINTS)
    chunks = [points[n : n + size] for n in range(0, len(points), size)]
    means = [[sum(column) / len(c) for column in zip(*c)] for c in chunks]
    return [(x, y) for x, y in means]


def _markers(placed, share):
    """Positions of a run's symbol: no two runs have the same."""
    positions = [(number + share) / _MARKERS for number in range(_MARKERS)]
    chosen = {round(position * (len(placed) - 1)) for position in positions}
    return [placed[index] for index in sorted(chosen)]
