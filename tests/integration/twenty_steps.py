"""Trains small models for twenty steps and stores what came of it.

Run as `python twenty_steps.py STRATEGY LOGICAL_CPUS DATA FOLDER CASE ...`, for
several workers once for each, with `TF_CONFIG`. The chief leaves
`FOLDER/CASE.npz`: weights before and after, and every number of every step.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf.data import load_dataset
from vaegan_tf.models import create_model
from vaegan_tf.networks.blocks import Blocks
from vaegan_tf.runs import Checkpoints
from vaegan_tf.settings import RunSettings
from vaegan_tf.training import Trainer, create_distribution
from vaegan_tf.training.fused_optimizers import FusedRMSprop

STEPS = 20
RULE = {"equilibrium_margin": 0.05}  # Narrow: networks have to wait soon.
# Networks whose numbers depend on which images share a batch.
BATCH = {"decoder_normalization": "batch", "codes": "centered"}
BATCH_TOO = {**BATCH, "discriminator_normalization": "batch"}
# With these the discriminator has to wait at some steps, and not at others.
AHEAD = {
    "batch_statistics": "joint",
    "width": 0.05,
    "equilibrium_margin": 0.3,
}
MODELS = {
    "vae": {"kind": "vae", "weight_decay": 1e-3, **BATCH},
    "gan": {
        "kind": "gan",
        "adversarial": "non_saturating",
        "decoder_normalization": "batch",
        "discriminator_normalization": "batch",
        "batch_statistics": "joint",
        **RULE,
    },
    "vaegan": {
        "kind": "vaegan",
        "adversarial": "minimax",
        "gamma": 0.01,
        "feature_layers": (2,),
        "kl_weight": 0.8,
        **BATCH_TOO,
        **AHEAD,
    },
    "conditional": {
        "kind": "vaegan",
        "num_attributes": 18,
        "width": 0.05,
        "uniformity_weight": 10.0,
    },
    "learned_metric_vae": {"kind": "learned_metric_vae"},
}
# The other cases are a VAE under other circumstances.
PRECISIONS = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
# Replicas get four images and three, and a step follows the gradient's length,
# which RMSprop's does not: it would hide a wrong share of either.
UNEVEN = ("vae", "unsynchronized")


def smooth(blocks, x, name):
    """Softplus for ReLU, whose gradient jumps where rounding crosses 0."""
    name = f"{blocks.network}_{name}_relu"
    return keras.layers.Activation("softplus", name=name)(x)


class Diary(keras.callbacks.Callback):
    """Keeps the numbers of every step."""

    def __init__(self):
        super().__init__()
        self.numbers = []

    def on_epoch_end(self, epoch, logs=None):
        self.numbers.append(logs)


def separate_statistics(model):
    """Makes each replica normalise by itself."""
    for network in model.networks:
        for layer in getattr(model, network).layers:
            if hasattr(layer, "synchronized"):
                layer.synchronized = False


def make(case, distribution):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(PRECISIONS.get(case, "float32"))
    with distribution.scope():
        model = create_model(
            **{"width": 0.1, **MODELS.get(case, MODELS["vae"])},
            image_size=32,
            latent_dim=4,
            ema_momentum=0.9,
        )
        if case == "unsynchronized":
            separate_statistics(model)
        if case in UNEVEN:
            model.compile(keras.optimizers.SGD(1e-5))
        elif case == "float16":  # A scale that no gradient overflows with.
            scaling = keras.mixed_precision.LossScaleOptimizer
            model.compile(scaling(keras.optimizers.RMSprop(2e-5), 2.0**6))
        else:
            # Slow, or rounding grows. By RMSprop's usual epsilon steps are of
            # the same length however small a gradient is: those that should
            # be 0 would follow their rounding.
            model.compile(FusedRMSprop(2e-5, rho=0.9, epsilon=1e-4))
    return model


def weights(model, moment):
    return {
        f"{moment}/{network}/{weight.path}": weight.numpy()
        for network in (*model.networks, "encoder_ema", "decoder_ema")
        if hasattr(model, network)
        for weight in getattr(model, network).weights
    }


def train(case, distribution, dataset, folder):
    model = make(case, distribution)
    before = weights(model, "before")
    diary = Diary()
    trainer = Trainer(
        model,
        lambda step: distribution.batches(
            lambda **parts: dataset.train_batches(
                7 if case in UNEVEN else 8,
                seed=0,
                start_step=step,
                augmentation="authors",
                **parts,
            )
        ),
        Checkpoints(model, folder / case),
        RunSettings(log_every=1),
        train_steps=STEPS,
        callbacks=[diary] if distribution.is_chief else [],
        distribution=distribution,
    )
    if not trainer.run():
        sys.exit(f"A signal has stopped the run of {case}.")
    if distribution.is_chief:
        after = weights(model, "after")
        numbers = {
            f"numbers/{name}": [means[name] for means in diary.numbers]
            for name in diary.numbers[0]
        }
        np.savez(folder / f"{case}.npz", **before, **after, **numbers)


def main(strategy, logical_cpus, data_dir, folder, *cases):
    Blocks.relu = smooth
    # To optimise the graphs takes longer than the steps.
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
    distribution = create_distribution(strategy, int(logical_cpus))
    dataset = load_dataset("avatars/tiny", data_dir=data_dir, image_size=32)
    for case in cases:
        train(case, distribution, dataset, pathlib.Path(folder))
    distribution.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
