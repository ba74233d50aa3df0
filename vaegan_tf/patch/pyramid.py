"""How large is the example at each scale?

Shapes are (height, width) of a picture and (frames, height, width) of a clip.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

Shape = tuple[int, ...]
Size: TypeAlias = int | tf.Tensor


@dataclasses.dataclass(frozen=True)
class Pyramid:
    """Shapes of an example, the coarsest scale first, and sampling rates.

    Args:
        shapes: One for each scale.
        rates: Of a clip, each scale sees every so manieth frame.
    """

    shapes: tuple[Shape, ...]
    rates: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def is_clip(self) -> bool:
        """Whether there are frames."""
        return len(self.shapes[0]) == 3

    def at(self, example: tf.Tensor, scale: int) -> tf.Tensor:
        """A batch of examples at a scale, (batch, *shape, channels).

        Frames are left out; pixels are averaged by a bicubic filter.
        """
        if self.is_clip:
            example = example[:, :: self.rates[scale]]
        return resized(example, self.shapes[scale])

    def fitted(self, shape: Sequence[Size]) -> tuple[tuple[Size, ...], ...]:
        """Shapes of all scales for a sample of another shape.

        Each side has the same share of the finest one as in training.
        """
        finest = self.shapes[-1]
        return tuple(
            tuple(
                _scaled(wanted, side / last)
                for side, wanted, last in zip(own, shape, finest)
            )
            for own in self.shapes
        )


def create_pyramid(
    shape: Sequence[int],
    smallest_size: int,
    scale_factor: float,
    sampling_rates: Sequence[int],
) -> Pyramid:
    """The pyramid of an example.

    There are ⌈log(smallest / size) / log(factor)⌉ + 2 scales, each smaller than
    the next by (smallest / size)^(1 / (scales − 1)), where size is the longer
    side; the authors' code counts by the width, which is the longer side of
    all their clips. Sampling rates are spread over the scales so that the last
    one is reached at the finest.

    Raises:
        ValueError: If the example is no larger than the smallest scale.

    Reference:
        Gur et al. (2020); counts of scales as in their code, where 256 pixels
        and 32 make 10.
    """
    *_, height, width = shape
    size = max(height, width)
    if size <= smallest_size:
        raise ValueError(
            "`image_size` must be above `smallest_size`, the size of the "
            f"coarsest scale. Received: image_size={size}, "
            f"smallest_size={smallest_size}."
        )
    steps = math.log(smallest_size / size) / math.log(scale_factor)
    last = math.ceil(round(steps, 9)) + 1
    factor = (smallest_size / size) ** (1 / last)
    shapes, rates = [], []
    for scale in range(last + 1):
        share = factor ** (last - scale)
        rate = sampling_rates[scale * (len(sampling_rates) - 1) // last]
        # A share of the longer side is a whole number up to rounding.
        sides = [math.ceil(round(n * share, 6)) for n in (height, width)]
        frames = [math.ceil(count / rate) for count in shape[:-2]]
        shapes.append((*frames, *sides))
        rates.append(rate)
    return Pyramid(tuple(shapes), tuple(rates))


def cropped(shape: Sequence[int], longest: int | None) -> Shape:
    """Sizes of a crop, no side of which is above the longest; `None`: whole.

    All frames of a clip stay.
    """
    if longest is None:
        return tuple(shape)
    *frames, height, width = shape
    return (*frames, min(height, longest), min(width, longest))


def resized(example: tf.Tensor, shape: Sequence[Size]) -> tf.Tensor:
    """A batch of examples in other sizes, with values in [−1, 1].

    Pixels by a bicubic filter, which is as wide as they are where it makes
    smaller; frames by linear interpolation.

    Args:
        example: (batch, *sizes, channels).
        shape: The sizes wanted.

    Returns:
        (batch, *shape, channels).
    """
    *frames, height, width = shape
    if frames and frames[0] != example.shape[1]:
        own = tf.unstack(tf.shape(example))[2:-1]
        example = enlarged(example, [*frames, *own])
    if tuple(example.shape[-3:-1]) == (height, width):
        return example
    before, channels = tf.shape(example)[:-3], example.shape[-1]
    pictures = tf.reshape(example, [-1, *tf.unstack(tf.shape(example))[-3:]])
    pictures = tf.image.resize(
        pictures, (height, width), method="bicubic", antialias=True
    )
    pictures = tf.clip_by_value(pictures, -1.0, 1.0)
    after = tf.concat([before, [height, width, channels]], axis=0)
    return tf.ensure_shape(
        tf.reshape(pictures, after), [None] * (len(shape) + 1) + [channels]
    )


def enlarged(maps: tf.Tensor, shape: Sequence[Size]) -> tf.Tensor:
    """Maps at another scale, linear along each axis, first on first.

    The corners of both lie on each other (`align_corners`).

    Args:
        maps: (batch, *sizes, channels).
        shape: The sizes wanted.

    Returns:
        (batch, *shape, channels).
    """
    rank = len(shape)
    for axis, size in enumerate(shape, start=1):
        old = maps.shape[axis] or tf.shape(maps)[axis]
        weights = _linear(old, size)
        maps = tf.tensordot(weights, maps, [[1], [axis]])
        order = [*range(1, axis + 1), 0, *range(axis + 1, rank + 2)]
        maps = tf.transpose(maps, order)
    return maps


def _scaled(size: Size, share: float) -> Size:
    """A share of a size, a whole number from 1."""
    if not tf.is_tensor(size):
        return max(1, round(size * share))
    scaled = tf.round(tf.cast(size, tf.float64) * share)
    return tf.maximum(tf.cast(scaled, tf.int32), 1)


def _linear(old: Size, new: Size) -> tf.Tensor:
    """Weights of linear interpolation, (new, old); rows sum to 1."""
    last = tf.cast(old - 1, tf.float32)
    positions = tf.linspace(0.0, last, new)
    places = tf.range(tf.cast(old, tf.float32))
    return tf.nn.relu(1.0 - tf.abs(positions[:, None] - places[None, :]))
