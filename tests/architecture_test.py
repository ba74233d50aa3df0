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
    {"version", "errors", "tables", "settings"},
    {"replicas", "hardware", "files", "locks"},
    {"templates", "losses", "noise", "images"},
    {"networks", "data"},
    {"models"},
    {"runs"},
    {"similarity", "sampling", "predictor"},
    {"evaluation", "anyshot"},
    {"training", "attributes", "patch"},
    {"explorer", "export", "pretrained", "report"},
    {"cli"},
)
LAYER_OF = {room: n for n, layer in enumerate(LAYERS) for room in layer}
LOGGING = {"locks", "attributes", "data", "runs", "sampling", "training", "cli"}
# Commands import it when they run.
LATE = {"images"}
CLI = sorted(path.stem for path in (PACKAGE / "cli").glob("[!_]*.py"))
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "numpy"}


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
    assert not logs or room(path) in LOGGING


def run_python(code):
    """What a fresh interpreter writes to stdout and stderr."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
    )
    return result.stdout, result.stderr


def test_commands_and_settings_import_neither_tensorflow_nor_keras():
    modules = [f"vaegan_tf.cli.{name}" for name in CLI if name not in LATE]
    code = (
        f"import sys, vaegan_tf, vaegan_tf.settings, {', '.join(modules)}\n"
        f"print({HEAVY} & set(sys.modules))"
    )
    assert run_python(code) == ("set()\n", "")


def public_definitions(path):
    """Functions, methods and classes whose names say that they are for all."""
    found, rest = [], [tree(path)]
    while rest:
        for node in ast.iter_child_nodes(rest.pop()):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            special = node.name in ("__init__", "__call__", "__post_init__")
            if special or not node.name.startswith("_"):
                found.append(node)
                if isinstance(node, ast.ClassDef):
                    rest.append(node)
    return found


def unannotated(function):
    """Names of a function's arguments without a type, and `return`."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    names = [
        argument.arg
        for argument in named
        if argument.annotation is None and argument.arg not in ("self", "cls")
    ]
    # The type of what `__init__` returns is known.
    if function.returns is None and function.name != "__init__":
        names.append("return")
    return names


@pytest.mark.parametrize("path", MODULES, ids=in_path)
def test_public_signatures_are_annotated(path):
    missing = {
        f"{node.name} (line {node.lineno})": names
        for node in public_definitions(path)
        if isinstance(node, ast.FunctionDef) and (names := unannotated(node))
    }
    assert not missing


def test_an_unannotated_signature_is_noticed():
    (function,) = ast.parse("def f(self, a, *b, c: int = 0, **d): ...").body
    assert unannotated(function) == ["a", "b", "d", "return"]
