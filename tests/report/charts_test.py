import math

import pytest

from vaegan_tf.report import charts


def test_ticks_are_at_round_numbers():
    # 2,400 in at most 5 steps: 480, rounded up to 500.
    axis = charts.linear_axis([0, 2400], 5)
    assert axis.ticks == (0, 500, 1000, 1500, 2000, 2500)
    assert axis.labels == ("0", "500", "1,000", "1,500", "2,000", "2,500")
    assert (axis.position(0), axis.position(2500)) == (0, 1)


def test_an_axis_of_one_value():
    # A tenth to either side: 2.7 to 3.3, in steps of 0.2.
    axis = charts.linear_axis([3.0, 3.0], 4)
    assert axis.labels == ("2.6", "2.8", "3.0", "3.2", "3.4")
    assert charts.linear_axis([0.0], 4).labels[0] == "−1.0"


def test_an_axis_of_negative_values():
    assert charts.linear_axis([-3, 5], 4).labels == (
        "−4",
        "−2",
        "0",
        "2",
        "4",
        "6",
    )


@pytest.mark.parametrize(
    ("step", "rounded"),
    [(0.7, 1), (1, 1), (1.1, 2), (2.2, 2.5), (3, 5), (60, 100)],
)
def test_round_steps(step, rounded):
    assert charts.round_step(step) == pytest.approx(rounded)


def test_a_logarithmic_axis():
    # With 1, 2, 5 there would be eight ticks; 1 and 3 give six.
    axis = charts.logarithmic_axis([0.3, 40])
    assert axis.labels == ("0.3", "1", "3", "10", "30", "100")
    assert axis.position(0.3) == pytest.approx(0)
    assert axis.position(100) == pytest.approx(1)
    assert axis.position(math.sqrt(30)) == pytest.approx(0.5)


def test_many_decades_have_ticks_at_powers_of_ten():
    assert charts.logarithmic_axis([0.02, 900]).labels == (
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
        "1,000",
    )


@pytest.mark.parametrize(
    ("values", "logarithmic", "low"),
    [
        ([1, 31], True, 1),
        ([1, 30], False, 0),
        ([10, 20], False, 10),
        ([-1, 100], False, -50),
        ([0, 100], False, 0),
    ],
)
def test_which_axis_fits(values, logarithmic, low):
    axis = charts.fitting_axis(values)
    assert (axis.logarithmic, axis.ticks[0]) == (logarithmic, low)


def draw(*curves):
    return charts.draw("Error", "Of pixels.", "nats", "steps", curves)


def test_a_line_goes_from_corner_to_corner():
    chart = draw(("a", [(0, 0.0), (10, 10.0)]))
    (line,) = chart.lines
    assert line.path == "M46 184L350 20"
    assert (line.last, line.at) == ("10", "10")
    assert chart.x_ticks == [
        (46.0, "0"),
        (106.8, "2"),
        (167.6, "4"),
        (228.4, "6"),
        (289.2, "8"),
        (350.0, "10"),
    ]
    assert [label for _, label in chart.y_ticks] == [
        "0.0",
        "2.5",
        "5.0",
        "7.5",
        "10.0",
    ]
    assert chart.y_ticks[0][0] == 184
    assert chart.y_ticks[-1][0] == 20


def test_lines_share_their_axes():
    chart = draw(("a", [(0, 0.0), (5, 5.0)]), ("b", [(0, 10.0), (10, 0.0)]))
    assert [line.path for line in chart.lines] == [
        "M46 184L198 102",
        "M46 20L350 184",
    ]


def test_lines_that_coincide_have_symbols_in_different_places():
    points = [(step, 1.0 + step) for step in range(100)]
    one, other = draw(("a", points), ("b", points)).lines
    assert one.path == other.path
    assert len(one.markers) == len(other.markers) == 4
    assert not set(one.markers) & set(other.markers)


def test_what_is_not_finite_is_left_out():
    chart = draw(("a", [(0, math.nan), (1, 2.0), (2, math.inf)]), ("b", []))
    (line,) = chart.lines
    assert line.record == "a"
    assert "L" not in line.path
    assert (line.last, line.at) == ("2", "1")
    assert line.markers


def test_nothing_to_draw():
    assert draw() is None
    assert draw(("a", [(0, math.nan)])) is None


def test_long_lines_are_means_of_neighbours():
    points = [(step, 2.0 * step) for step in range(480)]
    thinned = charts.thin(points)
    assert len(thinned) == 240
    assert thinned[0] == (0.5, 1.0)
    assert thinned[-1] == (478.5, 957.0)
    assert charts.thin(points[:240]) == points[:240]
    # What the legend tells is the last value itself.
    assert draw(("a", points)).lines[0].last == "958"
