import types

import numpy as np

from vaegan_tf.cli import sample
from vaegan_tf.patch import HPVAEGAN
from vaegan_tf.settings import HPVAEGANSettings

TINY = {
    "channels": 2,
    "layers": 1,
    "latent_channels": 3,
    "smallest_size": 8,
    "scale_factor": 0.5,
    "scale_steps": 2,
    "sampling_rates": [2, 1],
}


def tiny_settings(**changes):
    return HPVAEGANSettings.from_dict({**TINY, **changes})


def make(shape=(6, 12), **changes):
    """A model of few weights, always the same; of 12 pixels it has 3 scales."""
    import keras

    keras.utils.set_random_seed(3)
    settings = tiny_settings(**{"vae_scales": 1, **changes})
    return HPVAEGAN.create(settings, shape=list(shape), num_channels=3)


def example(shape=(6, 12), count=1):
    values = np.random.default_rng(1).uniform(-1, 1, (*shape, 3))
    return np.repeat(values[None], count, axis=0).astype(np.float32)


def draw_pictures(*arguments):
    """As the command, with a model of a picture of 12 × 6 on three scales."""
    model = make()
    model.prepare_step(4)
    *settings, _ = sample.command.parse(["--model_dir=run", *arguments])
    opened = types.SimpleNamespace(
        open=lambda ability: (None, model, None),
        run=types.SimpleNamespace(model_class=HPVAEGAN),
    )
    sample.main(opened, *settings[1:])
