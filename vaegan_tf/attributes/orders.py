"""Faces to order: what does a conditional model draw for attributes?"""

from collections.abc import Mapping, Sequence

import numpy as np

from vaegan_tf import noise
from vaegan_tf.attributes.figures import labelled_grid
from vaegan_tf.models import GenerativeModel


def orders_figure(
    models: Mapping[str, GenerativeModel],
    images: np.ndarray,
    attributes: np.ndarray,
    num_samples: int = 3,
    seed: int = 0,
) -> np.ndarray:
    """Draws each image beside faces that models draw for its attributes.

    Args:
        models: Conditional models by name.
        images: Images in [−1, 1], (rows, height, width, channels).
        attributes: Their attributes, (rows, num_attributes).
        num_samples: Faces of each model in a row, of the same codes in all.
        seed: Seed of the codes.

    Returns:
        The figure, uint8 (height, width, 3).
    """
    columns, names = [images], ["test image"]
    for name, model in models.items():
        codes = noise.latent_codes(num_samples, model.latent_dim, seed)
        for number, code in enumerate(codes, 1):
            latent = np.tile(code, (len(images), 1))
            columns.append(model.decode(latent, attributes).numpy())
            names.append(f"{name} {number}")
    return labelled_grid(np.stack(columns, axis=1), names)


def turned_figure(
    model: GenerativeModel,
    names: Sequence[str],
    attributes: np.ndarray,
    num_codes: int = 4,
    seed: int = 0,
) -> np.ndarray:
    """Draws each attribute turned off and on while the code stays.

    Args:
        model: A conditional model.
        names: Its attributes' names: a row each.
        attributes: What else the faces are to show, (num_codes, k): those of
            some images.
        num_codes: Codes, a pair of columns each.
        seed: Seed of the codes.

    Returns:
        The figure, uint8 (height, width, 3).
    """
    codes = noise.latent_codes(num_codes, model.latent_dim, seed)
    rows = []
    for place in range(len(names)):
        pair = []
        for value in (0.0, 1.0):
            turned = np.array(attributes[:num_codes], np.float32)
            turned[:, place] = value
            pair.append(model.decode(codes, turned).numpy())
        pairs = np.stack(pair, axis=1)
        rows.append(pairs.reshape(-1, *pairs.shape[2:]))
    return labelled_grid(np.stack(rows), ["without", "with"] * num_codes, names)
