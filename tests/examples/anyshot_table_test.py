import numpy as np
import pytest

from examples import anyshot_table
from tests.anyshot.conftest import write_toy


def test_mean_and_deviation_are_those_of_a_sample():
    # Of 10, 20 and 30 % the deviation is √((100 + 0 + 100) / 2) = 10.
    assert anyshot_table.summary([0.1, 0.2, 0.3]) == "20.0 ± 10.0"


def test_the_table_has_every_model_and_is_not_made_twice(
    tmp_path, monkeypatch, capsys
):
    toy = write_toy(tmp_path / "toy")
    monkeypatch.setattr(anyshot_table, "SEEDS", range(2))
    two = [("f_vae", ""), ("f_vaegan_d2", ", uniform prior")]
    monkeypatch.setattr(anyshot_table, "ROWS", two)
    tiny = (
        "--dataset=xlsa17",
        f"--source_dir={toy}",
        "--train_steps=2",
        "--checkpoint_every=2",
        "--log_every=2",
        "--steps_per_execution=2",
        "--hidden_units=4",
    )
    anyshot_table.main(tmp_path / "runs", *tiny)
    text = capsys.readouterr().out
    table = text[text.index("|  | T1") :].splitlines()
    names = [line.split("|")[1].strip() for line in table[2:]]
    baselines = ["softmax on labelled examples", "ESZSL"]
    assert names == [*baselines, "f-VAE", "f-VAEGAN-D2, uniform prior"]
    assert all(line.count("|") == 8 for line in table)
    # Of two novel classes, of which softmax on seen ones tells the first.
    assert table[2].split("|")[2].strip() == "50.0 ± 0.0"
    monkeypatch.setattr(anyshot_table, "call", lambda *_: pytest.fail("again"))
    anyshot_table.main(tmp_path / "runs", *tiny)
    assert capsys.readouterr().out.splitlines() == table
    assert np.isfinite(float(table[3].split("|")[2].split("±")[0]))
