"""The signatures of a model of one picture or clip.

================  ===============================  =======================
signature         takes                            returns
================  ===============================  =======================
sample            count int32, seed int32 (2,)     image
sample_sized      count, seed, size int32          image
reconstruct       image                            image
================  ===============================  =======================

Images are float32 in [−1, 1], (batch, height, width, channels), or (batch,
frames, height, width, channels) of clips. `size` is (2,), height and width, or
(3,), frames before them.
"""

import tensorflow as tf

from vaegan_tf.export.signatures import COUNT, SEED, Endpoints, traced
from vaegan_tf.patch import HPVAEGAN


def patch_endpoints(model: HPVAEGAN) -> Endpoints:
    """The signatures by name, traced."""
    rank = len(model.shape)
    size = tf.TensorSpec((rank,), tf.int32, "size")
    image = tf.TensorSpec((None, *model.image_shape), tf.float32, "image")

    def sample_sized(count, seed, size):
        return model.draw(count, seed, tf.unstack(size, rank))

    def drawn(function, *specs):
        return traced(lambda **inputs: {"image": function(**inputs)}, *specs)

    return {
        "sample": drawn(model.draw, COUNT, SEED),
        "sample_sized": drawn(sample_sized, COUNT, SEED, size),
        "reconstruct": drawn(model.reconstruct, image),
    }
