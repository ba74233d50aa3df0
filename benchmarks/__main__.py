"""`python -m benchmarks`: measures everything on this machine, in turn."""

import importlib.metadata
import os
import pathlib
import signal
import sys
import time

from benchmarks import (
    anyshot,
    children,
    inference,
    patch,
    pipeline,
    plots,
    replicas,
    scaling,
    startup,
    training,
)
from vaegan_tf import files
from vaegan_tf.cli import app
from vaegan_tf.settings import Settings, setting

SUMMARY = """
Measures this project on this machine, and stock Keras and PyTorch beside it:
training, input pipeline, inference, start-up, and how the cost grows. Each
measurement has a process of its own, one after the other; leave the machine
alone meanwhile.
"""
SECTIONS = {
    "training": training,
    "pipeline": pipeline,
    "inference": inference,
    "startup": startup,
    "scaling": scaling,
    "replicas": replicas,
    "anyshot": anyshot,
    "patch": patch,
}
EXTRAS = ("torch", "matplotlib")


class BenchmarkSettings(Settings):
    """What is measured, and where the numbers go."""

    json: str | None = setting(
        None, "File to write all numbers to, as JSON.", is_path=True
    )
    markdown: str | None = setting(
        None, "File to write the tables to, as Markdown.", is_path=True
    )
    plot: str = setting(
        str(children.ROOT / "benchmarks" / "scaling.png"),
        "File for the figure of how the cost grows.",
        is_path=True,
    )
    only: tuple[str, ...] | None = setting(
        None, f"Parts to measure, of {', '.join(SECTIONS)} (default: all)."
    )
    quick: bool = setting(
        False, "Fewer repeats: to see that it works, not to quote."
    )

    def __post_init__(self) -> None:
        """Refuses unknown parts."""
        super().__post_init__()
        for name in self.only or ():
            if name not in SECTIONS:
                raise ValueError(
                    f"`only` must name parts of {', '.join(SECTIONS)}. "
                    f"Received: {name!r}."
                )


def main(settings):
    """Measures, prints the tables and writes the files.

    Args:
        settings: `BenchmarkSettings`.

    Raises:
        FileNotFoundError: If the folder of a file does not exist.
        SystemExit: With status 1, if a part could not be measured.
    """
    for path in (settings.json, settings.markdown, settings.plot):
        folder = pathlib.Path(path or "/").parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is no folder to write to.")
    # Or a measurement would outlive this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results, pages = {"machine": machine(), **software()}, []
    results["quick"] = settings.quick
    start = time.time()
    for name in settings.only or SECTIONS:
        try:
            section = SECTIONS[name]
            results |= section.measure(announced, quick=settings.quick)
            pages.append(section.report(results))
        except children.MeasurementError as error:
            results.setdefault("errors", {})[name] = str(error)
            pages.append(f"{name} could not be measured: {error}\n")
        print(pages[-1], flush=True)
    results["seconds"] = time.time() - start
    write(settings, results, pages)
    if "errors" in results:
        sys.exit(1)


def announced(function, **arguments):
    """`children.run`, with a line on stderr before and after."""
    told = [f"{k}={v}" for k, v in arguments.items() if not _is_long(v)]
    print(function, *told, end=" ", file=sys.stderr, flush=True)
    start = time.time()
    try:
        return children.run(function, **arguments)
    finally:
        print(f"[{time.time() - start:.0f} s]", file=sys.stderr, flush=True)


def write(settings, results, pages):
    """Writes the files that were asked for, each whole or not at all."""
    if settings.json:
        files.write_json(settings.json, results)
    if settings.markdown:
        page = "\n".join([heading(results), *pages])
        files.write_text(settings.markdown, page)
    if "scaling" in results and not plots.can_draw():
        print(plots.NO_MATPLOTLIB)
    elif "scaling" in results:
        plots.draw_scaling(results["scaling"], settings.plot)


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
    from vaegan_tf.runs import provenance

    extras = {name: _version(name) for name in EXTRAS}
    return {
        "versions": {**provenance.versions(), **extras},
        "git_commit": provenance.git_commit(),
    }


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_long(value):
    return isinstance(value, dict) or len(str(value)) > 20


command = app.Command(main, SUMMARY, {"Benchmarks": BenchmarkSettings})


if __name__ == "__main__":
    command(["benchmarks", *sys.argv[1:]])
