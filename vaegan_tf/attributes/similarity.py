"""How well do images show the attributes that were asked for?

A predictor says what images show. Its answers are probabilities p of boolean
attributes; they are compared on the scale from −1, surely absent, to 1, surely
present: 2p − 1 with 2a − 1 for an attribute a that is 0 or 1. The paper's
attributes of LFW are real numbers of either sign, so that a cosine means the
same for both, but the size of an error does not.
"""

from collections.abc import Mapping

import numpy as np

from vaegan_tf.evaluation.distances import mean_and_error


def answers(logits: np.ndarray) -> np.ndarray:
    """What log-odds say on the scale from −1 to 1: 2p − 1, same shape."""
    return np.tanh(np.asarray(logits, np.float64) / 2)


def cosine_similarity(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Cosine of the angle between attribute vectors, along the last axis."""
    norms = np.linalg.norm(query, axis=-1) * np.linalg.norm(answer, axis=-1)
    return np.sum(query * answer, axis=-1) / np.maximum(norms, 1e-12)


def mean_squared_error(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """Mean squared difference of attribute vectors, along the last axis."""
    return np.mean(np.square(query - answer), axis=-1)


def to_order(
    attributes: np.ndarray, logits: np.ndarray
) -> dict[str, tuple[float, float]]:
    """How well samples of a conditional model show what was asked for.

    Args:
        attributes: What was asked for, 0 or 1, (queries, k).
        logits: The predictor's log-odds on several samples of each query,
            (queries, samples, k). One sample each may be the real images,
            whose scores are the best to be had.

    Returns:
        `cosine` and `mse`, means over all samples; `best_cosine` and
        `best_mse`, of the best sample of each query. Each with the standard
        error of the mean over queries.

    Reference:
        Larsen et al. (2016), section 4.2, table 1: the best of 10 samples.
    """
    query = 2.0 * np.asarray(attributes, np.float64)[:, None] - 1.0
    cosine = cosine_similarity(query, answers(logits))
    error = mean_squared_error(query, answers(logits))
    return {
        "best_cosine": _mean(cosine.max(axis=1)),
        "best_mse": _mean(error.min(axis=1)),
        "cosine": _mean(cosine.mean(axis=1)),
        "mse": _mean(error.mean(axis=1)),
    }


def of_edits(
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    attribute: int,
) -> dict[str, tuple[float, float]]:
    """What putting an attribute on images without it has done.

    Args:
        before: The predictor's `logits`, (images, k), and `features`, (images,
            d), of the images.
        after: The same of the edited images.
        attribute: Place of the attribute among the k.

    Returns:
        `success`, the share of images in which the predictor sees it then;
        `leak`, the mean absolute change of the other attributes' log-odds;
        `flips`, the share of the other attributes' decisions that changed;
        `identity`, the mean cosine between features before and after. Each
        with its standard error.
    """
    others = np.arange(before["logits"].shape[1]) != attribute
    old, new = before["logits"][:, others], after["logits"][:, others]
    features = [np.asarray(x["features"], np.float64) for x in (before, after)]
    return {
        "success": _mean(after["logits"][:, attribute] > 0),
        "leak": _mean(np.abs(new - old).mean(axis=1)),
        "flips": _mean(((new > 0) != (old > 0)).mean(axis=1)),
        "identity": _mean(cosine_similarity(*features)),
    }


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error, 0 of one value."""
    mean, error = mean_and_error(values)
    return mean, error or 0.0
