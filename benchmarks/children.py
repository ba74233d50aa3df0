"""Runs each measurement in a process of its own.

Threads, memory and Keras's precision then do not leak from one measurement
into the next, and the memory of each can be told.
"""

import importlib
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 900


class MeasurementError(RuntimeError):
    """A measurement that failed, with the reason in one line."""


def run(function, **arguments):
    """Calls a function of this package in a fresh process.

    Args:
        function: `"module:function"`. It takes and returns what JSON holds; a
            dict.
        **arguments: Its arguments.

    Returns:
        What it returned, with `peak_bytes`, the most memory the process held,
        and `elapsed_seconds` from its start to the end of the function.

    Raises:
        MeasurementError: If the process fails or takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = pathlib.Path(folder) / "answer.json"
        command = [sys.executable, "-m", "benchmarks.children", function]
        command += [json.dumps(arguments), str(answer), repr(time.time())]
        _call(command)
        return json.loads(answer.read_text(encoding="utf-8"))


def _call(command):
    try:
        subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise MeasurementError(
            f"{command[3]} took more than {TIMEOUT_SECONDS} s."
        ) from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no message"]
        raise MeasurementError(
            f"{command[3]} ended with status {error.returncode}: "
            f"{reason(lines)[:300]}"
        ) from None


def reason(lines):
    """The last line of a traceback that names an error; else the last one."""
    named = [line for line in lines if "Error: " in line[:80]]
    return (named or lines)[-1].strip()


def peak_bytes():
    """The most memory this process has held, in bytes.

    Not `getrusage`, which begins with what the parent held.
    """
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024


def main(function, arguments, answer, start):
    """Calls the function and writes its answer; runs in the child."""
    module, name = function.split(":")
    call = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    result = call(**json.loads(arguments))
    result["peak_bytes"] = peak_bytes()
    result["elapsed_seconds"] = time.time() - float(start)
    pathlib.Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
