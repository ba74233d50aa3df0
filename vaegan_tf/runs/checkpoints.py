"""What is kept of a run, so that it resumes as if never interrupted."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from vaegan_tf import files
from vaegan_tf.errors import first_line
from vaegan_tf.models import ObjectiveModel

PARTIAL = "partial"
PREFIX = "variables"
SCORE = "score.json"

# Raised for files that are cut short, changed or gone, and for variables that
# are missing or of another shape.
_UNREADABLE = (
    tf.errors.OpError,
    AssertionError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)


class CheckpointError(OSError):
    """A checkpoint that could not be written or read."""


class DamagedCheckpointError(CheckpointError):
    """A checkpoint whose files can be read, but do not hold the variables."""


class Checkpoints:
    """The checkpoints of one run: folders `step-N`, one for each.

    A checkpoint holds every variable: networks, averaged decoder, optimizer
    slots, step, noise seed and the running means of the log. It is written
    under another name and gets its own only when it is whole, so that one cut
    short never stands in for a good one.

    Args:
        model: A compiled one.
        folder: Made if it does not exist.
        keep: How many of the newest stay.
    """

    def __init__(
        self, model: ObjectiveModel, folder: str | os.PathLike, keep: int = 3
    ):
        self.model = model
        self.folder = pathlib.Path(folder)
        self.keep = keep
        groups = network_groups(model)
        for name, optimizer in model.optimizers.items():
            groups[f"{name}_optimizer"] = _in_order(optimizer.variables)
        groups["counters"] = _in_order([model.step, model.noise_seed])
        means = [v for metric in model.metrics for v in metric.variables]
        groups["log"] = _in_order(means)
        # Every variable that a checkpoint holds.
        self.variables = [v for g in groups.values() for v in g.values()]
        self._checkpoint = tf.train.Checkpoint(**groups)

    @property
    def steps(self) -> list[int]:
        """Steps at which there is a checkpoint, in ascending order."""
        return steps_in(self.folder)

    def save(self, score: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint of the model as it is, unless there is one.

        Args:
            score: What the model scores. It lies in the checkpoint's folder,
                and a checkpoint with a score replaces one of the same step.

        Raises:
            CheckpointError: If it could not be written; older ones stay.
        """
        step = int(self.model.step.numpy())
        others = self.steps
        if step in others and score is None:
            return
        folder = self.folder / f"step-{step}"
        try:
            with files.replacing_folder(folder, PARTIAL) as partial:
                self._checkpoint.write(str(partial / PREFIX))
                if score is not None:
                    files.write_json(partial / SCORE, score)
        except (tf.errors.OpError, OSError) as error:
            good = (
                f"The last good checkpoint is that of step {others[-1]}."
                if others
                else "There is no other."
            )
            raise CheckpointError(
                f"Could not write the checkpoint of step {step} to "
                f"{self.folder}: {first_line(error)}. {good}"
            ) from error
        others = [other for other in others if other != step]
        for old in others[: max(len(others) + 1 - self.keep, 0)]:
            shutil.rmtree(self.folder / f"step-{old}", ignore_errors=True)

    def restore(self) -> int | None:
        """Reads the newest checkpoint that is whole.

        Newer ones, which are damaged, are set aside as `damaged-step-N`.

        Returns:
            Its step; `None` if there is no checkpoint.

        Raises:
            CheckpointError: If there are checkpoints but all are damaged, or
                if the machine does not let one be read.
        """
        damaged: list[int] = []
        for step in reversed(self.steps):
            try:
                _restore(self._checkpoint, self.folder, step)
            except DamagedCheckpointError as error:
                logging.warning("%s Going back to the one before.", error)
                damaged.append(step)
                continue
            for worse in damaged:
                _set_aside(self.folder / f"step-{worse}")
            return step
        if damaged:
            raise CheckpointError(
                f"None of the checkpoints in {self.folder} can be read. Start "
                "anew with overwrite, or put back a copy of them."
            )
        return None


