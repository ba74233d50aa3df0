"""How like one example are samples, and how unlike each other and a copy?

Examples are (height, width, channels) or (frames, height, width, channels) in
levels of 8 bits, 0…255. A patch is a window of one, as a vector.
"""

import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np

from vaegan_tf.evaluation.distances import Moments, frechet_distance

_BLOCK = 1024


def patches(example: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """All windows of an example, float32 (*places, numbers of a window).

    Args:
        example: (*sizes, channels).
        size: The window's, one for each of the sizes; cut to the example's.
    """
    rank = len(size)
    size = [min(own, most) for own, most in zip(size, example.shape)]
    windows = np.lib.stride_tricks.sliding_window_view(
        np.asarray(example, np.float32), size, axis=tuple(range(rank))
    )
    return windows.reshape(*windows.shape[:rank], -1)


def cloud_distance(real: np.ndarray, drawn: np.ndarray) -> float:
    """Squared Fréchet distance of two clouds of vectors, (..., d) each.

    Of features of one image at all positions it is the single-image Fréchet
    distance, of patches a distance of patches: the mean colours, edges and
    movements of a neighbourhood. The order of patches does not matter.

    Reference:
        Shaham et al. (2019), of features; `frechet_distance`.
    """
    gaussians = []
    for cloud in (real, drawn):
        moments = Moments(cloud.shape[-1])
        moments.add(cloud.reshape(-1, cloud.shape[-1]))
        gaussians.append(moments.gaussian)
    return frechet_distance(*gaussians)


def diversity(samples: np.ndarray, example: np.ndarray) -> float:
    """How much pixels differ from sample to sample; 0 if all are the same.

    The standard deviation of each pixel's intensity over the samples, its mean
    over pixels, over the standard deviation of the example's intensities. An
    intensity is the mean of the channels.

    Args:
        samples: (n, *sizes, channels), two or more.
        example: (*sizes, channels).

    Reference:
        Shaham et al. (2019), "SinGAN".
    """
    intensities = np.asarray(samples, np.float64).mean(axis=-1)
    own = np.asarray(example, np.float64).mean(axis=-1).std()
    return float(intensities.std(axis=0).mean() / own) if own else 0.0


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The training patch that is nearest to each patch of a sample.

    Args:
        distances: Root mean squared differences in levels of 8 bits, (*places).
        offsets: From each patch's place to that of its neighbour, int16
            (*places, axes).
    """

    distances: np.ndarray
    offsets: np.ndarray

    @property
    def distance(self) -> float:
        """The mean distance; 0 if every patch is a training patch."""
        return float(self.distances.mean())

    @property
    def field_diversity(self) -> float:
        """What zlib makes of the field of offsets, as a share of its bytes.

        A copy that moves has one offset and gives almost 0; patches put
        together anew give more.

        Reference:
            After the project nnf_diversity. What exactly is compressed is
            this package's choice: numbers compare with each other only.
        """
        raw = np.moveaxis(self.offsets, -1, 0).tobytes()
        return len(zlib.compress(raw, 9)) / len(raw)


def nearest_patches(
    sample: np.ndarray, example: np.ndarray, size: Sequence[int]
) -> Neighbours:
    """The nearest training patches of all patches of a sample.

    Arguments are those of `patches`. The first of several as near is taken.
    """
    own, theirs = patches(example, size), patches(sample, size)
    places = theirs.shape[:-1]
    keys, queries = (p.reshape(-1, p.shape[-1]) for p in (own, theirs))
    mean = keys.mean(axis=0)  # Or float32 would lose what is small.
    keys, queries = keys - mean, queries - mean
    lengths = np.square(keys).sum(axis=1)
    nearest = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _BLOCK):
        rows = slice(start, start + _BLOCK)
        nearest[rows] = np.argmin(lengths - 2 * queries[rows] @ keys.T, axis=1)
    errors = np.square(queries - keys[nearest]).mean(axis=1)
    found = np.stack(np.unravel_index(nearest, own.shape[:-1]), axis=-1)
    offsets = found.reshape(*places, -1) - np.moveaxis(
        np.indices(places), 0, -1
    )
    return Neighbours(np.sqrt(errors).reshape(places), offsets.astype(np.int16))


def moved_copies(example: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two crops of an example, an eighth of its width from each other.

    The first stands for the example, the second for a sample that is a copy
    which has moved. It is as like the example as can be, and nothing new.
    """
    shift = max(1, example.shape[-2] // 8)
    return example[..., :-shift, :], example[..., shift:, :]
