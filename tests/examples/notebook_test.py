"""The notebook runs from top to bottom, and its outputs are stored."""

import builtins
import functools
import json
import pathlib
import sys
import types

import pytest

import vaegan_tf

PATH = pathlib.Path(__file__).parents[2] / "examples" / "vaegan.ipynb"


@pytest.fixture(scope="module")
def cells():
    """Its cells of code."""
    notebook = json.loads(PATH.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


class Handle:
    """A picture that is drawn anew."""

    def __init__(self):
        self.updates = []

    def update(self, value):
        self.updates.append(value)


@pytest.fixture
def shown(monkeypatch):
    """What the notebook displays, where IPython need not be installed."""
    shown = []

    def display(value, display_id=False):
        shown.append((value, Handle()))
        return shown[-1][1] if display_id else None

    module = types.ModuleType("IPython.display")
    module.Image = lambda data, width: ("image", data[:4], width)
    module.SVG = lambda text: ("svg", text[:4])
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(builtins, "display", display, raising=False)
    return shown


def test_it_runs_from_top_to_bottom(
    cells, shown, tiny_dir, monkeypatch, capsys
):
    monkeypatch.setenv("VAEGAN_NOTEBOOK_STEPS", "2")
    load = functools.partial(vaegan_tf.load_dataset, data_dir=tiny_dir)
    monkeypatch.setattr(vaegan_tf, "load_dataset", load)
    names = {}
    for number, cell in enumerate(cells):
        code = compile("".join(cell["source"]), f"cell {number}", "exec")
        exec(code, names)
    kinds = [value[0] for value, _ in shown]
    assert kinds == ["image"] * 5 + ["svg"] * 2
    live = [handle.updates for _, handle in shown if handle.updates]
    assert [len(updates) for updates in live] == [2]
    # Objectives by hand were those of the package; see the notebook.
    assert "L_GAN" in capsys.readouterr().out


def test_its_outputs_are_those_of_a_whole_run(cells):
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [cell["execution_count"] for cell in cells] == [
        number + 1 for number in range(len(cells))
    ]
    assert {output["output_type"] for output in outputs} <= {
        "display_data",
        "stream",
    }
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 5
    assert PATH.stat().st_size < 1_500_000
