"""The signature of a model of features.

It has the signature `generate`: from `attributes`, float32 (batch, a), a
class's in each row, and `seed`, int32 (2,), to `feature`, float32 (batch, d) in
the data's units.
"""

from typing import Any

import tensorflow as tf

from vaegan_tf.anyshot.model import FeatureModel


def feature_endpoints(model: FeatureModel) -> dict[str, Any]:
    """The signature by its name, traced."""

    def generate(attributes, seed):
        return {"feature": model.generate(attributes, seed)}

    traced = tf.function(generate, autograph=False)
    attributes = (None, model.num_attributes)
    return {
        "generate": traced.get_concrete_function(
            attributes=tf.TensorSpec(attributes, tf.float32, "attributes"),
            seed=tf.TensorSpec((2,), tf.int32, "seed"),
        )
    }
