"""From a run to its attribute vectors, which are kept with it."""

import io
import os
import pathlib
from typing import Any, cast

import numpy as np
from absl import logging

from vaegan_tf import files
from vaegan_tf.attributes.vectors import (
    MIN_EXAMPLES,
    VECTORS,
    AttributeVectors,
    fit_vectors,
)
from vaegan_tf.models import require
from vaegan_tf.runs import Run
from vaegan_tf.runs.run import CheckpointName
from vaegan_tf.sampling.codes import MAX_CODES, PosteriorCodes, posterior_codes
from vaegan_tf.settings import GenerativeSettings

_OTHER_SPLIT = {"train": "test", "validation": "test", "test": "validation"}


def attribute_vectors(
    run: Run | str | os.PathLike,
    *,
    checkpoint: CheckpointName = "latest",
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
    _write(run.vectors, vectors, step)
    return vectors


def kept_vectors(
    run: Run, checkpoint: CheckpointName = "latest"
) -> AttributeVectors | None:
    """Those that a run has for its checkpoint, or `None`."""
    latent_dim = cast(GenerativeSettings, run.settings.model).latent_dim
    return _read(run.vectors, run.checkpoint_step(checkpoint), latent_dim)


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
            f"The model in {run.folder} is conditional: it is told of "
            "attributes beside the code, so that none need be in it. Vectors "
            "are for models trained without `conditional`."
        )
    if not record.get("attribute_names"):
        raise ValueError(
            f"The data set of {run.folder} has no attributes, so that there "
            "are no attribute vectors."
        )


def _write(path: pathlib.Path, vectors: AttributeVectors, step: int) -> None:
    content = io.BytesIO()
    arrays: dict[str, Any] = {
        f"{kind}_{what}": getattr(vectors, what)[kind]
        for kind in VECTORS
        for what in ("vectors", "accuracies")
    }
    np.savez(
        content,
        step=step,
        names=np.asarray(vectors.names),
        left_out=np.asarray(vectors.left_out, np.str_),
        counts=vectors.counts,
        **arrays,
    )
    files.write_bytes(path, content.getvalue())


def _read(
    path: pathlib.Path, step: int, latent_dim: int
) -> AttributeVectors | None:
    """The vectors in a file; `None` if they are stale, damaged or none."""
    try:
        arrays = files.read_npz(path)
        names = tuple(map(str, arrays["names"]))
        vectors = AttributeVectors(
            names,
            arrays["counts"],
            {kind: arrays[f"{kind}_vectors"] for kind in VECTORS},
            {kind: arrays[f"{kind}_accuracies"] for kind in VECTORS},
            tuple(map(str, arrays["left_out"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    expected = {
        **{f"{kind}_vectors": (len(names), latent_dim) for kind in VECTORS},
        **{f"{kind}_accuracies": (len(names),) for kind in VECTORS},
        "counts": (len(names), 2),
        "step": (),
    }
    if any(arrays[name].shape != shape for name, shape in expected.items()):
        return None
    return vectors if arrays["step"] == step else None
