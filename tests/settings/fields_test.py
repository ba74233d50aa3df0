"""A group of settings checks itself and can be written down."""

import dataclasses
import math

import pytest

from vaegan_tf.settings import (
    REQUIRED,
    Settings,
    check,
    fields,
    named_number,
    setting,
)


class Oven(Settings):
    """Every kind of field."""

    name: str = setting(REQUIRED, "What it is called.")
    heat: float = setting(180.0, "Degrees.", above=0, high=300)
    shelves: int = setting(2, "Shelves.", low=1, below=10)
    fan: bool = setting(False, "Whether a fan turns.", changeable=True)
    mode: str = setting("top", "Where heat comes from.", choices=("top", "all"))
    timer: float | None = setting(None, "Minutes.", low=0, recorded=False)
    dishes: tuple[str, ...] = setting((), "What is in it.")
    book: str | None = setting(None, "Recipes.", is_path=True, may_be_url=True)
    doors: tuple[str, ...] = setting(
        ("left",), "Doors.", choices=("left", "right")
    )
    rises: tuple[float, ...] = setting((0.5,), "Degrees.", low=-1, high=2)


class HotOven(Oven):
    """Another default."""

    heat: float = 250.0


def test_a_field_knows_its_type_bounds_and_meaning():
    known = fields(Oven)
    assert list(known) == [
        *("name", "heat", "shelves", "fan", "mode", "timer", "dishes", "book"),
        *("doors", "rises"),
    ]
    assert known["name"].default is REQUIRED
    assert (known["timer"].type, known["timer"].optional) == (float, True)
    assert (known["dishes"].type, known["dishes"].optional) == (tuple, False)
    assert known["heat"].bounds == "above 0 and at most 300"
    assert known["shelves"].bounds == "at least 1 and below 10"
    assert known["mode"].bounds == "one of top, all"
    assert known["doors"].bounds == "one or more of left, right"
    assert known["rises"].bounds == "each at least -1 and at most 2"
    assert known["name"].bounds == ""
    assert known["heat"].help == "Degrees."
    assert known["fan"].changeable
    assert not known["heat"].changeable
    assert not known["timer"].recorded


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heat": 0}, "`heat` must be above 0 and at most 300. .*heat=0.0"),
        ({"heat": 301.0}, "`heat` must be above 0 and at most 300"),
        ({"heat": float("nan")}, "`heat` must be finite. Received: heat=nan"),
        ({"heat": "hot"}, "`heat` must be a number. Received: heat='hot'"),
        ({"heat": True}, "`heat` must be a number. Received: heat=True"),
        ({"heat": None}, "`heat` must be a number. Received: heat=None"),
        ({"shelves": 0}, "`shelves` must be at least 1 and below 10"),
        ({"shelves": 10}, "`shelves` must be at least 1 and below 10"),
        ({"shelves": 1.5}, "`shelves` must be a whole number"),
        ({"fan": 1}, "`fan` must be true or false. Received: fan=1"),
        ({"mode": "side"}, "`mode` must be one of top, all. .*mode='side'"),
        ({"timer": -1.0}, "`timer` must be at least 0 or None. .*timer=-1.0"),
        ({"dishes": "cake"}, "`dishes` must be a list of texts"),
        ({"dishes": (1,)}, "`dishes` must be a list of texts"),
        ({"name": 3}, "`name` must be a text. Received: name=3"),
        ({"doors": ("left", "top")}, "`doors` must be one or more of left, ri"),
        (
            {"doors": ()},
            "`doors` must be one or more of left, right. .*=\\(\\)",
        ),
        ({"rises": (0.0, 2.5)}, "be a list of numbers, each at least -1 and"),
        ({"rises": ()}, "`rises` must be a list of numbers, each at least -1"),
        ({"rises": (float("inf"),)}, "`rises` must be finite"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        Oven(**{"name": "mine", **values})


def test_arguments_are_checked_as_settings_are():
    check("count", 3, low=3)
    with pytest.raises(ValueError, match=r"^`count` must be at least 4. .*=3"):
        check("count", 3, low=4)
    message = r"^`path` must be one of up, down. Received: path='left'\.$"
    with pytest.raises(ValueError, match=message):
        check("path", "left", choices=("up", "down"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=2.5", ("a", 2.5)),
        ("a", ("a", 1.0)),
        ("a=b=1", ("a", math.nan)),
        ("a=", ("a", math.nan)),
    ],
)
def test_names_with_numbers(text, expected):
    name, number = named_number(text, 1.0)
    assert (name, str(number)) == (expected[0], str(expected[1]))


def test_values_at_the_bounds_are_accepted():
    oven = Oven(name="mine", heat=300, shelves=1, timer=0)
    assert (oven.heat, oven.shelves, oven.timer) == (300.0, 1, 0.0)


def test_values_are_converted_to_their_type():
    oven = Oven(name="mine", heat=200, dishes=["cake", "bread"])
    assert type(oven.heat) is float
    assert oven.dishes == ("cake", "bread")


def test_paths_become_absolute_but_urls_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", f"{tmp_path}/home")
    books = {
        "bread.txt": f"{tmp_path}/bread.txt",
        "~/bread.txt": f"{tmp_path}/home/bread.txt",
        "gs://books/bread.txt": "gs://books/bread.txt",
    }
    for given, expected in books.items():
        assert Oven(name="mine", book=given).book == expected


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Oven(name="mine").heat = 200.0


def test_a_required_setting_must_be_given():
    with pytest.raises(TypeError, match="name"):
        Oven()


def test_what_is_written_down_is_read_back():
    oven = Oven(name="mine", heat=210, dishes=("cake",), timer=5.5)
    written = oven.as_dict()
    assert written["dishes"] == ["cake"]  # as JSON has it
    assert Oven.from_dict(written) == oven


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(
        ValueError, match=r"`colour` is not one of .*name, heat"
    ):
        Oven.from_dict({"name": "mine", "colour": "red"})


def test_a_plain_value_changes_the_default_alone():
    assert HotOven(name="mine").heat == 250.0
    before, after = fields(Oven)["heat"], fields(HotOven)["heat"]
    assert dataclasses.replace(after, default=180.0) == before
    with pytest.raises(ValueError, match="`heat` must be above 0"):
        HotOven(name="mine", heat=0)
