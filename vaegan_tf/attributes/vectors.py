"""Visual attribute vectors: in which direction of z does an attribute lie?"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vaegan_tf.sampling import PosteriorCodes

MIN_EXAMPLES = 20
# Of ridge regressions on codes, whose variance is about 1.
_PENALTIES = 10.0 ** np.arange(-1, 6)


@dataclasses.dataclass(frozen=True, eq=False)
class AttributeVectors:
    """Directions in latent space, one for each attribute and kind.

    Args:
        names: Names of the attributes, k of them.
        counts: Examples with and without each attribute, int64 (k, 2).
        vectors: Directions by kind, float32 (k, latent) each. Added once to
            the code of an image without the attribute, they give it.
        accuracies: By kind, how well the direction tells held-out codes with
            the attribute from those without: the mean of the accuracies on
            either side, 0.5 by chance, float64 (k,). The threshold is half-way
            between the means of both sides of the training codes.
        left_out: Attributes with too few examples on either side.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    vectors: Mapping[str, np.ndarray]
    accuracies: Mapping[str, np.ndarray]
    left_out: tuple[str, ...] = ()

    def cosines(self, kind: str) -> np.ndarray:
        """Cosines of the angles between all directions of a kind, (k, k)."""
        unit = self.vectors[kind] / self.norms(kind)[:, None]
        return unit @ unit.T

    def norms(self, kind: str) -> np.ndarray:
        """Lengths of the directions of a kind, (k,)."""
        return np.linalg.norm(self.vectors[kind], axis=1)

    def direction(
        self, strengths: Mapping[str, float], kind: str = "balanced"
    ) -> np.ndarray:
        """What to add to codes for several attributes at once, (latent,).

        Raises:
            ValueError: If there is no such attribute.
        """
        for name in strengths:
            if name in self.left_out:
                raise ValueError(
                    f"{name} has no vector: too few images are with it, or "
                    "without it."
                )
            if name not in self.names:
                raise ValueError(
                    f"There is no attribute {name!r}. There are: "
                    f"{', '.join(self.names)}."
                )
        rows = [self.names.index(name) for name in strengths]
        weights = np.asarray(list(strengths.values()), np.float32)
        return weights @ self.vectors[kind][rows]


def fit_vectors(
    codes: PosteriorCodes,
    held_out: PosteriorCodes,
    names: Sequence[str],
    min_examples: int = MIN_EXAMPLES,
) -> AttributeVectors:
    """Computes the vectors of all attributes, of every kind.

    Args:
        codes: Codes and attributes to compute them from.
        held_out: Others to measure accuracies with.
        names: Names of the attributes.
        min_examples: An attribute needs as many with it, and without it.

    Raises:
        ValueError: If no attribute has enough examples.
    """
    present = codes.attributes > 0.5
    counts = np.stack([present.sum(axis=0), (~present).sum(axis=0)], axis=1)
    enough = counts.min(axis=1) >= min_examples
    if not enough.any():
        raise ValueError(
            f"No attribute has {min_examples} images with it and "
            f"{min_examples} without: there are {len(present)} images of "
            f"{len(names)} attributes."
        )
    present, truth = present[:, enough], held_out.attributes[:, enough] > 0.5
    methods: dict[str, Callable] = {
        "plain": lambda: plain_vectors(codes.draw, present),
        "balanced": lambda: balanced_vectors(codes.mean, present),
        "orthogonal": lambda: orthogonal_vectors(codes.mean, present),
    }
    vectors = {kind: fit().astype(np.float32) for kind, fit in methods.items()}
    return AttributeVectors(
        names=tuple(np.asarray(names)[enough].tolist()),
        counts=counts[enough],
        vectors=vectors,
        accuracies={
            kind: _accuracies(rows, codes.mean, present, held_out.mean, truth)
            for kind, rows in vectors.items()
        },
        left_out=tuple(np.asarray(names)[~enough].tolist()),
    )


