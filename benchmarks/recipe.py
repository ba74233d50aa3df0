"""What is measured: `vaegan-train`'s defaults, on images in memory."""

from typing import Any

import numpy as np

from vaegan_tf.settings import Experiment, fields, groups_of

# What the defaults of VAE/GAN come to at 64×64 and full width, where layer l
# has 16,384 features.
LOSS_WEIGHTS = {"gamma": 41 / 16384, "kl_weight": 16384 / 820}


def experiment(kind: str = "vaegan", **choices: Any) -> Experiment:
    """The settings that `vaegan-train` would train with.

    Args:
        kind: The kind of model.
        **choices: Settings that differ from their defaults.

    Raises:
        ValueError: If the kind has no such setting, or refuses the value.
    """
    groups = {
        name: group(**{k: v for k, v in choices.items() if k in fields(group)})
        for name, group in groups_of(kind).items()
    }
    known = {key for group in groups_of(kind).values() for key in fields(group)}
    if not choices.keys() <= known:
        unknown = ", ".join(sorted(choices.keys() - known))
        raise ValueError(f"A {kind} has no setting {unknown}.")
    return Experiment.of(kind, **groups)


def images(batch_size: int, image_size: int = 64) -> np.ndarray:
    """Noise in [−1, 1], float32 (batch, size, size, 3)."""
    generator = np.random.default_rng(0)
    shape = (batch_size, image_size, image_size, 3)
    return generator.uniform(-1, 1, shape).astype(np.float32)
