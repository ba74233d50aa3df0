import pytest

from vaegan_tf.report import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (2400.0, "2,400"),
        (1234.56, "1,235"),
        (31.41593, "31.42"),
        (0.05, "0.05"),
        (0.00123456, "0.001235"),
        (0.00001234567, "1.235·10⁻⁵"),
        (-0.5, "−0.5"),
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
    ],
)
def test_number(value, text):
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (31.41593, 0.152, "31.42 ± 0.15"),
        (31.41593, 1.52, "31.4 ± 1.5"),
        (5012.3, 124.0, "5,012 ± 124"),
        (1.0, 0.0951, "1.000 ± 0.095"),
        (-2.0, 0.5, "−2.00 ± 0.50"),
        (0.5, None, "0.5"),
        (0.5, 0.0, "0.5"),
        (0.5, float("nan"), "0.5"),
        (float("nan"), 0.1, "not finite"),
    ],
)
def test_a_number_is_rounded_to_the_second_digit_of_its_error(
    value, error, text
):
    assert formatting.with_error(value, error) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
        ([0.1 * n for n in range(4)], ["0.0", "0.1", "0.2", "0.3"]),
        ([-1, 0, 1], ["−1", "0", "1"]),
        ([0, 2000, 4000], ["0", "2,000", "4,000"]),
        ([0, 5000, 10_000], ["0", "5k", "10k"]),
        ([0, 2.5e6], ["0", "2.5M"]),
        ([0, 1e-5, 2e-5], ["0", "1·10⁻⁵", "2·10⁻⁵"]),
    ],
)
def test_numbers_along_an_axis_are_written_alike(values, texts):
    assert formatting.tick_labels(values) == tuple(texts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (False, "no"),
        (["Hat", "Beard"], "Hat, Beard"),
        ([], "none"),
        (3e-4, "0.0003"),
        (64, "64"),
        ("auto", "auto"),
    ],
)
def test_setting(value, text):
    assert formatting.setting(value) == text


def test_timestamps():
    assert (
        formatting.timestamp("2026-11-22T21:05:59+00:00") == "2026-11-22, 21:05"
    )
    assert formatting.timestamp("yesterday") == "yesterday"
    assert formatting.timestamp(7) == "7"
