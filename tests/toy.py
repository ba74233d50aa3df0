"""A model small enough to know all its numbers."""

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf.models import VAE, GenerativeModel
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import GenerativeSettings, VAESettings
from vaegan_tf.training.fused_optimizers import FusedAdam


class ToyDecoder(keras.Model):
    """latent → image of one pixel: latent @ kernel + bias."""

    def __init__(self, latent_dim=2, name="decoder"):
        super().__init__(name=name)
        self.image_shape, self.num_attributes = (1, 1, 1), 0
        self.latent_dim = latent_dim
        self.pixel = keras.layers.Dense(1, name="pixel")
        self.pixel.build((None, latent_dim))

    def call(self, inputs, training=None):
        return keras.ops.reshape(self.pixel(inputs["latent"]), (-1, 1, 1, 1))

    def get_config(self):
        return {"latent_dim": self.latent_dim, "name": self.name}


class ToyEncoder(keras.Model):
    """Image of one pixel → mean = image @ kernel + bias, variance 1."""

    def __init__(self, latent_dim=2, name="encoder"):
        super().__init__(name=name)
        self.image_shape, self.num_attributes = (1, 1, 1), 0
        self.latent_dim = latent_dim
        self.mean = keras.layers.Dense(latent_dim, name="mean")
        self.mean.build((None, 1))

    def call(self, inputs, training=None):
        mean = self.mean(keras.ops.reshape(inputs["image"], (-1, 1)))
        return {"mean": mean, "log_variance": keras.ops.zeros_like(mean)}

    def get_config(self):
        return {"latent_dim": self.latent_dim, "name": self.name}


class Toy(GenerativeModel):
    """A decoder that shall draw images alike: squared error of draws.

    The term `level` is the image itself. Where a step and a noise seed are
    `bad`, the term `error` has the value `trouble` added.
    """

    title = "toy"
    Settings = GenerativeSettings
    networks = {"decoder": ToyDecoder}
    term_names = ("level", "error")
    abilities = ("sample",)
    best_by = "error"

    def __init__(self, latent_dim=2, bad=lambda step, seed: False, trouble=0.0):
        self.bad, self.trouble = bad, trouble
        super().__init__({"decoder": ToyDecoder(latent_dim)}, seed=7)

    def terms(self, example, training):
        image = example["image"]
        count = tf.shape(image)[0]
        prior = self.standard_normal(count, Purpose.PRIOR, training)
        drawn = self.decoder({"latent": prior}, training=training)
        bad = self.bad(self.step, self.noise_seed)
        trouble = tf.where(bad, self.trouble, 0.0)
        error = tf.reduce_mean(tf.square(drawn - image), [1, 2, 3])
        return {
            "level": tf.reduce_mean(image, [1, 2, 3]),
            "error": error + trouble,
        }

    def objectives(self, terms):
        return {"decoder": terms["error"]}


def make_toy(**arguments):
    """A compiled `Toy`, always with the same weights."""
    keras.utils.set_random_seed(5)
    model = Toy(**arguments)
    model.compile(FusedAdam(0.01))
    return model


def make_toy_vae():
    """A compiled VAE of one-pixel images, always with the same weights."""
    keras.utils.set_random_seed(5)
    model = VAE(
        {"encoder": ToyEncoder(), "decoder": ToyDecoder()},
        VAESettings(latent_dim=2),
        seed=7,
    )
    model.compile(FusedAdam(0.01))
    return model


def toy_batches(step=0):
    """Batch s holds two images whose one pixel is s."""
    return tf.data.Dataset.range(step, 1000).map(
        lambda s: {"image": tf.fill([2, 1, 1, 1], tf.cast(s, tf.float32))}
    )


def every_variable(model):
    """Copies of all variables of a model, in a fixed order."""
    slots = [v for o in model.optimizers.values() for v in o.variables]
    means = [v for metric in model.metrics for v in metric.variables]
    counters = [model.step, model.noise_seed]
    variables = [*model.weights, *slots, *means, *counters]
    return [np.array(variable) for variable in variables]


def assert_same(one, other):
    """Two lists of arrays hold the same numbers."""
    assert len(one) == len(other)
    for before, after in zip(one, other):
        np.testing.assert_array_equal(before, after)
