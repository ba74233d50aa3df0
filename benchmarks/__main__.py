"""`python -m benchmarks`: measures everything on this machine, in turn."""

import importlib.metadata
import json
import os
import pathlib
import signal
import sys
import time

from benchmarks import (
    children,
    inference,
    kernels,
    pipeline,
    plots,
    replicas,
    scaling,
    startup,
    training,
)
from vaegan_tf.cli import app, options

SUMMARY = """
Measures this project on this machine, and stock Keras and PyTorch beside it:
training, its kernels, input pipeline, inference, start-up, and how the cost
grows. Each measurement has a process of its own, one after the other; leave
the machine alone meanwhile.
"""
SECTIONS = {
    "training": training,
    "kernels": kernels,
    "pipeline": pipeline,
    "inference": inference,
    "startup": startup,
    "scaling": scaling,
    "replicas": replicas,
}
EXTRAS = ("torch", "matplotlib")


def define_flags(flag_values):
    """The command's flags by group."""
    group = options.Group(flag_values)
    group.string("json", None, "File to write all numbers to, as JSON.")
    group.string("markdown", None, "File to write the tables to, as Markdown.")
    group.string(
        "plot",
        str(children.ROOT / "benchmarks" / "scaling.png"),
        "File for the picture of how the cost grows.",
    )
    group.strings(
        "only", list(SECTIONS), f"Parts to measure, of {', '.join(SECTIONS)}."
    )
    group.boolean(
        "quick", False, "Fewer repeats: to see that it works, not to quote."
    )
    return {"Benchmarks": group.names}


def main(flags):
    """Measures, prints the tables and writes the files.

    Returns:
        The exit status: 1 if a part could not be measured.
    """
    check(flags)
    # Or a measurement would go on alone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results, pages = {"machine": machine(), **software()}, []
    results["quick"] = flags.quick
    start = time.time()
    for name in flags.only:
        try:
            results |= SECTIONS[name].measure(announced, quick=flags.quick)
            pages.append(SECTIONS[name].report(results))
        except children.MeasurementError as error:
            results.setdefault("errors", {})[name] = str(error)
            pages.append(f"{name} could not be measured: {error}\n")
        print(pages[-1], flush=True)
    results["seconds"] = time.time() - start
    write(flags, results, pages)
    return 1 if "errors" in results else 0


def check(flags):
    """Refuses unknown parts, and files that could not be written later.

    Raises:
        ValueError: If `--only` names no part of the benchmarks.
        FileNotFoundError: If the folder of a file does not exist.
    """
    for name in flags.only:
        if name not in SECTIONS:
            raise ValueError(
                f"--only takes {', '.join(SECTIONS)}. Received: {name!r}."
            )
    for path in (flags.json, flags.markdown, flags.plot):
        folder = pathlib.Path(path or ".").expanduser().parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder to write to.")


def announced(function, **arguments):
    """`children.run`, with a line on stderr before and after."""
    told = [f"{k}={v}" for k, v in arguments.items() if not _is_long(v)]
    print(function, *told, end=" ", file=sys.stderr, flush=True)
    start = time.time()
    try:
        return children.run(function, **arguments)
    finally:
        print(f"[{time.time() - start:.0f} s]", file=sys.stderr, flush=True)


def write(flags, results, pages):
    """Writes the files that were asked for, each whole or not at all."""
    from vaegan_tf.training.runs import write_text

    if flags.json:
        path = pathlib.Path(flags.json).expanduser()
        write_text(path, json.dumps(results, indent=2) + "\n")
    if flags.markdown:
        path = pathlib.Path(flags.markdown).expanduser()
        write_text(path, "\n".join([heading(results), *pages]))
    if "scaling" in results and not plots.can_draw():
        print(plots.NO_MATPLOTLIB)
    elif "scaling" in results:
        plots.draw_scaling(results["scaling"], flags.plot)


def heading(results):
    """What the numbers were measured on, in Markdown."""
    versions = results["versions"]
    named = ("tensorflow", "keras", "torch", "numpy")
    found = ", ".join(f"{n} {versions[n]}" for n in named if versions.get(n))
    machine = results["machine"]
    memory = machine["memory_bytes"] / 2**30
    return (
        f"# Benchmarks\n\n{machine['processor']}, {machine['cores']} cores "
        f"({', '.join(machine['flags']) or 'no AVX-512'}), {memory:.0f} GiB; "
        f"{found}; commit {results['git_commit']}; "
        f"{results['seconds'] / 60:.0f} minutes"
        f"{', --quick: not to be quoted' if results['quick'] else ''}.\n"
    )


def machine():
    """The processor, its cores and what speeds it up, and the memory."""
    from vaegan_tf import hardware

    wanted = ("avx512f", "avx512_bf16", "amx_bf16")
    flags = hardware.cpu_flags()
    return {
        "processor": hardware.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in wanted if flag in flags],
        "memory_bytes": os.sysconf("SC_PAGE_SIZE")
        * os.sysconf("SC_PHYS_PAGES"),
    }


def software():
    """Versions of what the numbers depend on, and this project's commit."""
    from vaegan_tf.training import runs

    versions = {**runs.versions(), **{name: _version(name) for name in EXTRAS}}
    return {"versions": versions, "git_commit": runs.git_commit()}


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_long(value):
    return isinstance(value, dict) or len(str(value)) > 20


if __name__ == "__main__":
    app.run(main, define_flags, SUMMARY, argv=["benchmarks", *sys.argv[1:]])
