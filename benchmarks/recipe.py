"""What is measured: the paper's networks, on images in memory."""

from typing import Any

import numpy as np

from vaegan_tf.settings import Experiment, fields, groups_of

# Layer l of the paper's networks has 16,384 features at 64×64.
LOSS_WEIGHTS = {"gamma": 41 / 16384, "kl_weight": 16384 / 820}
# What the other implementations have too.
PAPER = {
    **LOSS_WEIGHTS,
    "codes": "centered",
    "decoder_normalization": "batch",
    "upsampling": "transposed",
    "discriminator_normalization": "batch",
    "feature_layers": (3,),
    "adversarial": "minimax",
    "optimizer": "rmsprop",
    "learning_rate": 3e-4,
    "learning_rate_decay": "none",
}
# What `vaegan-train` takes instead.
DEFAULTS = {
    name: field.default
    for group in groups_of("vaegan").values()
    for name, field in fields(group).items()
    if name in PAPER
}


def experiment(kind: str = "vaegan", **choices: Any) -> Experiment:
    """The settings that a model is trained with.

    Args:
        kind: The kind of model.
        **choices: Settings that differ from `PAPER`, or else from their
            defaults.

    Raises:
        ValueError: If the kind has no such setting, or refuses the value.
    """
    known = {key for group in groups_of(kind).values() for key in fields(group)}
    if not choices.keys() <= known:
        unknown = ", ".join(sorted(choices.keys() - known))
        raise ValueError(f"A {kind} has no setting {unknown}.")
    # There are two downsamplings at 32×32 and three at 64×64.
    last = 2 if choices.get("image_size") == 32 else 3
    values = {**PAPER, "feature_layers": (last,), **choices}
    groups = {
        name: group(**{k: v for k, v in values.items() if k in fields(group)})
        for name, group in groups_of(kind).items()
    }
    return Experiment.of(kind, **groups)


def images(batch_size: int, image_size: int = 64) -> np.ndarray:
    """Noise in [−1, 1], float32 (batch, size, size, 3)."""
    generator = np.random.default_rng(0)
    shape = (batch_size, image_size, image_size, 3)
    return generator.uniform(-1, 1, shape).astype(np.float32)
