"""Medians, ratios and the look of tables."""

import pytest

from benchmarks import tables


def test_summary_is_median_and_range():
    assert tables.summary([4.0, 1.0, 2.0]) == {
        "median": 2.0,
        "low": 1.0,
        "high": 4.0,
        "count": 3,
    }
    assert tables.summary([1.0, 2.0])["median"] == 1.5


@pytest.mark.parametrize(
    ("value", "other", "expected"),
    [(3.0, 2.0, 1.5), (None, 2.0, None), (3.0, None, None), (3.0, 0.0, None)],
)
def test_ratio(value, other, expected):
    assert tables.ratio(value, other) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (12345.6, "12,346"),
        (12.345, "12.3"),
        (0.0123456, "0.0123"),
        (0.0, "0.00"),
    ],
)
def test_numbers_have_three_digits(value, expected):
    assert tables.number(value) == expected


def test_units():
    assert tables.times(1.25) == "1.25 ×"
    assert tables.percent(0.4567) == "45.7 %"
    assert tables.gibibytes(3 * 2**29) == "1.50 GiB"
    assert tables.times(None) == tables.percent(None) == "–"
    assert tables.spread(tables.summary([1.0, 3.0])) == "2.00 (1.00 to 3.00)"


def test_table_is_aligned_markdown():
    text = tables.table("Title", ["a", "long"], [["1", "2"], ["333", "4"]])
    assert text.splitlines() == [
        "### Title",
        "",
        "| a   | long |",
        "| --- | ---- |",
        "| 1   | 2    |",
        "| 333 | 4    |",
    ]
