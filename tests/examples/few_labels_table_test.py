import json

import numpy as np
import pytest

from examples import few_labels_table
from tests.conftest import COSINE, TINY


def test_the_table_has_every_encoder_and_is_not_made_twice(
    trained, tiny_dir, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(few_labels_table, "SEEDS", range(2))
    monkeypatch.setattr(few_labels_table, "LABELS", (4, None))
    arguments = [tmp_path, str(trained("vae")), *TINY, COSINE]
    arguments.append(f"--data_dir={tiny_dir}")
    few_labels_table.main(*arguments)
    text = capsys.readouterr().out
    table = text[text.index("| encoder") :].splitlines()
    assert table[0] == (
        "| encoder | 4 labels: accuracy | 4 labels: F1 "
        "| all labels: accuracy | all labels: F1 |"
    )
    cells = [[c.strip() for c in row.split("|")[1:-1]] for row in table[2:]]
    assert [row[0] for row in cells] == ["fresh", "vae"]
    shares = [
        100 * json.loads(path.read_text())["mean"]["accuracy"]
        for path in sorted(tmp_path.glob("vae-4-*/scores.json"))
    ]
    mean, deviation = np.mean(shares), abs(shares[0] - shares[1]) / np.sqrt(2)
    assert cells[1][1] == f"{mean:.1f} ± {deviation:.1f}"
    records = sorted(tmp_path.glob("vae-*/run.json"))
    settings = [json.loads(path.read_text())["settings"] for path in records]
    assert [s["data"]["labels"] for s in settings] == [4, 4, None, None]
    monkeypatch.setattr(
        few_labels_table, "call", lambda *_: pytest.fail("again")
    )
    few_labels_table.main(*arguments)
    assert capsys.readouterr().out.splitlines() == table
