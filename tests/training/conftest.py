"""A model small enough to know all its numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.models.base import GenerativeModel
from vaegan_tf.noise import Purpose


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


class Toy(GenerativeModel):
    """A decoder that shall draw images alike: squared error of draws.

    The term `level` is the image itself. Where a step and a noise seed are
    `bad`, the term `error` has the value `trouble` added.
    """

    network_names = ("decoder",)
    trained_networks = network_names
    term_names = {"level": "decoder", "error": "decoder"}

    def __init__(self, latent_dim=2, bad=lambda step, seed: False, trouble=0.0):
        self.bad, self.trouble = bad, trouble
        super().__init__({"decoder": ToyDecoder(latent_dim)}, seed=7)

    def terms(self, example, training):
        image = example["image"]
        prior = self.draw(tf.shape(image)[0], Purpose.PRIOR, training)
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

    def call(self, inputs):
        return self.decode(inputs)

    def symbolic_inputs(self):
        return keras.KerasTensor((None, self.latent_dim))


def toy_batches(step):
    """Batch s holds two images whose one pixel is s."""
    return tf.data.Dataset.range(step, 1000).map(
        lambda s: {"image": tf.fill([2, 1, 1, 1], tf.cast(s, tf.float32))}
    )


@pytest.fixture
def make_toy():
    """A function that makes a compiled `Toy`, always with the same weights."""

    def make(**arguments):
        keras.utils.set_random_seed(5)
        model = Toy(**arguments)
        model.compile(keras.optimizers.Adam(0.01))
        return model

    return make


@pytest.fixture
def batches():
    """The function from a step to the batches of `Toy`."""
    return toy_batches


@pytest.fixture
def every_variable():
    """A function that copies all variables of a model, in a fixed order."""

    def copy(model):
        slots = [v for o in model.optimizers.values() for v in o.variables]
        means = [v for metric in model.metrics for v in metric.variables]
        counters = [model.step, model.noise_seed]
        variables = [*model.weights, *slots, *means, *counters]
        return [np.array(variable) for variable in variables]

    return copy
