"""What is known of a run without its model."""

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from vaegan_tf.models import kinds, model_class
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import steps_in

MAX_RUNS = 8
# What an evaluation may lack, and how it is read then.
_OPTIONAL: dict[str, Any] = {
    **dict.fromkeys(("step", "split", "seed", "created", "command", "seconds")),
    "latent": {},
    "skipped": (),
    "notes": (),
}
_SECTIONS = ("data", "model", "optimisation")
_DATA = ("dataset", "source_dir", "image_size", "num_channels", "crop")


@dataclasses.dataclass(frozen=True)
class Record:
    """A run as its files describe it."""

    index: int  # Its position among the runs of the report.
    label: str  # Its name there, which is unique.
    run: Run
    about: dict[str, Any]  # `run.json`.
    metrics: list[dict[str, Any]]  # `metrics.jsonl`.
    speeds: list[dict[str, Any]]  # `speed.jsonl`; older runs have none.
    evaluation: dict[str, Any] | None  # `evaluation.json`.

    kind = property(lambda self: self.about["kind"])
    model_class = property(lambda self: model_class(self.kind))
    data = property(lambda self: self.about["settings"]["data"])
    model = property(lambda self: self.about["settings"]["model"])
    optimisation = property(lambda self: self.about["settings"]["optimisation"])
    batch_size = property(lambda self: self.optimisation["batch_size"])
    planned_steps = property(lambda self: self.optimisation["train_steps"])

    @property
    def title(self) -> str:
        """The model's name in the literature."""
        prefix = "conditional " if self.model.get("conditional") else ""
        return prefix + self.model_class.title

    @property
    def data_key(self) -> tuple:
        """What must be equal for numbers of two runs to be comparable."""
        return tuple(self.data.get(name) for name in _DATA)

    @property
    def data_title(self) -> str:
        """The data set and the size of its images."""
        size, channels = self.data["image_size"], self.data["num_channels"]
        grey = ", grey" if channels == 1 else ""
        return f"{self.data['dataset']}, {size}×{size}{grey}"

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """All settings by name, whatever their section."""
        flat = {"model": self.kind}
        for section in self.about["settings"].values():
            flat |= section
        return flat

    @functools.cached_property
    def steps(self) -> int:
        """Steps trained so far, by checkpoints and metrics."""
        logged = [record["step"] for record in self.metrics]
        return max([0, *logged, *steps_in(self.run.checkpoints)])

    @property
    def is_finished(self) -> bool:
        """Whether the training run has made all its steps."""
        return self.steps >= self.planned_steps


def read_records(folders: Sequence[str | os.PathLike] | None) -> list[Record]:
    """Reads the runs to compare.

    Raises:
        FileNotFoundError: If a folder holds no run.
        ValueError: If there are no folders, more than eight, or one of them
            twice, or what one holds is damaged or no model of images.
    """
    if not folders:
        raise ValueError(
            "A report needs at least one run: vaegan-report RUN [RUN ...]."
        )
    if len(folders) > MAX_RUNS:
        raise ValueError(
            f"A report compares at most {MAX_RUNS} runs, or their lines "
            f"could not be told apart. Received: {len(folders)}."
        )
    runs = [Run(folder) for folder in folders]
    paths = [run.folder.resolve() for run in runs]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            raise ValueError(f"{folders[index]} is given twice.")
    numbered = enumerate(zip(labels(paths), runs))
    return [_read(index, label, run) for index, (label, run) in numbered]


def labels(paths: Sequence[pathlib.Path]) -> list[str]:
    """Names of folders, with as many parents as make them unique."""
    return [_label(path, paths) for path in paths]


def _label(path, paths):
    for depth in range(1, len(path.parts)):
        tail = path.parts[-depth:]
        if [other.parts[-depth:] for other in paths].count(tail) == 1:
            return "/".join(tail)
    return str(path)


def _read(index, label, run):
    about = run.read()
    if not run.model_class.can("sample"):
        raise ValueError(
            f"{run.folder} holds no model of images that a report knows "
            f"({', '.join(kinds('sample'))}). Received: {about['kind']}."
        )
    missing = [s for s in _SECTIONS if s not in about.get("settings", {})]
    if missing:
        raise ValueError(
            f"{run.record} is damaged: it lacks the {missing[0]} settings."
        )
    metrics, speeds = read_lines(run.metrics), read_lines(run.speed)
    evaluation = _read_evaluation(run.evaluation)
    return Record(index, label, run, about, metrics, speeds, evaluation)


def read_lines(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Records of a `.jsonl` file; none without it, a truncated last line aside.

    Raises:
        ValueError: If the file is damaged.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    try:
        records = [json.loads(line) for line in lines if line.endswith("\n")]
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    if not all(isinstance(record.get("step"), int) for record in records):
        raise ValueError(f"{path} is damaged: a record has no step.")
    return records


def _read_evaluation(path):
    if not path.exists():
        return None
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        scores = evaluation["scores"]
        for score in scores:
            _ = score["group"], score["name"], score["value"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Make it "
            "again with vaegan-evaluate, or delete it."
        ) from error
    return {**_OPTIONAL, **evaluation} if scores else None
