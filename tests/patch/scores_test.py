"""Scores of samples of one example, in closed form."""

import zlib

import numpy as np
import pytest

from vaegan_tf.evaluation.scores import table
from vaegan_tf.patch import scores
from vaegan_tf.patch.evaluation import evaluate_samples
from vaegan_tf.settings import PatchScoreSettings


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_patches_are_windows_in_their_places():
    image = np.arange(4 * 5).reshape(4, 5, 1)
    found = scores.patches(image, (2, 3))
    assert found.shape == (3, 3, 6)
    np.testing.assert_array_equal(found[1, 2], [7, 8, 9, 12, 13, 14])
    assert scores.patches(image, (9, 3)).shape == (1, 3, 12)
    assert scores.patches(noise(4, 5, 6, 3), (3, 2, 2)).shape == (2, 4, 5, 36)


def test_clouds_of_another_mean_are_their_shift_apart():
    cloud = np.random.default_rng(0).normal(size=(9, 11, 4))
    shifted = cloud + np.array([1.0, 2.0, 0.0, 0.0])
    assert scores.cloud_distance(cloud, shifted) == pytest.approx(5.0)
    # Twice as wide: Tr (C + 4C − 2·2C) = Tr C.
    flat = (cloud - cloud.mean((0, 1))).reshape(-1, 4)
    expected = np.trace(np.cov(flat.T))
    assert scores.cloud_distance(flat, 2 * flat) == pytest.approx(expected)


def test_diversity_is_relative_to_the_contrast_of_the_example():
    example = np.zeros((2, 2, 3))
    example[0] = 100.0  # Half of it: a standard deviation of 50.
    assert scores.diversity(np.stack([example] * 3), example) == 0.0
    other = example + np.array([30.0, 0.0, 0.0])  # An intensity of 10 more.
    found = scores.diversity(np.stack([example, other]), example)
    assert found == pytest.approx(5.0 / 50.0)


@pytest.mark.parametrize("shape", [(20, 24), (4, 12, 14)])
def test_a_copy_that_moves_has_known_patches_and_one_offset(shape):
    example = noise(*shape, 3)
    moved = example[..., 3:, :]
    size = (3,) * len(shape)
    found = scores.nearest_patches(moved, example, size)
    assert found.distance == pytest.approx(0.0, abs=1e-3)
    assert (found.offsets[..., -1] == 3).all()
    assert (found.offsets[..., :-1] == 0).all()
    raw = np.moveaxis(found.offsets, -1, 0).tobytes()
    assert found.field_diversity == len(zlib.compress(raw, 9)) / len(raw)
    assert found.field_diversity < 0.05
    shuffled = noise(*shape, 3, seed=1)
    other = scores.nearest_patches(shuffled, example, size)
    assert other.field_diversity > 5 * found.field_diversity


def test_the_nearest_patch_is_that_of_the_least_squared_difference():
    example, sample = noise(7, 8, 3), noise(6, 5, 3, seed=1)
    found = scores.nearest_patches(sample, example, (2, 2))
    own, theirs = (
        scores.patches(x, (2, 2)).reshape(-1, 12) for x in (example, sample)
    )
    errors = np.square(theirs[:, None] - own[None]).mean(axis=2)
    np.testing.assert_allclose(
        found.distances.ravel(), np.sqrt(errors.min(axis=1)), rtol=1e-4
    )


def test_samples_are_scored_beside_a_moved_copy():
    example = noise(12, 16, 3)
    settings = PatchScoreSettings(patch_size=3)
    copies = np.stack([example, example])
    evaluation = evaluate_samples(copies, example, settings)
    named = {score.name: score for score in evaluation.scores}
    assert named["patch_frechet_distance"].value == pytest.approx(0, abs=1e-6)
    assert named["nearest_patch"].value == pytest.approx(0, abs=1e-3)
    assert named["pixel_diversity"].value == 0.0
    assert named["field_diversity"].floor > named["field_diversity"].value
    assert named["nearest_patch"].features == "pixels of patches, 3×3"
    assert "single-image Fréchet distance" in table(evaluation)


def test_clips_are_scored_by_patches_in_time():
    example = noise(4, 10, 12, 3)
    samples = noise(2, 4, 10, 12, 3, seed=1)
    evaluation = evaluate_samples(
        samples, example, PatchScoreSettings(patch_size=3, patch_frames=2)
    )
    (score,) = (s for s in evaluation.scores if s.name == "nearest_patch")
    assert score.features == "pixels of patches, 2×3×3"
    assert score.value > score.floor
