"""What is kept of a run, so that it can go on as if never interrupted."""

import os
import pathlib
import shutil

import tensorflow as tf
from absl import logging

from vaegan_tf.training.distribution import Distribution, first_line

PARTIAL = "partial"
PREFIX = "variables"

# What TensorFlow raises for files that are cut short, changed or gone, and
# for variables that are missing or of another shape.
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
        model: A compiled `ObjectiveModel`.
        folder: Where checkpoints lie; made if it does not exist.
        keep: How many of the newest stay.
        distribution: The `Distribution` of the training. Its chief reads and
            writes, and hands out what it has read; the other workers need no
            access to the folder.
    """

    def __init__(self, model, folder, keep=3, distribution=None):
        self.model = model
        self.distribution = distribution or Distribution()
        self.folder = pathlib.Path(folder)
        self.keep = keep
        groups = _groups(model)
        self._variables = [
            v for group in groups.values() for v in group.values()
        ]
        self._checkpoint = tf.train.Checkpoint(**groups)

    @property
    def steps(self):
        """Steps at which there is a checkpoint, in ascending order."""
        return steps_in(self.folder)

    def save(self):
        """Writes a checkpoint of the model as it is, unless there is one.

        Raises:
            CheckpointError: If it could not be written; older ones stay.
        """
        step = self._step
        if not self.distribution.is_chief or step in self.steps:
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
            raise CheckpointError(
                f"Could not write the checkpoint of step {step} to "
                f"{self.folder}: {first_line(error)}. {self._last_good()}"
            ) from error
        others = [other for other in self.steps if other != step]
        for old in others[: max(len(others) + 1 - self.keep, 0)]:
            shutil.rmtree(self.folder / f"step-{old}")

    def restore(self):
        """Reads the newest checkpoint that can be read; deletes damaged ones.

        Returns:
            Its step, or `None` if there is no checkpoint.

        Raises:
            CheckpointError: If there are checkpoints but none can be read.
        """
        step = self._restore_newest() if self.distribution.is_chief else None
        self.distribution.from_chief(self._variables)
        return step if self.distribution.is_chief else self._step

    def _restore_newest(self):
        damaged = []
        for step in reversed(self.steps):
            try:
                restore(self._checkpoint, self.folder, step)
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
                "anew with --overwrite, or put back a copy of them."
            )
        return None

    @property
    def _step(self):
        return int(self.model.step.numpy())

    def _last_good(self):
        if not self.steps:
            return "There is no other."
        return f"The last good checkpoint is that of step {self.steps[-1]}."


def steps_in(folder):
    """Steps at which a folder holds a checkpoint, in ascending order."""
    return sorted(
        int(path.name.removeprefix("step-"))
        for path in pathlib.Path(folder).glob("step-*")
    )


def restore(checkpoint, folder, step):
    """Reads a checkpoint, whole.

    Args:
        checkpoint: A `tf.train.Checkpoint` of the variables wanted.
        folder: The folder of checkpoints.
        step: The step to read.

    Raises:
        CheckpointError: If it is damaged, or lacks a variable.
    """
    path = pathlib.Path(folder) / f"step-{step}" / PREFIX
    try:
        # Or each variable that is not wanted would be warned of.
        status = checkpoint.read(str(path)).expect_partial()
        status.assert_existing_objects_matched()
    except _UNREADABLE as error:
        raise CheckpointError(
            f"The checkpoint of step {step} in {folder} cannot be read: "
            f"{first_line(error)}."
        ) from error


def restore_networks(model, folder, names):
    """Reads some networks from the newest checkpoint in a folder.

    Args:
        model: A model that has networks of these names.
        folder: The `checkpoints` or `best` folder of a run.
        names: Attributes of the model: `"encoder"`, `"decoder_ema"`, ...

    Returns:
        The checkpoint's step.

    Raises:
        FileNotFoundError: If there is no checkpoint.
        CheckpointError: If it is damaged, or of other networks.
    """
    step = newest_step(folder)
    groups = _network_groups(model)
    checkpoint = tf.train.Checkpoint(**{name: groups[name] for name in names})
    restore(checkpoint, folder, step)
    return step


def newest_step(folder):
    """Step of the newest checkpoint in a folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    steps = steps_in(folder)
    if not steps:
        raise FileNotFoundError(
            f"There is no checkpoint in {folder}. Train first, give the "
            "folder that was --model_dir of a training, or take "
            "--checkpoint=latest: a best one is kept only of models with an "
            "encoder, or by a training with --eval_every and features."
        )
    return steps[-1]


def _groups(model):
    """Every variable of a training, in named groups."""
    optimizers = {
        f"{name}_optimizer": _in_order(optimizer.variables)
        for name, optimizer in model.optimizers.items()
    }
    means = [v for metric in model.metrics for v in metric.variables]
    return {
        **_network_groups(model),
        **optimizers,
        "counters": _in_order([model.step, model.noise_seed]),
        "log": _in_order(means),
    }


def _network_groups(model):
    names = [*model.network_names, "decoder_ema"]
    networks = {name: getattr(model, name, None) for name in names}
    return {
        name: _by_path(network.variables)
        for name, network in networks.items()
        if network is not None
    }


def _by_path(variables):
    """Variables under the last two parts of their paths: layer and weight."""
    named = {
        "/".join(variable.path.split("/")[-2:]): variable.value
        for variable in variables
    }
    if len(named) != len(variables):
        raise ValueError("Two variables of one network have the same name.")
    return named


def _in_order(variables):
    """Variables under their places and names.

    Paths would not do: Keras numbers models and optimizers as they are made.
    """
    return {
        f"{place}_{variable.name}": variable.value
        for place, variable in enumerate(variables)
    }


def _sync(folder):
    """Makes sure that what was written outlives a failing machine."""
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
