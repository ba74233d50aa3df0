"""The house's rules: who may import whom, and what no library does."""

import ast
import pathlib
import subprocess
import sys

import pytest

import vaegan_tf

PACKAGE = pathlib.Path(vaegan_tf.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = (
    {"version", "replicas", "hardware"},
    {"losses", "noise", "images"},
    {"networks"},
    {"models", "data", "attributes"},
    {"evaluation"},
    {"training", "similarity"},
    {"predictor", "sampling"},
    {"export", "report"},
    {"cli"},
)
LAYER_OF = {room: n for n, layer in enumerate(LAYERS) for room in layer}
# A command that draws pictures imports it when it runs.
LATE = {"pictures", "scoring"}
COMMANDS = sorted(
    path.stem
    for path in (PACKAGE / "cli").glob("*.py")
    if path.stem != "__init__"
)


def parts(path):
    return path.relative_to(PACKAGE).with_suffix("").parts


def room(path):
    return parts(path)[0]


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path):
    """Dotted names a module imports, those inside functions too."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports by full names only"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_rooms(path):
    names = [name.split(".") for name in imported(path)]
    return {name[1] for name in names if name[0] == "vaegan_tf"}


def calls(path):
    """Names of the functions that a module calls without a prefix."""
    return {
        node.func.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def inner_modules():
    """All modules but the package's own `__init__`, which imports late."""
    return [path for path in MODULES if parts(path) != ("__init__",)]


def in_path(path):
    return "/".join(parts(path))


def test_every_room_has_a_layer():
    rooms = {room(path) for path in inner_modules()}
    assert rooms <= set(LAYER_OF)


@pytest.mark.parametrize("path", inner_modules(), ids=in_path)
def test_imports_point_downward(path):
    own = room(path)
    for other in imported_rooms(path) - {own}:
        assert LAYER_OF[other] < LAYER_OF[own], f"{own} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=in_path)
def test_nothing_prints_or_asserts(path):
    assert not any(
        isinstance(node, ast.Assert) for node in ast.walk(tree(path))
    )
    assert "print" not in calls(path)


@pytest.mark.parametrize("path", inner_modules(), ids=in_path)
def test_only_commands_have_flags(path):
    names = imported(path)
    has_flags = any(name.startswith("absl.flags") for name in names)
    assert not has_flags or room(path) == "cli"


@pytest.mark.parametrize("path", inner_modules(), ids=in_path)
def test_formulas_and_networks_do_not_log(path):
    logs = any(name.startswith("absl.logging") for name in imported(path))
    assert not logs or room(path) in {
        "data",
        "training",
        "predictor",
        "sampling",
        "cli",
    }


def test_commands_import_neither_tensorflow_nor_keras():
    modules = ", ".join(
        f"vaegan_tf.cli.{name}" for name in COMMANDS if name not in LATE
    )
    code = (
        f"import sys, vaegan_tf, {modules}\n"
        "heavy = {'tensorflow', 'keras', 'tensorflow_datasets', 'numpy'}\n"
        "print(heavy & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("set()\n", "")
