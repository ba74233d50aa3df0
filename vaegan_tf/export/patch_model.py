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

from typing import Any

import tensorflow as tf

from vaegan_tf.patch import HPVAEGAN


def patch_endpoints(model: HPVAEGAN) -> dict[str, Any]:
    """The signatures by name, traced."""
    count = tf.TensorSpec((), tf.int32, "count")
    seed = tf.TensorSpec((2,), tf.int32, "seed")
    rank = len(model.shape)
    size = tf.TensorSpec((rank,), tf.int32, "size")
    image = tf.TensorSpec((None, *model.image_shape), tf.float32, "image")

    def sample_sized(count, seed, size):
        return model.draw(count, seed, tf.unstack(size, rank))

    return {
        "sample": _traced(model.draw, count, seed),
        "sample_sized": _traced(sample_sized, count, seed, size),
        "reconstruct": _traced(model.reconstruct, image),
    }


def _traced(function: Any, *specs: tf.TensorSpec) -> Any:
    traced = tf.function(
        lambda **inputs: {"image": function(**inputs)}, autograph=False
    )
    return traced.get_concrete_function(**{spec.name: spec for spec in specs})
