"""How strongly does a term pull at the images that it was computed from?"""

from collections.abc import Sequence

import tensorflow as tf

from vaegan_tf import replicas


def gradients_at(
    images: Sequence[tf.Tensor],
    term: tf.Tensor,
    tape: tf.GradientTape,
    scale: float | tf.Tensor = 1.0,
) -> list[tf.Tensor]:
    """Gradients of a term's sum at the images, each of an image's shape.

    Args:
        images: Images, (batch, height, width, channels) each.
        term: What was computed from them, (batch,).
        tape: One that watched the images.
        scale: What gradients are multiplied by on their way, for half
            precision.
    """
    gradients = tape.gradient(
        term,
        images,
        output_gradients=scale * tf.ones_like(term),
        unconnected_gradients="zero",
    )
    return [gradient / scale for gradient in gradients]


def through_images(
    term: tf.Tensor, images: Sequence[tf.Tensor], gradients: Sequence[tf.Tensor]
) -> tf.Tensor:
    """A term whose gradients at some images are known.

    What computed it from the images is not passed through again: its value
    is the term's, its gradient starts at the images.

    Args:
        term: One value per example, (batch,).
        images: What it was computed from, (batch, height, width, channels)
            each.
        gradients: Gradients of its sum at each of them.

    Returns:
        (batch,).
    """
    pulls = [
        tf.reduce_sum(image * tf.stop_gradient(gradient), axis=[1, 2, 3])
        for image, gradient in zip(images, gradients)
    ]
    pull = tf.add_n(pulls)
    return tf.stop_gradient(term - pull) + pull


def global_norms(gradients: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    """Norm of each list of gradients over the global batch, scalars."""
    squares = [
        tf.add_n([tf.reduce_sum(tf.square(part)) for part in parts])
        for parts in gradients
    ]
    return tf.unstack(tf.sqrt(replicas.total(tf.stack(squares))))
