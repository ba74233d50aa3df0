"""The signature of a model of features.

It has the signature `generate`: from `attributes`, float32 (batch, a), a
class's in each row, and `seed`, int32 (2,), to `feature`, float32 (batch, d) in
the data's units.
"""

import tensorflow as tf

from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.export.signatures import SEED, Endpoints, traced


def feature_endpoints(model: FeatureModel) -> Endpoints:
    """The signature by its name, traced."""

    def generate(attributes, seed):
        return {"feature": model.generate(attributes, seed)}

    shape = (None, model.num_attributes)
    attributes = tf.TensorSpec(shape, tf.float32, "attributes")
    return {"generate": traced(generate, attributes, SEED)}
