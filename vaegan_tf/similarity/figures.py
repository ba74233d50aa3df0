"""Where do images differ? Maps of the learned distance as pictures."""

import numpy as np

from vaegan_tf import images as layout

_HOT = np.array([255, 140, 0])
_GREY = np.array([0.299, 0.587, 0.114])  # Rec. 601, as Pillow's.


def heat(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Maps in orange on darkened grey images, uint8 (n, height, width, 3).

    Each map is shown relative to its own largest value, by the squares, which
    is what a distance sums. Where that value is 0, only the grey image is left.

    Args:
        images: Float in [−1, 1] or uint8, (n, height, width, 1 or 3).
        maps: From `LearnedMetric.difference_map`, (n, height, width).
    """
    pixels = layout.to_uint8(images)
    grey = pixels @ _GREY if pixels.shape[-1] == 3 else pixels[..., 0]
    largest = np.max(maps, axis=(1, 2), keepdims=True)
    level = np.square(maps / np.where(largest > 0, largest, 1))[..., None]
    mixed = (1 - level) * grey[..., None] / 2 + level * _HOT
    return np.rint(mixed).astype(np.uint8)


def map_grid(
    images: np.ndarray, others: np.ndarray, maps: np.ndarray
) -> np.ndarray:
    """Images, those they are compared with and `heat`, below each other.

    Returns:
        The figure, uint8 (height, width, 3), columns as `images.pairs_grid`
        wraps them.
    """
    shown = [layout.to_uint8(batch) for batch in (images, others)]
    coloured = [np.broadcast_to(b, (*b.shape[:3], 3)) for b in shown]
    return layout.pairs_grid([*coloured, heat(images, maps)])
