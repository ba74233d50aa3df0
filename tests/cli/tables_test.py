import csv
import json

import pytest

from vaegan_tf.cli import tables

ROWS = [
    {"image": "a.png", "score": 0.123456, "label": "normal"},
    {"image": "long, name.png", "score": 12.0, "label": "anomalous"},
]


def test_columns_are_aligned():
    assert tables.text(ROWS).splitlines() == [
        "image            score  label",
        "a.png           0.1235  normal",
        "long, name.png      12  anomalous",
    ]


def test_long_tables_are_cut():
    lines = tables.text(ROWS * 1000, shown=3).splitlines()
    assert len(lines) == 5
    assert lines[-1] == "... and 1,997 more"


def test_csv_holds_every_digit(tmp_path):
    tables.write(tmp_path / "in" / "t.csv", ROWS, step=4)
    with open(tmp_path / "in" / "t.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{k: str(v) for k, v in row.items()} for row in ROWS]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["t.csv"]


def test_json_holds_more(tmp_path):
    tables.write(tmp_path / "t.json", ROWS, step=4)
    content = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert content == {"step": 4, "rows": ROWS}


@pytest.mark.parametrize("path", [None, "a.csv", "b/c.json"])
def test_outputs_that_can_be_written(path):
    tables.check_output(path)


@pytest.mark.parametrize("path", ["a.txt", "csv", "out/"])
def test_outputs_that_are_refused(path):
    message = r"^--output must end in \.json or \.csv\. Received: "
    with pytest.raises(ValueError, match=message):
        tables.check_output(path)
