"""Where do the lines of a chart go? Geometry only; the template draws it."""

import dataclasses
import math

from vaegan_tf.report import words

# Of the order of a phone's width: small text stays readable there.
WIDTH, HEIGHT = 360, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 20, 32
BOX = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": WIDTH - RIGHT,
    "top": TOP,
    "bottom": HEIGHT - BOTTOM,
}
MOST_POINTS = 240
_DECADES_OF_LOG = 30
_MARKERS = 4


@dataclasses.dataclass(frozen=True)
class Axis:
    """A range of values, and where marks stand on it.

    Attributes:
        low: The least value.
        high: The greatest value.
        ticks: Values with a mark.
        labels: Their texts.
        logarithmic: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    ticks: tuple
    labels: tuple
    logarithmic: bool = False

    def place(self, value):
        """Where a value stands: 0 at the low end, 1 at the high end."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)


@dataclasses.dataclass(frozen=True)
class Line:
    """One run's line in a chart.

    Attributes:
        record: The run's `Record`.
        path: The `d` of an SVG path.
        markers: Places (x, y) of the run's symbol.
        last: The last value, as text.
        at: The last place on the horizontal axis, as text.
    """

    record: object
    path: str
    markers: tuple
    last: str
    at: str


@dataclasses.dataclass(frozen=True)
class Chart:
    """One chart, placed in a box of `WIDTH` by `HEIGHT`.

    Attributes:
        title: What is drawn.
        explanation: What that means, a sentence.
        unit: Unit of the vertical axis.
        across: What the horizontal axis counts.
        x_marks: (x, label) of marks below.
        y_marks: (y, label) of marks to the left.
        lines: A `Line` for each run that has the number.
        logarithmic: Whether the vertical axis is.
    """

    title: str
    explanation: str
    unit: str
    across: str
    x_marks: tuple
    y_marks: tuple
    lines: tuple
    logarithmic: bool


def draw(title, explanation, unit, across, curves):
    """Places curves in a chart.

    Args:
        title: What is drawn.
        explanation: What that means, a sentence.
        unit: Unit of the vertical axis.
        across: What the horizontal axis counts.
        curves: (record, points) of each run; points are (x, y) with x in
            ascending order. Values that are not finite are left out.

    Returns:
        A `Chart`, or `None` if nothing is left to draw.
    """
    curves = [(record, _finite(points)) for record, points in curves]
    curves = [(record, points) for record, points in curves if points]
    if not curves:
        return None
    thinned = [thin(points) for _, points in curves]
    xs = [x for points in thinned for x, _ in points]
    ys = [y for points in thinned for _, y in points]
    x_axis, y_axis = linear_axis([0, *xs], 5), fitting_axis(ys)
    return Chart(
        title=title,
        explanation=explanation,
        unit=unit,
        across=across,
        x_marks=tuple(
            (_x(x_axis, tick), label)
            for tick, label in zip(x_axis.ticks, x_axis.labels)
        ),
        y_marks=tuple(
            (_y(y_axis, tick), label)
            for tick, label in zip(y_axis.ticks, y_axis.labels)
        ),
        lines=tuple(
            Line(
                record=record,
                path=_path(placed),
                markers=_markers(placed, (place + 1) / (len(curves) + 1)),
                last=words.number(points[-1][1]),
                at=words.number(points[-1][0]),
            )
            for place, (record, points) in enumerate(curves)
            for placed in [_placed(thinned[place], x_axis, y_axis)]
        ),
        logarithmic=y_axis.logarithmic,
    )


def fitting_axis(values):
    """A logarithmic axis for what spans more than a factor of 30."""
    low, high = min(values), max(values)
    if low > 0 and high / low > _DECADES_OF_LOG:
        return logarithmic_axis(values)
    # Zero is shown where that costs little.
    return linear_axis([0, *values] if 0 < low < high / 3 else values, 4)


def linear_axis(values, most_steps):
    """An axis with marks at round numbers, at most so many steps apart.

    Args:
        values: What it must hold.
        most_steps: Marks, but for the first, if ends need no more.
    """
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    step = round_step((high - low) / most_steps)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * count for count in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks, tuple(words.marks(ticks)))


def logarithmic_axis(values):
    """An axis with marks at 1, 2 and 5 times powers of ten, or powers only."""
    low, high = min(values), max(values)
    exponents = range(
        math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1
    )
    for digits in ((1, 2, 5), (1, 3), (1,)):
        marks = [d * 10.0**exponent for exponent in exponents for d in digits]
        below = max(mark for mark in marks if mark <= low * (1 + 1e-9))
        above = min(mark for mark in marks if mark >= high * (1 - 1e-9))
        ticks = tuple(mark for mark in marks if below <= mark <= above)
        if len(ticks) <= 6:
            break
    labels = tuple(words.marks([tick])[0] for tick in ticks)
    return Axis(ticks[0], ticks[-1], ticks, labels, logarithmic=True)


def round_step(step):
    """The least of 1, 2, 2.5 and 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * min(
        factor
        for factor in (1, 2, 2.5, 5, 10)
        if factor * power >= step - 1e-12
    )


def thin(points):
    """At most `MOST_POINTS` points: means of as many neighbours each."""
    size = math.ceil(len(points) / MOST_POINTS)
    chunks = [points[n : n + size] for n in range(0, len(points), size)]
    return [
        tuple(sum(column) / len(chunk) for column in zip(*chunk))
        for chunk in chunks
    ]


def _finite(points):
    return [(x, y) for x, y in points if math.isfinite(y)]


def _placed(points, x_axis, y_axis):
    return [(_x(x_axis, x), _y(y_axis, y)) for x, y in points]


def _path(placed):
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in placed)


def _markers(placed, share):
    """Places of a run's symbol: each run's own, so that no line hides one."""
    places = [(number + share) / _MARKERS for number in range(_MARKERS)]
    chosen = {round(place * (len(placed) - 1)) for place in places}
    return tuple(placed[index] for index in sorted(chosen))


def _x(axis, value):
    return round(LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(axis, value):
    return round(TOP + (1 - axis.place(value)) * (HEIGHT - TOP - BOTTOM), 1)
