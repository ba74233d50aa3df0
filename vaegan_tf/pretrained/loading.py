"""From a name to published weights: of the package, a folder or the hub."""

import os
import pathlib

from vaegan_tf.models import ObjectiveModel
from vaegan_tf.pretrained import hub
from vaegan_tf.runs import Run

_HOME = pathlib.Path(__file__).parent


def names() -> list[str]:
    """Names of the weights that come with this package."""
    return sorted(path.parent.name for path in _HOME.glob("*/weights.npz"))


def pretrained_run(
    name: str | os.PathLike,
    source_dir: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
) -> Run:
    """Published weights as a run, to which nothing is written.

    Args:
        name: One of `names()`, a folder that `publish` wrote, or such a folder
            on the hub as `hf://owner/name`, which is downloaded once.
        source_dir: Where images are, if the data set is needed; see `Run`.
        data_dir: The same for prepared data sets.

    Raises:
        ValueError: If there are no such weights.
        OSError: If they cannot be downloaded.
    """
    folder = pathlib.Path(os.fspath(name)).expanduser()
    if hub.is_address(name):
        folder = hub.download(os.fspath(name))
    elif name in names():
        folder = _HOME / os.fspath(name)
    run = Run(folder, source_dir, data_dir)
    if not run.is_published:
        raise ValueError(
            f"There are no pretrained weights {os.fspath(name)!r}. Give "
            f"{', '.join(names())}, a folder that vaegan-publish wrote, or "
            "hf://owner/name."
        )
    return run


def find_run(
    name: str | os.PathLike,
    source_dir: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
) -> Run:
    """A run by its folder, or published weights by their name or address.

    A folder of such a name comes first. Arguments and errors are those of
    `pretrained_run`; a folder that is none of a run fails when it is read.
    """
    is_folder = pathlib.Path(os.fspath(name)).expanduser().exists()
    if not is_folder and (name in names() or hub.is_address(name)):
        return pretrained_run(name, source_dir, data_dir)
    return Run(name, source_dir, data_dir)


def load_pretrained(name: str | os.PathLike) -> ObjectiveModel:
    """A model with published weights, in float32.

    Args:
        name: As of `pretrained_run`, such as `"avatars64"`.

    Raises:
        ValueError: If there are no such weights, or they are damaged.
        OSError: If they cannot be downloaded.
    """
    return pretrained_run(name).model()[0]
