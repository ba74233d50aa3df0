"""From a run and a name to a sampler; fitted mixtures stay with the run."""

import io
import zipfile

import numpy as np
from absl import logging

from vaegan_tf.data import load_dataset
from vaegan_tf.sampling.fit import (
    default_components,
    fit_mixture,
    posterior_codes,
)
from vaegan_tf.sampling.samplers import (
    MixtureSampler,
    PriorSampler,
    TruncatedSampler,
)
from vaegan_tf.training.runs import Run, write_bytes

SAMPLERS = ("prior", "mixture", "truncated")

_ARRAYS = ("weights", "means", "scales")
_UNREADABLE = (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile)


def create_sampler(
    run,
    name="prior",
    *,
    checkpoint="latest",
    truncation=1.5,
    num_components=None,
):
    """The sampler of a name for a run's model.

    A mixture is fitted when it is first asked for, to one code of each
    training image, and kept in the run's `samplers/mixture.npz` with the step
    of its checkpoint. It is fitted anew if the checkpoint is another one, or
    another number of components is asked for.

    Args:
        run: A `Run`, or the folder of one.
        name: `"prior"`, `"mixture"` or `"truncated"`.
        checkpoint: `"latest"` or `"best"`: whose encoder a mixture is of.
        truncation: The largest magnitude of a coordinate, if truncated.
        num_components: Gaussians of a mixture; `None` for those there are, or
            as many as the training images allow, 10 at most.

    Returns:
        An object with `name` and `codes(count, seed)`, which returns float32
        (count, latent_dim).

    Raises:
        FileNotFoundError: If the folder is no run's, or lacks a checkpoint.
        ValueError: If there is no such sampler, an argument is out of range,
            or the model has no encoder to fit a mixture with.
    """
    run = run if isinstance(run, Run) else Run(run)
    latent_dim = run.read()["model"]["latent_dim"]
    if name == "prior":
        return PriorSampler(latent_dim)
    if name == "truncated":
        return TruncatedSampler(latent_dim, truncation)
    if name != "mixture":
        raise ValueError(
            f"`name` must be one of {', '.join(SAMPLERS)}. "
            f"Received: name={name!r}."
        )
    step = run.checkpoint_step(checkpoint)
    kept = _read(run.mixture, step, num_components)
    return kept or _fitted(run, checkpoint, num_components)


def _fitted(run, checkpoint, num_components):
    record = run.read()
    model, step = run.model(checkpoint=checkpoint)
    if not hasattr(model, "encode"):
        raise ValueError(
            f"{run.folder} holds a {record['model']['model']}, which has no "
            "encoder, and a mixture is fitted to codes of images. Take the "
            "sampler prior or truncated."
        )
    data = {k: v for k, v in record["data"].items() if k != "attribute_names"}
    seed = data.get("seed", 0)
    codes = posterior_codes(model, load_dataset(**data), seed)
    if num_components is None:
        num_components = default_components(*codes.shape)
    logging.info(
        "Fitting a mixture of %d Gaussians to %s codes of step %d.",
        num_components,
        f"{len(codes):,}",
        step,
    )
    mixture = fit_mixture(codes, num_components, seed)
    _write(run.mixture, mixture, step)
    return mixture


def _read(path, step, num_components):
    """The mixture in a file; `None` if it is none, stale or damaged."""
    try:
        with np.load(path) as file:
            arrays = [file[name] for name in _ARRAYS]
            fits = file["step"] == step
    except _UNREADABLE:
        return None
    mixture = MixtureSampler(*arrays)
    fits = fits and num_components in (None, len(mixture.weights))
    return mixture if fits else None


def _write(path, mixture, step):
    content = io.BytesIO()
    arrays = {name: getattr(mixture, name) for name in _ARRAYS}
    np.savez(content, step=step, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content.getvalue())
