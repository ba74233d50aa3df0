"""Runs commands one after the other, so that TensorFlow starts only once.

Each line on standard input is a JSON object with `command`, `arguments` and
`log`; each line on standard output is an exit code.
"""

import importlib
import json
import os
import sys
import traceback


def main() -> None:
    """Runs commands until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        case = json.loads(line)
        with open(case["log"], "wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        answers.write(f"{_status(case)}\n")
        answers.flush()


def _status(case):
    module = importlib.import_module(f"vaegan_tf.cli.{case['command']}")
    try:
        module.command([f"vaegan-{case['command']}", *case["arguments"]])
    except SystemExit as leaving:
        return leaving.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        importlib.import_module("keras").backend.clear_session()
    return 99


if __name__ == "__main__":
    main()
