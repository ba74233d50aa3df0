"""From a run and a name to a sampler; fitted mixtures stay with the run."""

import io
import os
import pathlib
from typing import cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf.models import require
from vaegan_tf.runs import Run
from vaegan_tf.runs.run import CheckpointName
from vaegan_tf.sampling.codes import posterior_codes
from vaegan_tf.sampling.fit import default_components, fit_mixture
from vaegan_tf.sampling.samplers import (
    MixtureSampler,
    PriorSampler,
    Sampler,
    TruncatedSampler,
)
from vaegan_tf.settings import GenerativeSettings

_ARRAYS = ("weights", "means", "scales")
SAMPLERS = ("prior", "mixture", "truncated")


def create_sampler(
    run: Run | str | os.PathLike,
    name: str = "prior",
    *,
    checkpoint: CheckpointName = "latest",
    truncation: float = 1.5,
    num_components: int | None = None,
) -> Sampler:
    """The sampler of a name for a run's model.

    A mixture is fitted when it is first asked for, to one code of each
    training image, and kept in the run's `samplers/mixture.npz`. It is fitted
    anew for another checkpoint or another number of components.

    Args:
        run: A `Run`, or the folder of one.
        name: `"prior"`, `"mixture"` or `"truncated"`.
        checkpoint: `"latest"` or `"best"`: whose encoder a mixture is of.
        truncation: The largest magnitude of a coordinate, if truncated.
        num_components: Gaussians of a mixture; `None` for those there are, or
            as many as the training images allow, 10 at most.

    Raises:
        FileNotFoundError: If the folder is no run's, or lacks a checkpoint.
        ValueError: If there is no such sampler, an argument is out of range,
            or the model has no encoder to fit a mixture with.
    """
    run = run if isinstance(run, Run) else Run(run)
    require(run.model_class, "sample")
    latent_dim = cast(GenerativeSettings, run.settings.model).latent_dim
    if name == "prior":
        return PriorSampler(latent_dim)
    if name == "truncated":
        return TruncatedSampler(latent_dim, truncation)
    if name != "mixture":
        raise ValueError(
            f"`name` must be one of {', '.join(SAMPLERS)}. "
            f"Received: name={name!r}."
        )
    kept = kept_mixture(run, checkpoint, num_components)
    return kept or _fit_to(run, checkpoint, num_components)


def kept_mixture(
    run: Run,
    checkpoint: CheckpointName = "latest",
    num_components: int | None = None,
) -> MixtureSampler | None:
    """The mixture that a run has for its checkpoint, or `None`."""
    latent_dim = cast(GenerativeSettings, run.settings.model).latent_dim
    step = run.checkpoint_step(checkpoint)
    return _read_mixture(run.mixture, step, num_components, latent_dim)


def _fit_to(
    run: Run, checkpoint: CheckpointName, num_components: int | None
) -> MixtureSampler:
    require(run.model_class, "encode")
    run.check_writable()
    model, step = run.model(checkpoint)
    seed = run.settings.run.seed
    codes = posterior_codes(model, run.dataset(), seed=seed).draw
    if num_components is None:
        num_components = default_components(*codes.shape)
    logging.info(
        "Fitting a mixture of %d Gaussians to %s codes of step %d.",
        num_components,
        f"{len(codes):,}",
        step,
    )
    mixture = fit_mixture(codes, num_components, seed)
    content = io.BytesIO()
    np.savez(content, step=step, **vars(mixture))
    files.write_bytes(run.mixture, content.getvalue())
    return mixture


def _read_mixture(
    path: pathlib.Path,
    step: int,
    num_components: int | None,
    latent_dim: int,
) -> MixtureSampler | None:
    """The mixture in a file; `None` if it is none, stale or damaged."""
    try:
        arrays = files.read_npz(path)
    except (OSError, ValueError):
        return None
    none = np.zeros(0)
    step_shape, *shapes = (
        arrays.get(name, none).shape for name in ("step", *_ARRAYS)
    )
    count = shapes[0][0] if shapes[0] else 0
    expected = [(count, *[latent_dim] * rank) for rank in range(3)]
    if not count or step_shape or shapes != expected or arrays["step"] != step:
        return None
    if num_components not in (None, count):
        return None
    return MixtureSampler(*(arrays[name] for name in _ARRAYS))
