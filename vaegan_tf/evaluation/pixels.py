"""How like is one image to another, pixel by pixel?

All formulas take 8-bit images, as they would be seen, and compute in float64.
"""

import numpy as np
import tensorflow as tf

LEVELS = 255.0
_SMALLEST_ERROR = 1e-10
_WINDOW, _SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03


def psnr(images, others):
    """Peak signal-to-noise ratio of each pair, in decibels.

    10 log₁₀(255² / mean squared error); 100 dB where images are equal.

    Args:
        images: uint8 (batch, height, width, channels).
        others: Of the same shape.

    Returns:
        float64 (batch,).
    """
    difference = images.astype(np.float64) - others
    error = np.square(difference / LEVELS).mean(axis=(1, 2, 3))
    return -10.0 * np.log10(np.maximum(error, _SMALLEST_ERROR))


def ssim(images, others):
    """Structural similarity of each pair, at most 1.

    Means and (co)variances are those under a Gaussian window of 11×11 pixels
    and σ = 1.5, wherever it fits into the image; the index is averaged over
    places and channels.

    Args:
        images: uint8 (batch, height, width, channels), at least 11×11.
        others: Of the same shape.

    Returns:
        float64 (batch,).

    Reference:
        Wang et al. (2004), "Image quality assessment", eq. 13.
    """
    x, y = (tf.constant(i, tf.float64) / LEVELS for i in (images, others))
    c1, c2 = _K1**2, _K2**2
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = _blurred(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return tf.reduce_mean(luminance * structure, axis=[1, 2, 3]).numpy()


def _blurred(images):
    """Means under the window, along one axis after the other."""
    for shape in ((_WINDOW, 1), (1, _WINDOW)):
        window = tf.reshape(_window(), [*shape, 1, 1])
        window = tf.tile(window, [1, 1, images.shape[-1], 1])
        images = tf.nn.depthwise_conv2d(images, window, [1, 1, 1, 1], "VALID")
    return images


def _window():
    places = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-0.5 * np.square(places / _SIGMA))
    return tf.constant(weights / weights.sum(), tf.float64)
