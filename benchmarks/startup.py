"""How long until something happens."""

import subprocess
import sys
import time

from benchmarks import tables
from benchmarks.children import ROOT, MeasurementError
from vaegan_tf.cli import app

IMPORTS = {
    "python": "pass",
    "import vaegan_tf": "import vaegan_tf",
    "import tensorflow": "import tensorflow",
    "create_model": "from vaegan_tf import create_model",
    "load_dataset": "from vaegan_tf import load_dataset",
}


def measure(run, quick=False):
    """Measures help pages, imports and the way to the first step.

    Args:
        run: `children.run`.
        quick: Whether each is done once.

    Returns:
        `startup`: `help` and `imports` in seconds by name, and `first_step`,
        seconds from the start of Python to the end of a run's first step.
    """
    repeats = 1 if quick else 3
    helps = {
        name: _repeated(_help(module), repeats) for name, module in commands()
    }
    imports = {name: _repeated(code, repeats) for name, code in IMPORTS.items()}
    answer = run(
        "ours:train", warm_up=0, timed=1, batch_size=8 if quick else 64
    )
    return {
        "startup": {
            "help": helps,
            "imports": imports,
            "first_step": {
                "all_seconds": answer["elapsed_seconds"],
                "step_seconds": answer["first_step_seconds"],
            },
        }
    }


def commands():
    """The console commands of this checkout: `(name, module)` each.

    They are the modules of `vaegan_tf/cli` that make a `command`, installed or
    not.
    """
    paths = sorted((ROOT / "vaegan_tf" / "cli").glob("*.py"))
    return [
        (app.program_name(str(path)), f"vaegan_tf.cli.{path.stem}")
        for path in paths
        if "\ncommand = " in path.read_text(encoding="utf-8")
    ]


def report(results):
    """The table of waits.

    Args:
        results: What `measure` returned.
    """
    startup = results["startup"]
    waits = {
        **{f"`{name} --help`": s for name, s in startup["help"].items()},
        **{f"`{name}`": s for name, s in startup["imports"].items()},
    }
    rows = [[name, f"{found['median']:.2f} s"] for name, found in waits.items()]
    first = startup["first_step"]
    rows.append(
        [
            "first step of a run",
            f"{first['all_seconds']:.2f} s, the step itself "
            f"{first['step_seconds']:.2f} s",
        ]
    )
    return tables.table("Start-up", ["until", "takes"], rows)


def _help(module):
    return (
        f"import sys; from {module} import command; "
        "sys.argv = ['command', '--help']; command()"
    )


def _repeated(code, repeats):
    return tables.summary([_seconds(code) for _ in range(repeats)])


def _seconds(code):
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    if result.returncode:
        raise MeasurementError(
            f"{code!r} ended with status {result.returncode}."
        )
    return time.perf_counter() - start
