"""What a run's folder holds, and how to get its model and data back."""

import dataclasses
import json
import os
import pathlib
import shutil
from typing import Any, Literal

import numpy as np

from vaegan_tf import files
from vaegan_tf.data import ImageDataset, load_dataset
from vaegan_tf.models import ObjectiveModel, model_class
from vaegan_tf.runs import provenance
from vaegan_tf.runs.checkpoints import newest_step, restore_networks
from vaegan_tf.runs.precision import float32
from vaegan_tf.settings import Experiment

CheckpointName = Literal["latest", "best"]


@dataclasses.dataclass(frozen=True, init=False)
class Run:
    """The folder of one run, `--model_dir`; it need not exist yet."""

    folder: pathlib.Path

    def __init__(self, folder: str | os.PathLike):
        path = pathlib.Path(folder).expanduser()
        object.__setattr__(self, "folder", path)

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

    @property
    def exists(self) -> bool:
        """Whether a run was started here."""
        return self.record.exists()

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
        except ValueError as error:
            raise ValueError(f"{self.record} is damaged: {error}.") from error
        for key in ("kind", "settings", "inputs"):
            if not isinstance(record, dict) or key not in record:
                raise ValueError(f"{self.record} is damaged: it lacks `{key}`.")
        return record

    @property
    def settings(self) -> Experiment:
        """All settings of the run; raises as `read` does."""
        record = self.read()
        return Experiment.from_dict(record["kind"], record["settings"])

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
            **others: `attribute_names`, `command` and `precision`.
        """
        record = {
            "kind": settings.kind,
            "settings": settings.as_dict(),
            "inputs": inputs,
            **others,
            "device": provenance.device(),
            "versions": provenance.versions(),
            "git_commit": provenance.git_commit(),
        }
        if flag_file:
            files.write_text(self.flags, flag_file)
        files.write_json(self.record, record)

    def delete(self) -> None:
        """Deletes what the folder holds.

        The record goes last: what a kill leaves is still known as a run, and
        its checkpoints are not taken for those of a run that begins.
        """
        paths = sorted(self.folder.iterdir(), key=lambda p: p == self.record)
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def model(
        self, checkpoint: CheckpointName = "latest"
    ) -> tuple[ObjectiveModel, int]:
        """The run's model with its weights, in float32, and their step.

        Raises:
            FileNotFoundError: If there is no such checkpoint.
        """
        record, settings = self.read(), self.settings
        with float32():
            model = self.model_class.create(
                settings.model, seed=settings.run.seed, **record["inputs"]
            )
        return model, restore_networks(model, self._weights(checkpoint))

    def checkpoint_step(self, checkpoint: CheckpointName = "latest") -> int:
        """The step of the weights that `model` reads; raises as it does."""
        return newest_step(self._weights(checkpoint))

    def _weights(self, checkpoint: CheckpointName) -> pathlib.Path:
        return self.best if checkpoint == "best" else self.checkpoints

    def dataset(self, **changes: Any) -> ImageDataset:
        """The run's data set, with other arguments of `load_dataset` if any."""
        settings = self.settings
        arguments = {**settings.data.as_dict(), "seed": settings.run.seed}
        arguments |= changes
        return load_dataset(arguments.pop("dataset"), **arguments)

    def examples(
        self, split: str, count: int, **changes: Any
    ) -> dict[str, np.ndarray]:
        """The first `count` examples of a split of `dataset(**changes)`.

        Returns:
            `{"image": (count, height, width, channels)}` in [−1, 1], and
            `"attributes"` if there are any.
        """
        batches = self.dataset(**changes).batches(split, count)
        return next(iter(batches.as_numpy_iterator()))


def load_model(
    folder: str | os.PathLike, checkpoint: CheckpointName = "latest"
) -> ObjectiveModel:
    """The model of a run's folder with its weights, in float32.

    Raises:
        FileNotFoundError: If the folder is no run's, or holds no such
            checkpoint.
        ValueError: If the record is damaged.
    """
    return Run(folder).model(checkpoint)[0]
