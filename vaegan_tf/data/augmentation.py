"""Random changes of a batch that leave faces faces.

Every change is a pure function of the batch and a seed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

# Translation is in pixels of the authors' crop of this size.
_AUTHORS_CROP_SIZE = 148


class Rows(NamedTuple):
    """Which rows of a batch images are, where only a part of it is at hand.

    Each image is changed as it would be within the whole batch.

    Args:
        first: Number of the first row.
        count: How many rows.
        total: Rows of the whole batch.
    """

    first: int | tf.Tensor
    count: int | tf.Tensor
    total: int | tf.Tensor

    def of(self, batch: tf.Tensor) -> tf.Tensor:
        """These rows of a whole batch."""
        part = batch[self.first : self.first + self.count]
        return tf.ensure_shape(part, [_static(self.count), *batch.shape[1:]])


Augmentation = Callable[[tf.Tensor, tf.Tensor, Rows | None], tf.Tensor]


def flip(
    images: tf.Tensor, seed: tf.Tensor, rows: Rows | None = None
) -> tf.Tensor:
    """Mirror every image left to right with probability one half.

    The authors' code mirrors whole batches; here each image has its own lot.

    Args:
        images: (batch, height, width, channels).
        seed: Stateless seed, integers (2,).
        rows: Which rows of a batch the images are; all by default.

    Returns:
        (batch, height, width, channels).
    """
    rows = rows or _all_rows(images)
    lots = rows.of(tf.random.stateless_uniform([rows.total], seed))
    mirrored = lots[:, None, None, None] < 0.5
    return tf.where(mirrored, tf.reverse(images, [2]), images)


def distort(
    images: tf.Tensor,
    seed: tf.Tensor,
    rows: Rows | None = None,
    *,
    translation: float = 2.0,
    scale: float = 0.01,
    rotation: float = 0.01,
    gamma: float = 0.05,
    contrast: float = 0.05,
    hue: float = 0.01,
) -> tf.Tensor:
    """Move, turn and tint every image a little.

    Args:
        images: (batch, height, width, 3 or 1), in [−1, 1].
        seed: Stateless seed, integers (2,).
        rows: Which rows of a batch the images are; all by default.
        translation: Standard deviation in pixels of a crop 148 pixels high.
        scale: Standard deviation of the scale.
        rotation: Standard deviation in radians.
        gamma: Standard deviation of the logarithm (to base e^(1/ln 2)) of the
            exponent of the whole image.
        contrast: The same for the exponent of saturation and value.
        hue: Standard deviation in turns; grey images have no hue.

    Returns:
        (batch, height, width, channels), in [−1, 1].

    Reference:
        `dataset/augment.py` and `dataset/celeba.py` of the authors' code,
        https://github.com/andersbll/autoencoding_beyond_pixels. It distorts
        600,000 pictures once, before the crop is made small, with cubic
        interpolation; here every batch is distorted anew, after it, bilinearly.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    rows = rows or _all_rows(images)
    pixels = images.shape[1] / _AUTHORS_CROP_SIZE
    images = _move(
        images,
        translation=_normal(seeds[0], translation * pixels, rows, [2]),
        scale=1.0 + _normal(seeds[1], scale, rows),
        rotation=_normal(seeds[2], rotation, rows),
    )
    images = tf.clip_by_value((images + 1.0) / 2.0, 0.0, 1.0)
    images = _power(images, _exponent(seeds[3], gamma, rows))
    turns = _normal(seeds[5], hue, rows, [1, 1, 1])
    images = _tint(images, _exponent(seeds[4], contrast, rows), turns)
    return tf.clip_by_value(images * 2.0 - 1.0, -1.0, 1.0)


def flip_and_distort(
    images: tf.Tensor, seed: tf.Tensor, rows: Rows | None = None
) -> tf.Tensor:
    """The authors' augmentation: `flip`, then `distort`."""
    first, second = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    return distort(flip(images, first, rows), second, rows)


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": lambda images, seed, rows=None: images,
    "flip": flip,
    "authors": flip_and_distort,
}


def _all_rows(images):
    count = tf.shape(images)[0]
    return Rows(0, count, count)


def _static(count):
    return count if isinstance(count, int) else None


def _normal(seed, sigma, rows, shape=()):
    everyone = tf.random.stateless_normal([rows.total, *shape], seed)
    return sigma * rows.of(everyone)


def _exponent(seed, sigma, rows):
    logarithm = sigma**2 + _normal(seed, sigma, rows, [1, 1, 1])
    return tf.exp(logarithm / math.log(2))


def _move(images, translation, scale, rotation):
    """Sample the images at scaled, turned and shifted places.

    Places outside take the colour of the nearest border.
    """
    center_y = (images.shape[1] - 1) / 2
    center_x = (images.shape[2] - 1) / 2
    cos = scale * tf.cos(rotation)
    sin = scale * tf.sin(rotation)
    offset_x = center_x + translation[:, 0] - cos * center_x + sin * center_y
    offset_y = center_y + translation[:, 1] - sin * center_x - cos * center_y
    zeros = tf.zeros_like(cos)
    rows = [cos, -sin, offset_x, sin, cos, offset_y, zeros, zeros]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=images.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _tint(images, exponent, turns):
    if images.shape[-1] == 1:
        return _power(images, exponent)
    hue, saturation, value = tf.unstack(tf.image.rgb_to_hsv(images), axis=-1)
    exponent, turns = exponent[..., 0], turns[..., 0]
    hsv = [
        tf.math.floormod(hue + turns, 1.0),
        _power(saturation, exponent),
        _power(value, exponent),
    ]
    return tf.image.hsv_to_rgb(tf.stack(hsv, axis=-1))


def _power(base, exponent):
    # Several times faster than `**`, and 0 stays 0.
    return tf.exp(exponent * tf.math.log(base))
