"""Forks Python programs from a process that has imported TensorFlow already.

To import it takes longer than most of what the programs of these tests do.
Nothing of TensorFlow runs here and there is but one thread, so a fork becomes
what a fresh process would be, and ends as one. Only the seed of Python's hashes
is the same in all; a `fresh` program has its own.

Each line of the input is a request in JSON: to start a program, by what is
passed to `start`, answered by its process id; or to wait for the process
`pid`, answered by what `os.waitpid` returns.
"""

import gc
import json
import os
import runpy
import sys


def main():
    from vaegan_tf.cli import app

    app._import_tensorflow_quietly()
    import vaegan_tf.data
    import vaegan_tf.export
    import vaegan_tf.training.train  # noqa: F401

    # As in the tests' own processes (tests/conftest.py).
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    threads = "/proc/self/task"
    assert not os.path.exists(threads) or len(os.listdir(threads)) == 1
    for line in sys.stdin:
        request = json.loads(line)
        if "pid" in request:
            answer = os.waitpid(request["pid"], request["options"])
        elif answer := os.fork():
            pass
        else:
            return start(**request)
        print(json.dumps(answer), flush=True)


def start(arguments, log, environment, fresh):
    """Makes this process a program, with the arguments of `python`."""
    with open(os.devnull) as nothing, open(log, "wb") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    if fresh:
        os.execv(sys.executable, [sys.executable, *arguments])
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
