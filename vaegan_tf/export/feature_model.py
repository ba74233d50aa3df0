"""A SavedModel of a model of features.

It has the signature `generate`: from `attributes`, float32 (batch, a), a
class's in each row, and `seed`, int32 (2,), to `feature`, float32 (batch, d) in
the data's units.
"""

import tensorflow as tf

from vaegan_tf.anyshot.model import FeatureModel


def feature_module(model: FeatureModel) -> tf.Module:
    """The variables that the signature needs, beside it."""

    def generate(attributes, seed):
        return {"feature": model.generate(attributes, seed)}

    width = model.num_attributes
    module = tf.Module()
    module.generate = tf.function(generate, autograph=False)
    module.endpoints = {
        "generate": module.generate.get_concrete_function(
            attributes=tf.TensorSpec((None, width), tf.float32, "attributes"),
            seed=tf.TensorSpec((2,), tf.int32, "seed"),
        )
    }
    module.stored = list(module.endpoints["generate"].variables)
    return module
