"""What a run's folder holds, and how to get its model back."""

import dataclasses
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import subprocess

import tensorflow as tf

from vaegan_tf import hardware
from vaegan_tf.data import load_dataset
from vaegan_tf.models import MODELS, create_model
from vaegan_tf.training import precision as precisions
from vaegan_tf.training.checkpoints import newest_step, restore_networks

PACKAGES = ("vaegan-tf", "tensorflow", "keras", "tensorflow-datasets", "numpy")


@dataclasses.dataclass(frozen=True)
class Run:
    """The folder of one training, `--model_dir`.

    Args:
        folder: The folder; it need not exist yet.
    """

    folder: pathlib.Path

    def __post_init__(self):
        folder = pathlib.Path(self.folder).expanduser()
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

    @property
    def exists(self):
        """Whether a training was started here."""
        return self.record.exists()

    def read(self):
        """The record of the run, `run.json`.

        Raises:
            FileNotFoundError: If the folder is no run's.
            ValueError: If the record is damaged.
        """
        if not self.exists:
            raise FileNotFoundError(
                f"{self.folder} is no run: it holds no run.json. Give the "
                "folder that was --model_dir of a training."
            )
        try:
            return json.loads(self.record.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{self.record} is damaged: {error}.") from error

    def write(
        self, *, flags, flag_file, model, data, command=None, precision=None
    ):
        """Writes the record of a run that begins, and its flag file.

        Args:
            flags: Every setting by name.
            flag_file: The flags as text that replays the run.
            model: Arguments of `create_model`, or of what makes models of
                another kind; `model` among them is the kind's name.
            data: Arguments of `load_dataset`, and `attribute_names`.
            command: What the user typed, if it was a command.
            precision: Format that networks compute in, if it is known.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {
            "command": command,
            "flags": flags,
            "model": model,
            "data": data,
            "precision": precision,
            "device": device(),
            "versions": versions(),
            "git_commit": git_commit(),
        }
        write_text(self.flags, flag_file)
        write_text(self.record, json.dumps(record, indent=2) + "\n")

    def delete(self):
        """Deletes what the folder holds.

        The record goes last: what a kill leaves is still known as a run, and
        its checkpoints are not taken for those of a run that begins.
        """
        paths = sorted(
            self.folder.iterdir(), key=lambda path: path == self.record
        )
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def model_arguments(self, kinds):
        """What the run's model was made from, if it is of a kind wanted.

        Args:
            kinds: Names of models.

        Raises:
            FileNotFoundError: If the folder is no run's.
            ValueError: If its model is of another kind.
        """
        arguments = self.read()["model"]
        if arguments["model"] not in kinds:
            raise ValueError(
                f"{self.folder} holds a {arguments['model']}, and this takes "
                f"a {' or '.join(kinds)}. Choose another run's folder."
            )
        return arguments

    def model(self, *, checkpoint="latest"):
        """The run's model with its weights, in float32, for use.

        Args:
            checkpoint: `"latest"` or `"best"`.

        Returns:
            `(model, step)`.

        Raises:
            FileNotFoundError: If the folder is no run's, or holds no such
                checkpoint.
            ValueError: If the run's model is of another kind.
        """
        with precisions.float32():
            model = create_model(**self.model_arguments(MODELS))
        names = [*model.network_names]
        if model.decoder_ema is not None:
            names.append("decoder_ema")
        folder = self._checkpoint_folder(checkpoint)
        return model, restore_networks(model, folder, names)

    def checkpoint_step(self, checkpoint="latest"):
        """The step of the weights that `model` reads.

        Args:
            checkpoint: `"latest"` or `"best"`.

        Raises:
            FileNotFoundError: If there is no such checkpoint.
        """
        return newest_step(self._checkpoint_folder(checkpoint))

    def _checkpoint_folder(self, checkpoint):
        return self.best if checkpoint == "best" else self.checkpoints

    def examples(self, split, count, **changes):
        """The first examples of a split of the run's data set.

        Args:
            split: Name of the split.
            count: How many, if it has as many.
            **changes: Other arguments of `load_dataset` than the run's.

        Returns:
            `{"image": (count, height, width, channels)}` in [−1, 1], and
            `"attributes"` if there are any.
        """
        data = {**self.read()["data"], **changes}
        del data["attribute_names"]
        batches = load_dataset(**data).batches(split, count)
        return next(iter(batches.as_numpy_iterator()))


def differences(before, now, ignored=()):
    """What two runs' flags disagree on, as lines `--name: before -> now`."""
    names = sorted(set(before) | set(now))
    return [
        f"--{name}: {before.get(name)!r} -> {now.get(name)!r}"
        for name in names
        if name not in ignored and before.get(name) != now.get(name)
    ]


def versions():
    """Versions of Python, the system and the packages results depend on."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def device():
    """Name of the device that a training computes on, as its maker calls it."""
    for gpu in hardware.gpus()[:1]:
        details = tf.config.experimental.get_device_details(gpu)
        return details.get("device_name", "GPU")
    return f"{hardware.processor()}, {os.cpu_count()} cores"


def git_commit():
    """Commit of the checkout this package runs from; `None` elsewhere."""
    # An environment inside another project's checkout is not that project.
    if _git("ls-files", "--error-unmatch", __file__) is None:
        return None
    return _git("describe", "--always", "--dirty")


def _git(*arguments):
    """What git says about the folder of this file; `None` if it fails."""
    command = ["git", "-C", os.path.dirname(__file__), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return None if result.returncode else result.stdout.strip()


def write_text(path, text):
    """Writes a file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, content):
    """Writes a file whole or not at all."""
    temporary = path.with_name(path.name + ".partial")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
