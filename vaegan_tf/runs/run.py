"""What a run's folder holds, and how to get its model and data back."""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from vaegan_tf import files, locks
from vaegan_tf.models import ObjectiveModel, model_class
from vaegan_tf.runs import origin, provenance
from vaegan_tf.runs.checkpoints import newest_step, restore_networks
from vaegan_tf.runs.precision import float32
from vaegan_tf.runs.published import read_examples, read_weights, step_of
from vaegan_tf.runs.shapes import OPTIONAL_TEXT, misfit
from vaegan_tf.settings import DataSettings, Experiment, check
from vaegan_tf.settings.choices import CHECKPOINTS

_SHAPE = {
    "kind": str,
    "settings": {...: dict},
    "inputs": dict,
    "attribute_names": [str],
    "versions": dict,
    **dict.fromkeys(
        ("command", "precision", "device", "git_commit"), OPTIONAL_TEXT
    ),
}
_ABSENT: dict[str, Any] = {"attribute_names": [], "versions": {}}


@dataclasses.dataclass(frozen=True)
class Run:
    """The folder of one run, `--model_dir`; it need not exist yet.

    Args:
        folder: The folder; ValueError for a URL or a file.
        source_dir: Where the run's images are, instead of where its record
            says. A record that was not written by this user on this machine
            is not believed: of such a run, this must be given.
        data_dir: The same for the folder of prepared data sets.
    """

    folder: Any
    source_dir: str | os.PathLike | None = None
    data_dir: str | os.PathLike | None = None

    def __post_init__(self) -> None:
        if not os.fspath(self.folder):
            raise ValueError("A run's folder must have a name. Received: ''.")
        folder = files.local(self.folder)
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file, and no folder of a run.")
        object.__setattr__(self, "folder", folder)

    record = property(lambda self: self.folder / "run.json")
    flags = property(lambda self: self.folder / "train.flags")
    metrics = property(lambda self: self.folder / "metrics.jsonl")
    speed = property(lambda self: self.folder / "speed.jsonl")
    checkpoints = property(lambda self: self.folder / "checkpoints")
    best = property(lambda self: self.folder / "best")
    samples = property(lambda self: self.folder / "samples")
    tensorboard = property(lambda self: self.folder / "tensorboard")
    scores = property(lambda self: self.folder / "scores.json")
    exports = property(lambda self: self.folder / "export")
    evaluation = property(lambda self: self.folder / "evaluation.json")
    mixture = property(lambda self: self.folder / "samplers" / "mixture.npz")
    vectors = property(lambda self: self.folder / "attributes" / "vectors.npz")
    similarity = property(lambda self: self.folder / "similarity.json")
    weights = property(lambda self: self.folder / "weights.npz")
    card = property(lambda self: self.folder / "card.json")
    kept_examples = property(lambda self: self.folder / "examples.npz")
    lock = property(lambda self: self.folder / ".lock")

    @property
    def exists(self) -> bool:
        """Whether a run was started here."""
        return self.record.exists()

    @property
    def is_published(self) -> bool:
        """Whether the folder holds published weights, and no checkpoints.

        These are what both names of checkpoints stand for. Nothing more is
        written into such a folder.
        """
        return self.weights.exists()

    def read(self) -> dict[str, Any]:
        """The record of the run, `run.json`.

        Raises:
            FileNotFoundError: If the folder is no run's.
            ValueError: If the record is damaged.
        """
        if not self.exists:
            raise FileNotFoundError(
                f"{self.folder} is no run: it holds no run.json. Give the "
                "folder that was --model_dir of a training run."
            )
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
            is_object = isinstance(record, dict)
            full = {**_ABSENT, **record} if is_object else record
            if part := misfit(full, _SHAPE, "run"):
                raise ValueError(f"`{part}` is missing or of another form")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{self.record} is damaged: {error}.") from error
        return record

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other processes from training here; LockedError if one does."""
        return locks.exclusive(self.lock, wait=False)

    @property
    def settings(self) -> Experiment:
        """All settings of the run; raises as `read` does."""
        record = self.read()
        try:
            return Experiment.from_dict(record["kind"], record["settings"])
        except ValueError as error:
            raise ValueError(f"{self.record}: {error}") from error

    @property
    def model_class(self) -> type[ObjectiveModel]:
        """The class of the run's model; raises as `read` does."""
        return model_class(self.read()["kind"])

    def write(
        self,
        settings: Experiment,
        inputs: dict[str, Any],
        *,
        flag_file: str = "",
        **others: Any,
    ) -> None:
        """Writes the record of a run that begins.

        Args:
            settings: All settings.
            inputs: What the model was built for, from `inputs_of`.
            flag_file: The settings as flags that repeat the run.
            **others: `data`, `attribute_names`, `command` and `precision`.
        """
        recorded = settings.as_dict()
        record = {
            "kind": settings.kind,
            "settings": recorded,
            "inputs": inputs,
            **others,
            "origin": origin.seal(recorded["data"]),
            "device": provenance.device(),
            "versions": provenance.versions(),
            "git_commit": provenance.git_commit(),
        }
        if flag_file:
            files.write_text(self.flags, flag_file)
        files.write_json(self.record, record)

    def delete(self) -> None:
        """Deletes what the folder holds but for the lock.

        The record goes last: what a kill leaves is still known as a run, and
        its checkpoints are not taken for those of a run that begins.
        """
        paths = sorted(self.folder.iterdir(), key=lambda p: p == self.record)
        for path in paths:
            if path == self.lock:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def model(self, checkpoint: str = "latest") -> tuple[ObjectiveModel, int]:
        """The run's model with its weights, in float32, and their step.

        Args:
            checkpoint: `"latest"`, or `"best"`, that of the best score.

        Raises:
            FileNotFoundError: If there is no such checkpoint.
            CheckpointError: If it cannot be read.
            ValueError: If the record or published weights are damaged.
        """
        record, settings = self.read(), self.settings
        try:
            with float32():
                model = self.model_class.create(
                    settings.model, seed=settings.run.seed, **record["inputs"]
                )
        except (TypeError, KeyError) as error:
            raise ValueError(
                f"{self.record} is damaged: no model has such inputs ({error})."
            ) from error
        if self.is_published:
            return model, read_weights(self.weights, model)
        return model, restore_networks(model, self._folder_of(checkpoint))

    def checkpoint_step(self, checkpoint: str = "latest") -> int:
        """The step of the weights that `model` reads; raises as it does."""
        if self.is_published:
            return step_of(self.weights)
        return newest_step(self._folder_of(checkpoint))

    def _folder_of(self, checkpoint: str) -> pathlib.Path:
        check("checkpoint", checkpoint, choices=CHECKPOINTS)
        return self.best if checkpoint == "best" else self.checkpoints

    def dataset(self, **changes: Any) -> Any:
        """The run's data set, with other arguments of its model's if any.

        Raises:
            ValueError: If the record is another user's, and names places that
                the caller does not.
        """
        settings = self.settings
        places = {"source_dir": self.source_dir, "data_dir": self.data_dir}
        places = {k: changes.get(k) or v for k, v in places.items()}
        given = {k: v for k, v in places.items() if v is not None}
        self._check_origin(given)
        arguments = {**settings.data.as_dict(), "seed": settings.run.seed}
        arguments |= changes | given
        return self.model_class.load_dataset(
            arguments.pop("dataset"), **arguments
        )

    @property
    def is_own(self) -> bool:
        """Whether this user has made the run, on this machine."""
        record = self.read()
        return origin.is_own(
            record["settings"].get("data"), record.get("origin")
        )

    def check_writable(self) -> None:
        """Refuses to write where links of a foreign run may lead.

        Raises:
            ValueError: If the run is somebody else's and holds a link, or if
                its weights are published.
        """
        if self.is_published:
            raise ValueError(
                f"{self.folder} holds published weights, and nothing is added "
                "to them. Give the folder that was --model_dir of the "
                "training."
            )
        links = (path for path in self.folder.rglob("*") if path.is_symlink())
        if not self.is_own and (link := next(links, None)):
            raise ValueError(
                f"{self.record} was not written by you on this machine, and "
                f"{link} is a link. Nothing is written to such a run: replace "
                "the link by a file or folder."
            )

    def _check_origin(self, given: Mapping[str, Any]) -> None:
        """Refuses to read what only a foreign record names."""
        data = self.read()["settings"].get("data", {})
        for name in ("source_dir", "data_dir"):
            place = data.get(name)
            if place is None or name in given:
                continue
            if not self.is_own:
                raise ValueError(
                    f"{self.record} was not written by you on this machine, "
                    f"and says that images are in {place}. If they shall be "
                    f"read from there or from another place, say so: give "
                    f"`{name}`."
                )

    def keeps(self, split: str, count: int) -> bool:
        """Whether so many examples of a split were published with it."""
        if split != "test" or not self.kept_examples.exists():
            return False
        return count <= len(self._kept()["image"])

    def _kept(self) -> dict[str, np.ndarray]:
        data = cast(DataSettings, self.settings.data)
        shape = (data.image_size, data.image_size, data.num_channels)
        return read_examples(self.kept_examples, shape)

    def examples(
        self, split: str, count: int, **changes: Any
    ) -> dict[str, np.ndarray]:
        """The first `count` examples of a split of `dataset(**changes)`.

        Those of the test split may be published with the weights; then no data
        set is needed.

        Returns:
            `{"image": (count, height, width, channels)}` in [−1, 1], and
            `"attributes"` if there are any.
        """
        if not changes and self.keeps(split, count):
            return {name: rows[:count] for name, rows in self._kept().items()}
        batches = self.dataset(**changes).batches(split, count)
        return next(iter(batches.as_numpy_iterator()))


def load_model(
    folder: str | os.PathLike, checkpoint: str = "latest"
) -> ObjectiveModel:
    """The model of a run's folder with its weights, in float32.

    Raises:
        FileNotFoundError: If the folder is no run's, or holds no such
            checkpoint.
        ValueError: If the record is damaged.
    """
    return Run(folder).model(checkpoint)[0]
