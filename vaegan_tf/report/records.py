"""What is known of a run without its model."""

import dataclasses
import functools
import json
import pathlib

from vaegan_tf.models import MODELS
from vaegan_tf.training.checkpoints import steps_in
from vaegan_tf.training.runs import Run

MOST_RUNS = 8
_TITLES = {
    "vae": "VAE",
    "gan": "GAN",
    "vaegan": "VAE/GAN",
    "learned_metric_vae": "VAE with learned metric",
}
# What an evaluation may leave out.
_NOT_TOLD = {
    "step": None,
    "split": None,
    "seed": None,
    "created": None,
    "command": None,
    "seconds": None,
    "latent": {},
    "skipped": (),
    "notes": (),
}
_DATA = ("name", "source_dir", "image_size", "num_channels", "crop")


@dataclasses.dataclass(frozen=True)
class Record:
    """A run, as its files tell it.

    Attributes:
        index: Its place among the runs of the report.
        label: Its name there, unlike that of any other.
        run: The run.
        about: What `run.json` holds.
        metrics: Records of `metrics.jsonl`.
        speeds: Records of `speed.jsonl`; older runs have none.
        evaluation: What `evaluation.json` holds, or `None`.
    """

    index: int
    label: str
    run: Run
    about: dict
    metrics: list
    speeds: list
    evaluation: dict | None

    @property
    def kind(self):
        """Name of the model's class, such as `vaegan`."""
        return self.about["model"]["model"]

    @property
    def title(self):
        """The model as a person calls it."""
        told = "conditional " if self.about["model"]["num_attributes"] else ""
        return told + _TITLES.get(self.kind, self.kind)

    @property
    def data_key(self):
        """What must be the same for numbers of two runs to be comparable."""
        return tuple(self.about["data"].get(name) for name in _DATA)

    @property
    def data_title(self):
        """The data set, as a person calls it."""
        data = self.about["data"]
        size = f"{data['image_size']}×{data['image_size']}"
        colour = ", grey" if data["num_channels"] == 1 else ""
        return f"{data['name']}, {size}{colour}"

    @property
    def batch_size(self):
        """Images in a step."""
        return self.about["flags"]["batch_size"]

    @property
    def planned_steps(self):
        """Steps that the training was started for."""
        return self.about["flags"]["train_steps"]

    @functools.cached_property
    def steps(self):
        """Steps trained so far, as checkpoints and numbers know of."""
        logged = [record["step"] for record in self.metrics]
        return max([0, *logged, *steps_in(self.run.checkpoints)])

    @property
    def is_finished(self):
        """Whether as many steps were trained as the run was started for."""
        return self.steps >= self.planned_steps


def read_records(folders):
    """Reads runs that are to be compared.

    Args:
        folders: The runs' folders.

    Returns:
        A `Record` of each, in the same order.

    Raises:
        FileNotFoundError: If a folder is no run's.
        ValueError: If there is none, more than eight, one of them twice, or
            what a folder holds is damaged or no model of images.
    """
    if not folders:
        raise ValueError(
            "A report needs at least one run: vaegan-report RUN [RUN ...]."
        )
    if len(folders) > MOST_RUNS:
        raise ValueError(
            f"A report compares at most {MOST_RUNS} runs, or their lines "
            f"could not be told apart. Received: {len(folders)}."
        )
    paths = [Run(folder).folder.resolve() for folder in folders]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise ValueError(f"{folders[place]} is given twice.")
    return [
        _read(index, label, Run(folder))
        for index, (label, folder) in enumerate(zip(labels(paths), folders))
    ]


def labels(paths):
    """Names of folders, with as many parents as tell them apart."""
    return [_label(path, [p for p in paths if p != path]) for path in paths]


def _label(path, others):
    for depth in range(1, len(path.parts)):
        tails = [other.parts[-depth:] for other in others]
        if path.parts[-depth:] not in tails:
            return "/".join(path.parts[-depth:])
    return str(path)


def _read(index, label, run):
    about = run.read()
    _check(run, about)
    return Record(
        index=index,
        label=label,
        run=run,
        about=about,
        metrics=read_lines(run.metrics),
        speeds=read_lines(run.speed),
        evaluation=_read_evaluation(run.folder / "evaluation.json"),
    )


def _check(run, about):
    model = about.get("model")
    kind = model.get("model") if isinstance(model, dict) else None
    if kind not in MODELS:
        raise ValueError(
            f"{run.folder} holds no model of images that a report knows "
            f"({', '.join(MODELS)}). Received: {kind}."
        )
    missing = [name for name in ("flags", "data") if name not in about]
    if missing:
        raise ValueError(f"{run.record} is damaged: it lacks {missing[0]}.")


def read_lines(path):
    """Records of a `.jsonl` file; a last line cut short is left out.

    Args:
        path: The file; without it there are no records.

    Raises:
        ValueError: If the file is damaged.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    try:
        records = [json.loads(line) for line in whole]
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
        scores = [
            (s["group"], s["name"], s["value"]) for s in evaluation["scores"]
        ]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). Make it "
            "anew with vaegan-evaluate, or delete it."
        ) from error
    return {**_NOT_TOLD, **evaluation} if scores else None
