"""Random changes of a batch: pure functions of the batch and a seed."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

# Translation is in pixels of the authors' crop of this size.
_AUTHORS_CROP_SIZE = 148


class Rows(NamedTuple):
    """Which rows of a batch images are, where only a part of it is present.

    Each image is changed as it would be within the whole batch.
    """

    first: int | tf.Tensor
    size: int | tf.Tensor
    total: int | tf.Tensor  # Rows of the whole batch.

    def of(self, batch: tf.Tensor) -> tf.Tensor:
        """These rows of a whole batch."""
        part = batch[self.first : self.first + self.size]
        static = self.size if isinstance(self.size, int) else None
        return tf.ensure_shape(part, [static, *batch.shape[1:]])


def flip(
    images: tf.Tensor, seed: tf.Tensor, rows: Rows | None = None
) -> tf.Tensor:
    """Mirrors every image left to right with probability one half.

    The authors' code mirrors whole batches; here each image is drawn by itself.

    Args:
        images: (batch, height, width, channels).
        seed: Stateless seed, integers (2,).
        rows: Which rows of a batch the images are; all by default.
    """
    rows = rows or _all_rows(images)
    uniform = rows.of(tf.random.stateless_uniform([rows.total], seed))
    mirrored = uniform[:, None, None, None] < 0.5
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
    """Shifts, scales, rotates and tints every image a little.

    Args:
        images: (batch, height, width, 3 or 1), in [−1, 1].
        seed: As in `flip`.
        rows: As in `flip`.
        translation: Standard deviation in pixels of a crop 148 pixels high.
        scale: Standard deviation of the scale.
        rotation: Standard deviation in radians.
        gamma: Standard deviation of the logarithm (to base e^(1/ln 2)) of the
            exponent of the whole image.
        contrast: The same for the exponent of saturation and value.
        hue: Standard deviation in turns; grey images have no hue.

    Reference:
        `dataset/augment.py` and `dataset/celeba.py` of the authors' code,
        https://github.com/andersbll/autoencoding_beyond_pixels. It distorts
        600,000 images once, before the crop is resized, with cubic
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


AUGMENTATIONS: dict[str, Callable[..., tf.Tensor]] = {
    "none": lambda images, seed, rows=None: images,
    "flip": flip,
    "authors": flip_and_distort,
}


def _all_rows(images):
    count = tf.shape(images)[0]
    return Rows(0, count, count)


def _normal(seed, sigma, rows, shape=()):
    noise = tf.random.stateless_normal([rows.total, *shape], seed)
    return sigma * rows.of(noise)


def _exponent(seed, sigma, rows):
    logarithm = sigma**2 + _normal(seed, sigma, rows, [1, 1, 1])
    return tf.exp(logarithm / math.log(2))


def _move(images, translation, scale, rotation):
    """Samples the images at scaled, rotated and shifted positions.

    Positions outside have the colour of the nearest border.
    """
    center_y = (images.shape[1] - 1) / 2
    center_x = (images.shape[2] - 1) / 2
    cos, sin = scale * tf.cos(rotation), scale * tf.sin(rotation)
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
    hue = tf.math.floormod(hue + turns[..., 0], 1.0)
    vivid = _power(tf.stack([saturation, value], axis=-1), exponent)
    return tf.image.hsv_to_rgb(tf.concat([hue[..., None], vivid], axis=-1))


def _power(base, exponent):
    # Several times faster than `**`, and 0 stays 0.
    return tf.exp(exponent * tf.math.log(base))