def steps_in(folder: str | os.PathLike) -> list[int]:
    """Steps at which a folder holds a checkpoint, in ascending order."""
    names = [path.name for path in pathlib.Path(folder).glob("step-*")]
    found = [re.fullmatch(r"step-(0|[1-9]\d{0,17})", name) for name in names]
    return sorted(int(match[1]) for match in found if match)


def score_in(folder: str | os.PathLike) -> dict[str, Any] | None:
    """The score of the newest checkpoint in a folder, if it has one."""
    for step in steps_in(folder)[-1:]:
        path = pathlib.Path(folder) / f"step-{step}" / SCORE
        with contextlib.suppress(FileNotFoundError, ValueError):
            score = json.loads(path.read_text(encoding="utf-8"))
            return score if isinstance(score, dict) else None
    return None


def restore_networks(
    model: ObjectiveModel,
    folder: str | os.PathLike,
    names: Sequence[str] | None = None,
    step: int | None = None,
) -> int:
    """Reads networks from a checkpoint in a folder.

    Args:
        model: One that has networks of these names.
        folder: The `checkpoints` or `best` folder of a run.
        names: `"encoder"`, `"decoder_ema"`, ...; by default all networks.
        step: The checkpoint's; by default that of the newest.

    Returns:
        The checkpoint's step.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        CheckpointError: If it is damaged, or of other networks.
    """
    step = newest_step(folder) if step is None else step
    groups = network_groups(model)
    wanted = {name: groups[name] for name in names or groups}
    _restore(tf.train.Checkpoint(**wanted), pathlib.Path(folder), step)
    return step


def newest_step(folder: str | os.PathLike) -> int:
    """Step of a folder's newest checkpoint; FileNotFoundError without one."""
    steps = steps_in(folder)
    if not steps:
        raise FileNotFoundError(
            f"There is no checkpoint in {folder}. Train first, give the "
            "folder that was --model_dir of a training run, or take the "
            "latest checkpoint: a best one is kept only of models with an "
            "encoder, or with eval_every and features."
        )
    return steps[-1]


def _restore(
    checkpoint: tf.train.Checkpoint, folder: pathlib.Path, step: int
) -> None:
    """Reads a checkpoint, whole; whatever is wrong is a `CheckpointError`."""
    try:
        path = folder / f"step-{step}" / PREFIX
        # Or each variable that is not wanted would be warned of.
        status = checkpoint.read(str(path)).expect_partial()
        status.assert_existing_objects_matched()
    except _UNREADABLE as error:
        message = f"The checkpoint of step {step} in {folder} cannot be read: "
        if fault := _fault_of_machine(path.parent, error):
            raise CheckpointError(
                f"{message}{fault}. Nothing was changed; try again once this "
                "is mended."
            ) from error
        raise DamagedCheckpointError(
            f"{message}{first_line(error)}."
        ) from error


def _fault_of_machine(folder: pathlib.Path, error: Exception) -> str:
    """Why files cannot be read though they may be whole, if so."""
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return first_line(error)
    try:
        for path in folder.iterdir():
            with path.open("rb") as file:
                while file.read(2**20):
                    pass
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as fault:
        return f"{fault.strerror} ({fault.filename or folder})"
    return ""


def _set_aside(folder: pathlib.Path) -> None:
    """Gives a damaged checkpoint a name under which nothing reads it."""
    for number in itertools.count(1):
        aside = folder.with_name(f"damaged-{folder.name}.{number}")
        if not aside.exists():
            folder.rename(aside)
            return


def network_groups(model: ObjectiveModel) -> dict[str, dict[str, Any]]:
    """Variables of each network by the last two parts of their paths."""
    groups = {}
    for name in (*model.networks, "encoder_ema", "decoder_ema"):
        if (network := getattr(model, name, None)) is None:
            continue
        groups[name] = {
            "/".join(v.path.split("/")[-2:]): v.value for v in network.variables
        }
        if len(groups[name]) != len(network.variables):
            raise ValueError(f"Two variables of the {name} have the same name.")
    return groups


def _in_order(variables: Iterable[Any]) -> dict[str, Any]:
    """Variables by place and name; Keras numbers paths as objects are made."""
    return {f"{place}_{v.name}": v.value for place, v in enumerate(variables)}
