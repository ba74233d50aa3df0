"""What are the codes of a data set's images?"""

import dataclasses

import numpy as np
import tensorflow as tf

from vaegan_tf import noise
from vaegan_tf.data import ImageDataset, transforms
from vaegan_tf.models import GenerativeModel
from vaegan_tf.noise import Purpose

MAX_CODES = 50_000
_BATCH_SIZE = 256


@dataclasses.dataclass(frozen=True, eq=False)
class PosteriorCodes:
    """Codes of some images, in the order of the images.

    Args:
        mean: Means of q(z|x), float32 (images, latent).
        draw: One draw of each q(z|x), the same shape. Together they are draws
            of the aggregate posterior q(z), the average of q(z|x) over the
            data.
        attributes: The images' attributes, float32 (images, k); k may be 0.
    """

    mean: np.ndarray
    draw: np.ndarray
    attributes: np.ndarray


def posterior_codes(
    model: GenerativeModel,
    dataset: ImageDataset,
    split: str = "train",
    *,
    seed: int = 0,
    max_codes: int = MAX_CODES,
) -> PosteriorCodes:
    """Encodes a split of a data set.

    A conditional model is given each image's attributes. Of more than
    `max_codes` images, as many are taken evenly. `seed` is that of the draws.
    """
    images = dataset.splits[split]
    count = min(len(images), max_codes)
    positions = np.linspace(0, len(images) - 1, count).astype(np.int64)
    means, draws = [], []
    for start in range(0, count, _BATCH_SIZE):
        chosen = tf.constant(positions[start : start + _BATCH_SIZE])
        example = transforms.to_float(images.gather(chosen))
        posterior = model.encode(**model.as_example(example))
        key = noise.fold(seed, Purpose.POSTERIOR, start)
        epsilon = tf.random.stateless_normal(tf.shape(posterior["mean"]), key)
        means.append(posterior["mean"])
        draws.append(noise.reparameterize(**posterior, epsilon=epsilon))
    return PosteriorCodes(
        tf.concat(means, axis=0).numpy(),
        tf.concat(draws, axis=0).numpy(),
        images.attributes[positions],
    )
