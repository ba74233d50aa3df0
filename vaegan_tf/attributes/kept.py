"""From a run to its attribute vectors, which are kept with it."""

import os
from typing import Any, cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf.attributes.vectors import (
    MIN_EXAMPLES,
    AttributeVectors,
    fit_vectors,
)
from vaegan_tf.models import require
from vaegan_tf.runs import Run
from vaegan_tf.sampling.codes import MAX_CODES, PosteriorCodes, posterior_codes
from vaegan_tf.settings import GenerativeSettings
from vaegan_tf.settings.choices import VECTORS

_OTHER_SPLIT = {"train": "test", "validation": "test", "test": "validation"}


def attribute_vectors(
    run: Run | str | os.PathLike,
    *,
    checkpoint: str = "latest",
    model: Any = None,
    split: str = "train",
    max_images: int = MAX_CODES,
    min_examples: int = MIN_EXAMPLES,
    anew: bool = False,
) -> AttributeVectors:
    """The attribute vectors of a run's model.

    They are computed when they are first asked for, and kept in the run's
    `attributes/vectors.npz`. They are computed anew for another checkpoint.

    Args:
        run: A `Run`, or the folder of one.
        checkpoint: `"latest"` or `"best"`: whose encoder they are of.
        model: That checkpoint's model, where it is at hand.
        split: Part of the data set to encode; the vectors are measured on
            `"test"`, or on `"validation"` if that is encoded.
        max_images: So many images of it at most, evenly spaced.
        min_examples: An attribute needs as many with it, and without it.
        anew: Compute them in any case.

    Raises:
        FileNotFoundError: If the folder is no run's, or lacks a checkpoint.
        ValueError: If the model has no encoder or is conditional, or the data
            set has no attributes with enough examples.
    """
    run = run if isinstance(run, Run) else Run(run)
    check_attributes(run)
    step = run.checkpoint_step(checkpoint)
    kept = None if anew else kept_vectors(run, checkpoint)
    if kept is not None:
        return kept
    run.check_writable()
    model = model or run.model(checkpoint)[0]
    dataset, seed = run.dataset(), run.settings.run.seed

    def codes(part: str) -> PosteriorCodes:
        return posterior_codes(
            model, dataset, part, seed=seed, max_codes=max_images
        )

    encoded = codes(split)
    vectors = fit_vectors(
        encoded,
        codes(_OTHER_SPLIT[split]),
        dataset.attribute_names,
        min_examples,
    )
    logging.info(
        "Computed vectors of %d attributes from %s images of step %d.",
        len(vectors.names),
        f"{len(encoded.mean):,}",
        step,
    )
    _keep(run, vectors, step)
    return vectors


def _keep(run: Run, vectors: AttributeVectors, step: int) -> None:
    """Writes what `kept_vectors` reads."""
    arrays = {
        f"{kind}_{what}": getattr(vectors, what)[kind]
        for kind in VECTORS
        for what in ("vectors", "accuracies")
    }
    about = {
        "step": step,
        "names": np.asarray(vectors.names),
        "left_out": np.asarray(vectors.left_out, np.str_),
        "counts": vectors.counts,
    }
    files.write_npz(run.vectors, {**about, **arrays})


def kept_vectors(
    run: Run, checkpoint: str = "latest"
) -> AttributeVectors | None:
    """Those that a run has for its checkpoint, or `None`."""
    latent_dim = cast(GenerativeSettings, run.settings.model).latent_dim
    step = run.checkpoint_step(checkpoint)
    shapes: dict[str, tuple[int | None, ...]] = {
        "counts": (None, 2),
        **{f"{kind}_vectors": (None, latent_dim) for kind in VECTORS},
        **{f"{kind}_accuracies": (None,) for kind in VECTORS},
    }
    try:
        arrays = files.read_npz(run.vectors, {**shapes, "step": ()})
        names, left_out = (
            tuple(map(str, arrays[key])) for key in ("names", "left_out")
        )
    except (OSError, ValueError, KeyError, TypeError):  # None, or damaged.
        return None
    counts = {len(arrays[name]) for name in shapes}
    if arrays["step"] != step or counts != {len(names)}:
        return None
    return AttributeVectors(
        names,
        arrays["counts"],
        {kind: arrays[f"{kind}_vectors"] for kind in VECTORS},
        {kind: arrays[f"{kind}_accuracies"] for kind in VECTORS},
        left_out,
    )


def check_attributes(run: Run) -> None:
    """Refuses a run whose model cannot have attribute vectors.

    Raises:
        ValueError: If the model has no encoder or is conditional, or the data
            set has no attributes.
    """
    require(run.model_class, "encode")
    record = run.read()
    if record["settings"].get("model", {}).get("conditional"):
        raise ValueError(
            f"The model in {run.folder} is conditional: it is given "
            "attributes beside the code, so that none need be in it. Vectors "
            "are for models trained without `conditional`."
        )
    if not record.get("attribute_names"):
        raise ValueError(
            f"The data set of {run.folder} has no attributes, so that there "
            "are no attribute vectors."
        )
