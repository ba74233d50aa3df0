"""What is known of a run without its model."""

import dataclasses
import functools
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from vaegan_tf.anyshot.evaluation import COLUMNS
from vaegan_tf.models import kinds, model_class
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import steps_in
from vaegan_tf.runs.shapes import (
    COUNT,
    NUMBER,
    OPTIONAL_COUNT,
    OPTIONAL_NUMBER,
    OPTIONAL_TEXT,
    misfit,
)

MAX_RUNS = 8
# What an evaluation may lack, and how it is read then.
_OPTIONAL: dict[str, Any] = {
    **dict.fromkeys(("step", "split", "seed", "created", "command", "seconds")),
    "scores": (),
    "any_shot": {},
    "latent": {},
    "skipped": (),
    "notes": (),
}
_SETTINGS_OF_IMAGES = {
    "data": {"dataset": str, "image_size": int, "num_channels": int},
    "model": {"latent_dim": int},
    "optimisation": {"batch_size": int, "train_steps": int},
}
_SETTINGS_OF_FEATURES = {
    "data": {"dataset": str, "features_file": str, "stage": str, "shots": int},
    "model": dict,
    "optimisation": {"batch_size": int, "train_steps": int},
}
_LINE: dict[Any, Any] = {"step": COUNT, ...: NUMBER}
_SPEED = {"seconds": NUMBER, "images_per_second": NUMBER}
_COLUMNS: dict[Any, Any] = {**dict.fromkeys(COLUMNS, NUMBER), ...: NUMBER}
_HOW = ("sampler", "weights", "features", "resize", "edit")
_SCORE = {
    **dict.fromkeys(("group", "name"), str),
    **dict.fromkeys(("value", "error", "floor"), OPTIONAL_NUMBER),
    "num_images": OPTIONAL_COUNT,
    **dict.fromkeys(("label", "unit", "better", *_HOW), OPTIONAL_TEXT),
}
_EVALUATION = {
    "scores": [_SCORE],
    "any_shot": {...: {"last": _COLUMNS, ...: _COLUMNS}},
    **dict.fromkeys(("step", "seed"), OPTIONAL_COUNT),
    **dict.fromkeys(("split", "created", "command"), OPTIONAL_TEXT),
    "seconds": OPTIONAL_NUMBER,
    "latent": {"kl": ([NUMBER], None)},
    "skipped": [{"what": str, "why": str}],
    "notes": [str],
}
_DATA = (
    *("dataset", "source_dir", "image_size", "num_channels", "crop"),
    *("features_file", "stage", "shots"),
)


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
    similarity: dict[str, Any] | None = None  # `similarity.json`.

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
    def draws_images(self) -> bool:
        """Whether the model is one of images, and not of features."""
        return self.model_class.can("sample")

    @property
    def latent_dim(self) -> int:
        """Dimension of the code; that of attributes where none was chosen."""
        given = self.model["latent_dim"]
        if self.draws_images or given:
            return given
        return self.about["inputs"]["num_attributes"]

    @property
    def any_shot(self) -> dict[str, Any] | None:
        """Scores of the any-shot protocol; `None` if there are none."""
        return (self.evaluation or {}).get("any_shot") or None

    @property
    def data_title(self) -> str:
        """The data set and the size of its images, or what is asked of it."""
        if not self.draws_images:
            return _any_shot_title(**self.data)
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
        """Steps trained so far, by weights, checkpoints and metrics."""
        if self.run.is_published:
            return self.run.checkpoint_step()
        logged = [record["step"] for record in self.metrics]
        return max([0, *logged, *steps_in(self.run.checkpoints)])

    @property
    def is_finished(self) -> bool:
        """Whether the training run has made all its steps."""
        return self.steps >= self.planned_steps


def read_records(
    folders: Sequence[Run | str | os.PathLike] | None,
) -> list[Record]:
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
    runs = [each if isinstance(each, Run) else Run(each) for each in folders]
    paths = [run.folder.resolve() for run in runs]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            raise ValueError(f"{runs[index].folder} is given twice.")
    numbered = enumerate(zip(labels(paths), runs))
    return [_read(index, label, run) for index, (label, run) in numbered]


def _any_shot_title(dataset, features_file, stage, shots, **_):
    parts = [dataset if dataset != "xlsa17" else f"{dataset} {features_file}"]
    if stage == "validation":
        parts.append("validation classes")
    plural = "" if shots == 1 else "s"
    parts.append(f"{shots} shot{plural} a class" if shots else "zero-shot")
    return ", ".join(parts)


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
    can = run.model_class.can
    if not (can("sample") or can("generate")):
        known = ", ".join([*kinds("sample"), *kinds("generate")])
        raise ValueError(
            f"{run.folder} holds no model that a report knows ({known}). "
            f"Received: {about['kind']}."
        )
    own = _SETTINGS_OF_IMAGES if can("sample") else _SETTINGS_OF_FEATURES
    _check(run.record, about["settings"], own)
    metrics, speeds = read_lines(run.metrics), read_lines(run.speed)
    _check(run.speed, speeds, [_SPEED])
    evaluated = (run.evaluation, "vaegan-evaluate")
    if run.is_published:
        evaluated = (run.card, "vaegan-publish")
    similarity = (run.similarity, "vaegan-similarity")
    scores = [_read_scores(*each) for each in (evaluated, similarity)]
    return Record(index, label, run, about, metrics, speeds, *scores)


def read_lines(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Records of a `.jsonl` file; none without it, a truncated last line aside.

    Raises:
        ValueError: If the file is damaged.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        records = [json.loads(line) for line in lines if line.endswith("\n")]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    _check(path, records, [_LINE])
    return records


def _check(path, value, shape):
    """Refuses what a file holds if it has not the expected form."""
    if part := misfit(value, shape, path.stem):
        raise ValueError(
            f"{path} is damaged: `{part}` is missing or of another form."
        )


def _read_scores(path, command):
    if not path.exists():
        return None
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        if not {"scores", "any_shot"} & set(evaluation):
            raise ValueError("it holds no scores")
        of_card = {"command": evaluation.get("scored_by")}
        evaluation = {**_OPTIONAL, **of_card, **evaluation}
        if part := misfit(evaluation, _EVALUATION, path.stem):
            raise ValueError(f"`{part}` is missing or of another form")
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Make it "
            f"again with {command}, or delete it."
        ) from error
    has_some = evaluation["scores"] or evaluation["any_shot"]
    return evaluation if has_some else None
