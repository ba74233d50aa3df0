"""Where a JSON value differs from its expected form."""

import pytest

from vaegan_tf.runs.shapes import COUNT, NUMBER, OPTIONAL_TEXT, misfit

SHAPE = {
    "name": str,
    "steps": COUNT,
    "note": OPTIONAL_TEXT,
    "rows": [{"value": NUMBER}],
    "sizes": ([NUMBER], None),
    "others": {...: NUMBER},
}
VALUE = {
    "name": "a",
    "steps": 3,
    "note": None,
    "rows": [{"value": 1}, {"value": 0.5}],
    "others": {"x": 1.0},
    "unknown": [],
}


def test_what_fits():
    assert misfit(VALUE, SHAPE, "run") == ""
    more = {"note": "b", "rows": (), "sizes": [1, 2.5], "others": {}}
    assert misfit({**VALUE, **more}, SHAPE, "run") == ""


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": None}, "run.name"),
        ({"name": 3}, "run.name"),
        ({"steps": -1}, "run.steps"),
        ({"steps": 2**63}, "run.steps"),
        ({"steps": True}, "run.steps"),
        ({"steps": 3.0}, "run.steps"),
        ({"note": 1}, "run.note"),
        ({"rows": {}}, "run.rows"),
        ({"rows": [{"value": 1}, {}]}, "run.rows[1].value"),
        ({"rows": [{"value": True}]}, "run.rows[0].value"),
        ({"sizes": [1, "2"]}, "run.sizes"),
        ({"others": {"x": 1, "y": "1"}}, "run.others.y"),
        ({"others": []}, "run.others"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(change, place):
    assert misfit({**VALUE, **change}, SHAPE, "run") == place


@pytest.mark.parametrize("value", [None, [], "a", 3])
def test_no_object_at_all(value):
    assert misfit(value, SHAPE, "run") == "run"


def test_what_is_missing_is_named():
    assert misfit({}, SHAPE, "run") == "run.name"
