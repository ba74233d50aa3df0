import types

import numpy as np
import tensorflow as tf
from scipy import stats

from vaegan_tf.sampling import posterior_codes


class BrightnessModel:
    """q(z|x) is N((brightness, attribute), (0.5², e⁻⁴⁰))."""

    def as_example(self, example):
        return example

    def encode(self, image, attributes):
        brightness = tf.reduce_mean(image, axis=[1, 2, 3])
        mean = tf.stack([brightness, attributes[:, 0]], axis=-1)
        log_variance = tf.constant([2 * np.log(0.5), -40.0], tf.float32)
        return {"mean": mean, "log_variance": log_variance}


class Images:
    """Images of all levels in turn, whose attribute is their place."""

    def __init__(self, count):
        self.count = count

        self.attributes = np.arange(count, dtype=np.float32)[:, None]

    def __len__(self):
        return self.count

    def gather(self, indices):
        level = tf.cast(indices % 256, tf.uint8)[:, None, None, None]
        return {
            "image": tf.tile(level, [1, 2, 2, 3]),
            "attributes": tf.cast(indices, tf.float32)[:, None],
        }


def dataset_of(count):
    return types.SimpleNamespace(splits={"train": Images(count)})


def test_codes_are_draws_of_the_posterior_of_every_image():
    codes = posterior_codes(BrightnessModel(), dataset_of(1000), seed=1)
    np.testing.assert_allclose(codes.draw[:, 1], np.arange(1000), atol=1e-4)
    brightness = (np.arange(1000) % 256) / 127.5 - 1
    noise = codes.draw[:, 0] - brightness
    np.testing.assert_allclose(codes.mean[:, 0], brightness, atol=1e-6)
    assert stats.kstest(noise / 0.5, stats.norm.cdf).pvalue > 0.01
    again = posterior_codes(BrightnessModel(), dataset_of(1000), seed=1)
    np.testing.assert_array_equal(codes.draw, again.draw)
    other = posterior_codes(BrightnessModel(), dataset_of(1000), seed=2)
    assert (codes.draw[:, 0] != other.draw[:, 0]).all()


def test_of_many_images_some_are_taken_evenly():
    codes = posterior_codes(BrightnessModel(), dataset_of(101), max_codes=5)
    np.testing.assert_array_equal(codes.attributes[:, 0], [0, 25, 50, 75, 100])
    np.testing.assert_allclose(
        codes.draw[:, 1], [0, 25, 50, 75, 100], atol=1e-4
    )
