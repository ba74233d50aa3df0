"""What is measured: `vaegan-train`'s defaults, on images in memory."""

import numpy as np

from vaegan_tf.cli import app, options, train


def settings(**overrides):
    """What `vaegan-train` would train with.

    Args:
        **overrides: Flags that differ from their defaults.

    Returns:
        `model` and `optimisation`, arguments of `create_model` and
        `compile_model`.
    """
    arguments = [f"--{name}={value}" for name, value in overrides.items()]
    flags = app.parse(
        ["vaegan-train", "--model_dir=none", *arguments], train.define_flags
    )
    return {
        "model": options.model_arguments(flags, ()),
        "optimisation": options.training_arguments(flags)["optimisation"],
    }


def images(batch_size, image_size=64):
    """Noise in [−1, 1], float32 (batch, size, size, 3)."""
    generator = np.random.default_rng(0)
    shape = (batch_size, image_size, image_size, 3)
    return generator.uniform(-1, 1, shape).astype(np.float32)
