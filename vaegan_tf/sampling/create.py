"""From a run and a name to a sampler; fitted mixtures stay with the run."""

import os
from typing import cast

from absl import logging

from vaegan_tf import files
from vaegan_tf.models import require
from vaegan_tf.runs import Run
from vaegan_tf.sampling.codes import posterior_codes
from vaegan_tf.sampling.fit import default_components, fit_mixture
from vaegan_tf.sampling.samplers import (
    MixtureSampler,
    PriorSampler,
    Sampler,
    TruncatedSampler,
)
from vaegan_tf.settings import GenerativeSettings, check
from vaegan_tf.settings.choices import SAMPLERS


def create_sampler(
    run: Run | str | os.PathLike,
    name: str = "prior",
    *,
    checkpoint: str = "latest",
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
    check("name", name, choices=SAMPLERS)
    run = run if isinstance(run, Run) else Run(run)
    require(run.model_class, "sample")
    latent_dim = cast(GenerativeSettings, run.settings.model).latent_dim
    if name == "prior":
        return PriorSampler(latent_dim)
    if name == "truncated":
        return TruncatedSampler(latent_dim, truncation)
    kept = kept_mixture(run, checkpoint, num_components)
    return kept or _fit_to(run, checkpoint, num_components)


def kept_mixture(
    run: Run,
    checkpoint: str = "latest",
    num_components: int | None = None,
) -> MixtureSampler | None:
    """The mixture that a run has for its checkpoint, or `None`."""
    size = cast(GenerativeSettings, run.settings.model).latent_dim
    step = run.checkpoint_step(checkpoint)
    shapes = {
        "weights": (None,),
        "means": (None, size),
        "scales": (None, size, size),
    }
    try:
        arrays = files.read_npz(run.mixture, {**shapes, "step": ()})
    except (OSError, ValueError):  # There is none, or it is damaged.
        return None
    parts = [arrays[name] for name in shapes]
    count, *others = map(len, parts)
    is_whole = count > 0 and others == [count, count]
    is_wanted = arrays["step"] == step and num_components in (None, count)
    return MixtureSampler(*parts) if is_whole and is_wanted else None


def _fit_to(
    run: Run, checkpoint: str, num_components: int | None
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
    files.write_npz(run.mixture, {"step": step, **vars(mixture)})
    return mixture
