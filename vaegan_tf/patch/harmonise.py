"""How does a pasted object take on a picture's patches, and nothing else?"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image, ImageFilter

from vaegan_tf.patch.pyramid import resized

FADING = 50  # The longer side over the unit of width of a mask's border.


def softened(mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A mask at the size of a sample, with a border that fades outwards.

    What is white stays 1; around it the mask falls to 0 in 2 w + 1 pixels, by
    as much at each, where w is a fiftieth of the longer side.

    Args:
        mask: White where something new is drawn, uint8 (height, width, 3).
        shape: Height and width of the sample.

    Returns:
        float32 (1, height, width, 1) in [0, 1].

    Reference:
        Shaham et al. (2019), "SinGAN", who widen and blur a mask likewise.
    """
    height, width = shape
    border = max(1, round(max(shape) / FADING))
    grey = Image.fromarray(mask).convert("L")
    grey = grey.resize((width, height), Image.Resampling.BOX)
    grey = grey.filter(ImageFilter.MaxFilter(2 * border + 1))
    soft = np.asarray(grey.filter(ImageFilter.BoxBlur(border)), np.float32)
    return soft[None, ..., None] / 255


def blended(drawn: tf.Tensor, start: tf.Tensor, mask: np.ndarray) -> tf.Tensor:
    """What was drawn where a `softened` mask is 1, and the start where it is 0.

    Args:
        drawn: (batch, height, width, channels).
        start: The same of any height and width.
        mask: As of `softened`, of the size of what was drawn.
    """
    return mask * drawn + (1 - mask) * resized(start, drawn.shape[1:-1])
