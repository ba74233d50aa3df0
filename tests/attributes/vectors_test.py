"""Vectors of codes that are made of known directions."""

import numpy as np
import pytest

from vaegan_tf.attributes import VECTORS, fit_vectors
from vaegan_tf.attributes.vectors import (
    balanced_vectors,
    orthogonal_vectors,
    plain_vectors,
)
from vaegan_tf.sampling import PosteriorCodes


def correlated(count=4000, seed=0):
    """Two attributes of which one mostly comes with the other."""
    generator = np.random.default_rng(seed)
    glasses = generator.random(count) < 0.5
    old = generator.random(count) < np.where(glasses, 0.8, 0.2)
    return np.stack([glasses, old], axis=1)


def codes_of(present, effects, noise=0.5, seed=1):
    generator = np.random.default_rng(seed)
    errors = noise * generator.normal(size=(len(present), effects.shape[1]))
    return (present @ effects + errors).astype(np.float32)


EFFECTS = np.array([[2.0, 0, 0, 0], [0, 1.0, 0, 0]])


def test_plain_vectors_are_differences_of_means():
    codes = np.array([[0, 1], [2, 1], [4, 9]], np.float32)
    present = np.array([[True], [True], [False]])
    np.testing.assert_array_equal(plain_vectors(codes, present), [[-3, -8]])


def test_plain_vectors_carry_along_what_occurs_together():
    present = correlated()
    plain = plain_vectors(codes_of(present, EFFECTS), present)
    # P(old | glasses) − P(old | none) = 0.6, and the reverse by symmetry.
    np.testing.assert_allclose(plain[0], [2, 0.6, 0, 0], atol=0.06)
    np.testing.assert_allclose(plain[1], [1.2, 1, 0, 0], atol=0.09)


def test_balanced_vectors_have_the_effect_alone():
    present = correlated()
    balanced = balanced_vectors(codes_of(present, EFFECTS), present)
    np.testing.assert_allclose(balanced, EFFECTS, atol=0.08)


def test_balanced_sides_have_the_same_shares_of_other_attributes():
    """The codes are the attributes: their difference is that of shares."""
    present = correlated()
    shares = balanced_vectors(present.astype(np.float64), present)
    np.testing.assert_allclose(shares, np.eye(2), atol=2e-3)


def test_what_excludes_each_other_is_not_balanced():
    """Of three colours one is there: each still has its own direction."""
    colour = np.random.default_rng(0).integers(3, size=900)
    present = np.eye(3, dtype=bool)[colour]
    codes = present.astype(np.float64)
    np.testing.assert_allclose(
        balanced_vectors(codes, present), plain_vectors(codes, present)
    )


def test_orthogonal_vectors_are_orthogonal_to_the_other_normals():
    present = correlated()
    mixed = np.array([[2.0, 1, 0, 0], [1.0, 2, 0, 0]])
    codes = codes_of(present, mixed)
    vectors = orthogonal_vectors(codes, present)
    # An independent least-squares fit has the same normals: the penalty is
    # small beside 4,000 codes.
    design = np.column_stack([codes, np.ones(len(codes))])
    normals = np.linalg.lstsq(design, present.astype(float), rcond=None)[0]
    answers = vectors @ normals[:4]
    assert abs(answers[0, 1]) < 0.01 * abs(answers[0, 0])
    assert abs(answers[1, 0]) < 0.01 * abs(answers[1, 1])
    # As long as the means lie apart: v · d = v · v.
    apart = np.sum(vectors * plain_vectors(codes, present), axis=1)
    np.testing.assert_allclose(apart, np.sum(vectors**2, axis=1), rtol=1e-5)


def test_many_attributes_in_few_dimensions_have_orthogonal_vectors_too():
    generator = np.random.default_rng(0)
    present = generator.random((500, 9)) < 0.5
    codes = codes_of(present, generator.normal(size=(9, 4)))
    vectors = orthogonal_vectors(codes, present)
    assert np.isfinite(vectors).all()
    assert (np.linalg.norm(vectors, axis=1) > 0.1).all()


def posterior(present, effects=EFFECTS, seed=1):
    codes = codes_of(present, effects, seed=seed)
    return PosteriorCodes(codes, codes, present.astype(np.float32))


@pytest.fixture(scope="module")
def fitted():
    rare = np.zeros((4000, 1), bool)
    rare[:5] = True
    return fit_vectors(
        posterior(np.hstack([correlated(), rare]), np.eye(3, 4)),
        posterior(np.hstack([correlated(seed=5), rare]), np.eye(3, 4), seed=6),
        ["Eyeglasses", "Old", "Rare"],
    )


def test_attributes_of_few_examples_are_left_out_and_named(fitted):
    assert fitted.names == ("Eyeglasses", "Old")
    assert fitted.left_out == ("Rare",)
    assert fitted.counts.sum(axis=1).tolist() == [4000, 4000]
    with pytest.raises(ValueError, match="Rare has no vector: too few images"):
        fitted.direction({"Rare": 1.0})


def test_accuracies_are_those_of_the_best_threshold_of_two_gaussians(fitted):
    """Sides one apart with deviations of 0.5: Φ(1) of each is right."""
    accuracy = fitted.accuracies["balanced"]
    np.testing.assert_allclose(accuracy, 0.8413, atol=0.03)
    assert set(fitted.accuracies) == set(VECTORS)


def test_directions_of_several_attributes_add_up(fitted):
    both = fitted.direction({"Old": -2.0, "Eyeglasses": 0.5}, "plain")
    glasses, old = fitted.vectors["plain"]
    np.testing.assert_allclose(both, 0.5 * glasses - 2 * old, rtol=1e-5)
    with pytest.raises(ValueError, match=r"no attribute 'Hat'. There are: Eye"):
        fitted.direction({"Hat": 1.0})


def test_cosines_are_those_of_the_angles(fitted):
    cosines = fitted.cosines("plain")
    glasses, old = fitted.vectors["plain"].astype(np.float64)
    expected = glasses @ old / np.sqrt(glasses @ glasses * (old @ old))
    np.testing.assert_allclose(
        cosines, [[1, expected], [expected, 1]], atol=1e-6
    )


def test_without_examples_there_are_no_vectors():
    few = posterior(correlated(10))
    with pytest.raises(ValueError, match="No attribute has 20 images with it"):
        fit_vectors(few, few, ["Eyeglasses", "Old"])
