"""What is published of a run: weights and examples, without pickles."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vaegan_tf import files
from vaegan_tf.images import to_uint8
from vaegan_tf.models import ObjectiveModel
from vaegan_tf.runs.checkpoints import network_groups


def write_weights(
    path: str | os.PathLike, model: ObjectiveModel, step: int
) -> None:
    """Writes an `.npz` of the networks as they are used after training.

    Kernels are float16, all else is float32. Of a network with a running
    average, the average is written.

    Raises:
        ValueError: If a weight is not finite, or too large for float16.
    """
    arrays = {
        name: _rounded(name, variables[-1].numpy())
        for name, variables in _named(model).items()
    }
    files.write_npz(path, {"step": step, **arrays}, compress=True)


def read_weights(path: str | os.PathLike, model: ObjectiveModel) -> int:
    """Gives a model the weights in a file of `write_weights`.

    A network and its running average get the same ones.

    Returns:
        The training step that they are of.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or of other networks.
    """
    named = _named(model)
    shapes = {name: tuple(v[0].shape) for name, v in named.items()}
    arrays = files.read_npz(path, {**shapes, "step": ()})
    for name, variables in named.items():
        for variable in variables:
            variable.assign(arrays[name].astype(np.float32))
    return int(arrays["step"])


def step_of(path: str | os.PathLike) -> int:
    """The training step of a file of weights; raises as `read_weights`."""
    return int(files.read_npz(path, {"step": ()})["step"])


def write_examples(
    path: str | os.PathLike, example: Mapping[str, np.ndarray]
) -> None:
    """Writes images in [−1, 1], as uint8, and their attributes if any."""
    image = to_uint8(example["image"])
    none = np.zeros((len(image), 0), np.float32)
    attributes = example.get("attributes", none)
    arrays = {"image": image, "attributes": attributes}
    files.write_npz(path, arrays, compress=True)


def read_examples(
    path: str | os.PathLike, image_shape: Sequence[int]
) -> dict[str, np.ndarray]:
    """Reads what `write_examples` wrote.

    Returns:
        `image`, float32 in [−1, 1] of the shape (examples, *image_shape), and
        `attributes` if there are any, float32 (examples, a).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or of other images.
    """
    arrays = files.read_npz(
        path, {"image": (None, *image_shape), "attributes": (None, None)}
    )
    image = arrays["image"].astype(np.float32) / 127.5 - 1
    if not arrays["attributes"].size:
        return {"image": image}
    return {"image": image, "attributes": arrays["attributes"].astype("f4")}


def _named(model: ObjectiveModel) -> dict[str, list[Any]]:
    """Variables by network and name: the network's, then its average's."""
    named: dict[str, list[Any]] = {}
    for network, group in network_groups(model).items():
        for name, variable in group.items():
            key = f"{network.removesuffix('_ema')}/{name}"
            named.setdefault(key, []).append(variable)
    return named


def _rounded(name: str, values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        half = values.astype(np.float16 if name.endswith("kernel") else "f4")
    if not np.isfinite(half).all():
        raise ValueError(
            f"The weights cannot be written in 16 bits: {name} is not finite, "
            "or too large."
        )
    return half
