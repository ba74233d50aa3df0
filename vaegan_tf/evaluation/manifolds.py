"""Fidelity and variety: do two sets of vectors cover each other?"""

import numpy as np

NEAREST = 5
_BLOCK = 1024


def manifold_scores(real, generated, nearest=NEAREST):
    """Precision, recall, density and coverage of generated vectors.

    The manifold of a set is the union of balls around its vectors, each of
    the radius at which its k-th nearest neighbour lies in the set.
    *Precision* is the share of generated vectors on the real manifold,
    *recall* that of real vectors on the generated one, *density* the mean
    number of real balls around a generated vector, over k, and *coverage*
    the share of real balls with a generated vector inside.

    Args:
        real: (m, d), more than `nearest`.
        generated: (n, d), more than `nearest`.
        nearest: k.

    Returns:
        The four numbers by name.

    Reference:
        Kynkäänniemi et al. (2019), eqs. 1 and 2; Naeem et al. (2020), eqs. 4
        and 5.
    """
    real, generated = (np.asarray(v, np.float64) for v in (real, generated))
    real_radii = squared_radii(real, nearest)
    generated_radii = squared_radii(generated, nearest)
    around = np.zeros(len(generated), np.int64)
    recalled, covered = [], []
    for rows in _blocks(len(real)):
        distances = squared_distances(real[rows], generated)
        inside = distances < real_radii[rows, None]
        around += inside.sum(axis=0)
        covered.append(inside.any(axis=1))
        recalled.append((distances < generated_radii).any(axis=1))
    return {
        "precision": float((around > 0).mean()),
        "recall": float(np.concatenate(recalled).mean()),
        "density": float(around.mean() / nearest),
        "coverage": float(np.concatenate(covered).mean()),
    }


def squared_radii(vectors, nearest):
    """Squared distance of each vector's k-th nearest other one, (n,).

    Raises:
        ValueError: If there are not more than k vectors.
    """
    if len(vectors) <= nearest:
        raise ValueError(
            f"A manifold of {nearest} nearest neighbours needs at least "
            f"{nearest + 1} vectors. Received: {len(vectors)}."
        )
    radii = []
    for rows in _blocks(len(vectors)):
        distances = squared_distances(vectors[rows], vectors)
        own = np.arange(rows.start, rows.start + len(distances))
        distances[np.arange(len(own)), own] = np.inf
        ordered = np.partition(distances, nearest - 1, axis=1)
        radii.append(ordered[:, nearest - 1])
    return np.concatenate(radii)


def squared_distances(first, second):
    """Squared Euclidean distances of all pairs, (m, n)."""
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1)
    return np.maximum(squares - 2 * first @ second.T, 0.0)


def _blocks(count):
    return [slice(start, start + _BLOCK) for start in range(0, count, _BLOCK)]
