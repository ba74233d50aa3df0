"""What is kept of a run, so that it resumes as if never interrupted."""

import os
import pathlib
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from vaegan_tf.models import ObjectiveModel

PARTIAL = "partial"
PREFIX = "variables"

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
        groups = _network_groups(model)
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

    def save(self) -> None:
        """Writes a checkpoint of the model as it is, unless there is one.

        Raises:
            CheckpointError: If it could not be written; older ones stay.
        """
        step = int(self.model.step.numpy())
        others = self.steps
        if step in others:
            return
        partial = self.folder / PARTIAL
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            self._checkpoint.write(str(partial / PREFIX))
            _sync(partial)
            partial.rename(self.folder / f"step-{step}")
        except (tf.errors.OpError, OSError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            good = (
                f"The last good checkpoint is that of step {others[-1]}."
                if others
                else "There is no other."
            )
            raise CheckpointError(
                f"Could not write the checkpoint of step {step} to "
                f"{self.folder}: {first_line(error)}. {good}"
            ) from error
        for old in others[: max(len(others) + 1 - self.keep, 0)]:
            shutil.rmtree(self.folder / f"step-{old}")

    def restore(self) -> int | None:
        """Reads the newest checkpoint that can be read; deletes damaged ones.

        Returns:
            Its step; `None` if there is no checkpoint.

        Raises:
            CheckpointError: If there are checkpoints but none can be read.
        """
        damaged: list[int] = []
        for step in reversed(self.steps):
            try:
                _restore(self._checkpoint, self.folder, step)
            except CheckpointError as error:
                logging.warning("%s Going back to the one before.", error)
                damaged.append(step)
                continue
            for worse in damaged:
                shutil.rmtree(self.folder / f"step-{worse}")
            return step
        if damaged:
            raise CheckpointError(
                f"None of the checkpoints in {self.folder} can be read. Start "
                "anew with overwrite, or put back a copy of them."
            )
        return None


def steps_in(folder: str | os.PathLike) -> list[int]:
    """Steps at which a folder holds a checkpoint, in ascending order."""
    return sorted(
        int(path.name.removeprefix("step-"))
        for path in pathlib.Path(folder).glob("step-*")
    )


def restore_networks(
    model: ObjectiveModel,
    folder: str | os.PathLike,
    names: Sequence[str] | None = None,
) -> int:
    """Reads networks from the newest checkpoint in a folder.

    Args:
        model: One that has networks of these names.
        folder: The `checkpoints` or `best` folder of a run.
        names: `"encoder"`, `"decoder_ema"`, ...; by default all networks.

    Returns:
        The checkpoint's step.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        CheckpointError: If it is damaged, or of other networks.
    """
    step = newest_step(folder)
    groups = _network_groups(model)
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


def first_line(error: BaseException) -> str:
    """What an error says, without names of a graph's nodes."""
    message = getattr(error, "message", None) or str(error)
    message = re.sub(r"{{.*?}}", "", message)
    return message.strip().split("\n")[0][:400].rstrip(".")


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
        raise CheckpointError(
            f"The checkpoint of step {step} in {folder} cannot be read: "
            f"{first_line(error)}."
        ) from error


def _network_groups(model: ObjectiveModel) -> dict[str, dict[str, Any]]:
    """Variables of each network by the last two parts of their paths."""
    groups = {}
    for name in (*model.networks, "decoder_ema"):
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


def _sync(folder: pathlib.Path) -> None:
    """Makes sure that what was written outlives a failing machine."""
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