def plain_vectors(codes: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Differences of mean codes, with the attribute less without it.

    Args:
        codes: Codes, (images, latent).
        present: Whether images have attributes, bool (images, k), some on
            either side of each.

    Returns:
        One direction for each attribute, (k, latent).

    Reference:
        Larsen et al. (2016), section 4.2; the authors' code takes draws of
        q(z|x).
    """
    weights = np.where(present, 1.0, 0.0)
    return _difference(codes, weights, 1.0 - weights)


def balanced_vectors(codes: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Differences of mean codes between sides that are otherwise alike.

    Plain vectors carry along what occurs together: that of `Eyeglasses` makes
    faces older and male. Here each image has the overlap weight 1 − e with the
    attribute and e without it, where e is its probability of having it, by a
    logistic regression on the other attributes. Weighted so, the shares of
    these are the same on both sides. Attributes that cannot vary freely
    beside it, as one colour of hair beside another, are no part of this.

    Args and returns are as for `plain_vectors`.

    Reference:
        Li, Morgan and Zaslavsky (2018), "Balancing covariates via propensity
        score weighting", theorem 3.
    """
    propensities = np.stack(
        [
            _propensity(present[:, others], present[:, k])
            for k, others in enumerate(_free(present))
        ],
        axis=1,
    )
    with_it = np.where(present, 1.0 - propensities, 0.0)
    without = np.where(present, 0.0, propensities)
    return _difference(codes, with_it, without)


def orthogonal_vectors(codes: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Directions along which a linear model sees one attribute alone change.

    A ridge regression on codes answers for each attribute; the vector is what
    of its own normal is orthogonal to the normals of those that vary freely
    beside it, at most half as many as a code has numbers, the nearest first.
    It is as long as the mean codes with and without the attribute lie apart in
    this direction: short where it is hardly told from the others.

    Args and returns are as for `plain_vectors`.
    """
    from sklearn.linear_model import RidgeCV

    ridge = RidgeCV(_PENALTIES, alpha_per_target=True)
    normals = ridge.fit(codes, present.astype(np.float64)).coef_
    normals = normals.reshape(present.shape[1], -1)  # One target has no axis.
    rows = [
        _without(normals[k], normals[others])
        for k, others in enumerate(_free(present))
    ]
    units = np.stack([row / np.linalg.norm(row) for row in rows])
    apart = np.sum(units * plain_vectors(codes, present), axis=1)
    return units * apart[:, None]


def _difference(codes, with_it, without):
    """Differences of weighted means; weights are (images, k)."""
    means = [(w / w.sum(axis=0)).T @ codes for w in (with_it, without)]
    return means[0] - means[1]


def _free(present, fewest=5):
    """For each attribute the places of those that vary freely beside it.

    Two do if each combination of both is seen a few times.
    """
    on = present.astype(np.int64)
    cells = [on.T @ on, on.T @ (1 - on), (1 - on).T @ on]
    cells.append(len(on) - sum(cells))
    free = np.min(cells, axis=0) >= fewest
    np.fill_diagonal(free, False)
    return [np.flatnonzero(row) for row in free]


def _propensity(others, own):
    """Probability of an attribute by the others, (images,)."""
    from sklearn.linear_model import LogisticRegression

    if not others.shape[1]:
        return np.full(len(own), own.mean())
    model = LogisticRegression(C=1e3, max_iter=2000, tol=1e-6)
    return model.fit(others.astype(np.float64), own).predict_proba(others)[:, 1]


def _without(normal, others):
    """What is left of a normal beside others, the nearest ones first."""
    lengths = np.linalg.norm(others, axis=1) + 1e-12
    nearness = np.abs(others @ normal) / lengths
    nearest = others[np.argsort(-nearness)[: len(normal) // 2]]
    parallel = nearest.T @ np.linalg.lstsq(nearest.T, normal, rcond=None)[0]
    return normal - parallel


def _accuracies(vectors, codes, present, held_out, truth):
    """Balanced accuracies of directions as classifiers, (k,)."""
    projected, answers = codes @ vectors.T, held_out @ vectors.T
    sides = [np.where(side, projected, np.nan) for side in (present, ~present)]
    middle = sum(np.nanmean(side, axis=0) for side in sides) / 2
    right = (answers > middle) == truth
    with np.errstate(invalid="ignore"):
        shares = [
            (right & side).sum(axis=0) / side.sum(axis=0)
            for side in (truth, ~truth)
        ]
    return np.mean(shares, axis=0)
