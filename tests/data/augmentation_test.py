import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.data import augmentation
from vaegan_tf.settings.training import AUGMENTATIONS

SEED = tf.constant([3, 7], tf.int64)
ZERO = dict.fromkeys(
    ["translation", "scale", "rotation", "gamma", "contrast", "hue"], 0.0
)


def images(batch=16, size=32, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(-1, 1, [batch, 4, 4, channels])
    return tf.image.resize(coarse, (size, size))


def test_flip_mirrors_some_images_whole():
    before = images(64)
    after = augmentation.flip(before, SEED).numpy()
    mirrored = np.all(after == before.numpy()[:, :, ::-1], axis=(1, 2, 3))
    kept = np.all(after == before.numpy(), axis=(1, 2, 3))
    assert np.all(mirrored ^ kept)
    assert 16 < mirrored.sum() < 48


def test_no_deviation_is_no_change():
    before = images()
    after = augmentation.distort(before, SEED, **ZERO)
    np.testing.assert_allclose(after, before, atol=2e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", list(augmentation.AUGMENTATIONS))
def test_shape_range_and_statelessness(name, channels):
    augment = augmentation.AUGMENTATIONS[name]
    before = images(channels=channels)
    after = augment(before, SEED)
    assert after.shape == before.shape
    assert np.abs(after).max() <= 1
    np.testing.assert_array_equal(after, augment(before, SEED))
    np.testing.assert_allclose(
        after, tf.function(augment)(before, SEED), atol=1e-5
    )
    if name != "none":
        other = augment(before, SEED + 1)
        assert np.abs(other - after).max() > 0.01


def test_authors_change_is_small_and_differs_between_images():
    same = tf.repeat(images(1), 8, axis=0)
    after = augmentation.distort(same, SEED)
    change = np.abs(after - same).mean(axis=(1, 2, 3))
    assert np.all(change > 1e-3)
    assert np.all(change < 0.3)
    assert np.std(change) > 1e-3


def test_translation_is_scaled_from_the_full_crop():
    """σ = 2 of 148 pixels is 1 of 74: the centre of a blob moves so."""
    size = 74
    blob = np.full([512, size, size, 1], -1, np.float32)
    blob[:, 35:39, 35:39] = 1
    options = {**ZERO, "translation": 2.0}
    after = augmentation.distort(tf.constant(blob), SEED, **options).numpy() + 1
    weights = after.sum(axis=(2, 3))
    places = weights @ np.arange(size) / weights.sum(axis=1)
    assert places.mean() == pytest.approx(36.5, abs=0.2)
    assert places.std() == pytest.approx(1.0, abs=0.12)


def test_rotation_is_about_the_centre():
    turn = {**ZERO, "rotation": 0.5}
    blob = np.full([4, 33, 33, 1], -1, np.float32)
    blob[:, 16, 16] = 1
    after = augmentation.distort(tf.constant(blob), SEED, **turn)
    np.testing.assert_allclose(after[:, 16, 16, 0], 1, atol=1e-4)


def test_border_takes_the_nearest_color():
    white = tf.ones([8, 16, 16, 3])
    options = {**ZERO, "translation": 40.0}
    np.testing.assert_allclose(
        augmentation.distort(white, SEED, **options), 1, atol=1e-6
    )


def test_grey_gamma_is_an_exponent():
    """The exponent is exp((σ² + σ ε) / ln 2), the same for all pixels."""
    before = images(4, channels=1)
    after = augmentation.distort(before, SEED, **{**ZERO, "gamma": 0.2})
    ratio = np.log((after + 1) / 2) / np.log((before + 1) / 2)
    first = ratio[:, :1, :1]
    np.testing.assert_allclose(ratio, tf.ones_like(ratio) * first, rtol=1e-3)
    assert np.ptp(first) > 0.05


def test_augmentations_are_those_of_the_settings():
    assert tuple(augmentation.AUGMENTATIONS) == AUGMENTATIONS
