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
_SECTIONS = ("data", "model", "optimisation")
_USED = (
    ("data", "dataset", str),
    ("optimisation", "batch_size", int),
    ("optimisation", "train_steps", int),
)
# Of models of images and of those of features.
_USED_OF_IMAGES = (
    ("data", "image_size", int),
    ("data", "num_channels", int),
    ("model", "latent_dim", int),
)
_USED_OF_FEATURES = (
    ("data", "features_file", str),
    ("data", "stage", str),
    ("data", "shots", int),
)
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
    missing = [s for s in _SECTIONS if s not in about.get("settings", {})]
    if missing:
        raise ValueError(
            f"{run.record} is damaged: it lacks the {missing[0]} settings."
        )
    own = _USED_OF_IMAGES if can("sample") else _USED_OF_FEATURES
    for section, name, kind in (*_USED, *own):
        if type(about["settings"][section].get(name)) is not kind:
            raise ValueError(
                f"{run.record} is damaged: `{name}` is no {kind.__name__}."
            )
    metrics, speeds = read_lines(run.metrics), read_lines(run.speed)
    if any(not {"seconds", "images_per_second"} <= set(s) for s in speeds):
        raise ValueError(f"{run.speed} is damaged: a record has no speed.")
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
    for record in records:
        if not isinstance(record, dict) or not _is_count(record.get("step")):
            raise ValueError(f"{path} is damaged: a record has no step.")
        if not all(map(_is_number, record.values())):
            raise ValueError(f"{path} is damaged: a value is no number.")
    return records


def _read_scores(path, command):
    if not path.exists():
        return None
    try:
        evaluation = json.loads(path.read_text(encoding="utf-8"))
        if not {"scores", "any_shot"} & set(evaluation):
            raise ValueError("it holds no scores")
        of_card = {"command": evaluation.get("scored_by")}
        evaluation = {**_OPTIONAL, **of_card, **evaluation}
        if problem := _problem(evaluation):
            raise ValueError(problem)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Make it "
            f"again with {command}, or delete it."
        ) from error
    has_some = evaluation["scores"] or evaluation["any_shot"]
    return evaluation if has_some else None


def _problem(evaluation):
    """What is wrong with the values of an evaluation; empty if nothing is."""
    for name, check in _CHECKS.items():
        if not check(evaluation[name]):
            return f"`{name}` has another form"
    for score in evaluation["scores"]:
        for name in ("group", "name"):
            if not isinstance(score[name], str):
                return f"the {name} of a score is no text"
        numbers = [score["value"], score.get("error"), score.get("floor")]
        if not all(n is None or _is_number(n) for n in numbers):
            return "a score is no number"
        if not _is_optional(_is_count)(score.get("num_images")):
            return "a number of images is none"
        if not all(_is_optional(_is_text)(score.get(n)) for n in _TEXTS):
            return "how a score was made is no text"
    return ""


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value):
    return _is_number(value) and isinstance(value, int) and 0 <= value < 2**63


def _is_text(value):
    return isinstance(value, str)


def _is_optional(check):
    return lambda value: value is None or check(value)


def _is_latent(value):
    sizes = value.get("kl") if isinstance(value, dict) else 0
    return sizes is None or _are(_is_number)(sizes)


def _is_any_shot(value):
    """Whether a value is numbers by column, by protocol, by what is scored."""
    return isinstance(value, dict) and all(
        isinstance(found, dict)
        and "last" in found
        and all(
            isinstance(each, dict)
            and set(COLUMNS) <= set(each)
            and all(map(_is_number, each.values()))
            for each in found.values()
        )
        for found in value.values()
    )


def _is_skip(value):
    return isinstance(value, dict) and {"what", "why"} <= set(value)


def _are(check):
    return lambda v: isinstance(v, list | tuple) and all(map(check, v))


_TEXTS = (
    "label",
    "unit",
    "better",
    "sampler",
    "weights",
    "features",
    "resize",
    "edit",
)
_CHECKS = {
    "scores": _are(lambda score: isinstance(score, dict)),
    "any_shot": _is_any_shot,
    "step": _is_optional(_is_count),
    "seconds": _is_optional(_is_number),
    "split": _is_optional(_is_text),
    "seed": _is_optional(_is_count),
    "created": _is_optional(_is_text),
    "command": _is_optional(_is_text),
    "latent": _is_latent,
    "skipped": _are(_is_skip),
    "notes": _are(_is_text),
}
