"""Which command makes the picture that the page shows?"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any


def folder_of(label: str, asked: Any) -> str:
    """Where a request's samples of a model go as files."""
    return f"{asked.sampler}-{label}-{asked.seed}/"


def sample(
    flags: Sequence[str], asked: Any, present: Mapping[str, float], output: str
) -> str:
    """The `vaegan-sample` of a request, into a file or a folder."""
    sampler = [f"--sampler={asked.sampler}"] * (asked.sampler != "prior")
    condition = [f"--condition={_items(present)}"] if present else []
    return _line(
        "vaegan-sample",
        *flags,
        f"--count={asked.count}",
        f"--seed={asked.seed}",
        *sampler,
        *condition,
        f"--output={output}",
    )


def edit(
    flags: Sequence[str],
    asked: Any,
    strengths: Mapping[str, float],
    names: Sequence[str],
) -> str:
    """The command of an edit; of none it is `vaegan-reconstruct`."""
    moves = bool(strengths) or asked.keep != "none"
    if not (moves and names):
        words = ["vaegan-reconstruct", *flags, _file(asked.name)]
        return _line(*words, "--output=reconstructed/")
    items = _items(strengths or {names[0]: 0})
    return _line(
        "vaegan-edit",
        *flags,
        _file(asked.name),
        f"--attribute={items}",
        f"--vectors={asked.vectors}",
        f"--keep={asked.keep}",
        "--output=edited/",
    )


def between(flags: Sequence[str], asked: Any, frames: int) -> str:
    """The `vaegan-edit` of a path between two pictures."""
    return _line(
        "vaegan-edit",
        *flags,
        _file(asked.name),
        _file(asked.other_name),
        "--show=interpolation",
        f"--frames={frames}",
        f"--path={asked.path}",
        "--output=interpolation.png",
    )


def compare(flags: Sequence[str], *names: str) -> str:
    """The `vaegan-distance` of two pictures, or of one."""
    named = map(_file, names)
    return _line("vaegan-distance", *flags, *named, "--map=map.png")


def _line(*words: str) -> str:
    return shlex.join(words)


def _items(strengths: Mapping[str, float]) -> str:
    return ",".join(f"{name}={value:g}" for name, value in strengths.items())


def _file(name: str) -> str:
    """A file's name that no command takes for a flag."""
    return f"./{name}" if name.startswith("-") else name
