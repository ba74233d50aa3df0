"""What the replicas of one training run share: rows, sums and weights.

Under a distribution strategy each replica computes on some rows of the global
batch. With these functions it computes what one replica with all rows would.
Outside a strategy there is one replica, and they cost nothing.
"""

from typing import Any

import tensorflow as tf


def total(values: Any) -> Any:
    """Sums tensors in any structure over replicas; gradients flow through."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def rows(count: int | tf.Tensor) -> tuple[int | tf.Tensor, int | tf.Tensor]:
    """The index of this replica's first row in the global batch, and its size.

    `count` is how many examples this replica has; others may have more.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    if replicas == 1:
        return 0, count
    own = context.replica_id_in_sync_group
    # In float32: not every kind of device sums integers.
    counts = tf.one_hot(own, replicas) * tf.cast(count, tf.float32)
    counts = tf.cast(total(counts), tf.int32)
    return tf.reduce_sum(counts[:own]), tf.reduce_sum(counts)


def gather(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Rows of all replicas, and where among them this one's are.

    Gradients flow through.

    Args:
        values: This replica's rows, (batch, d).

    Returns:
        The rows of the global batch, (size, d), and the places among them of
        those given, (batch,).
    """
    count = tf.shape(values)[0]
    first, size = rows(count)
    behind = size - first - count
    padded = tf.pad(values, [[first, behind], [0, 0]])
    return total(padded), first + tf.range(count)


def share(count: int | tf.Tensor) -> float | tf.Tensor:
    """This replica's share of the global batch if it has `count` examples.

    Sums over replicas weighted by it are means over the global batch.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return 1.0
    count = tf.cast(count, tf.float32)
    return count / total(count)


def mean(means: Any, share: float | tf.Tensor) -> Any:
    """Means over the global batch from those of each replica's examples.

    Every replica's gradients flow through its own part alone, so that their
    sum over replicas is the gradient of any function of the means. These are
    float32 scalars in any structure; `share` is what the function returns.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return means
    own = tf.stack(tf.nest.flatten(means)) * share
    others = total(tf.stop_gradient(own)) - tf.stop_gradient(own)
    return tf.nest.pack_sequence_as(means, tf.unstack(own + others))


def counted_once(value: tf.Tensor, share: float | tf.Tensor) -> tf.Tensor:
    """A scalar equal on every replica, whose gradients sum to its gradient.

    A weight penalty is one; `share` is what the function returns.
    """
    return share * value + tf.stop_gradient((1 - share) * value)


def variance(values: tf.Tensor) -> tf.Tensor:
    """Variance over the global batch of (batch, ..., channels), (channels,)."""
    axes = list(range(values.shape.rank - 1))
    size = total(tf.cast(tf.size(values) // values.shape[-1], values.dtype))
    mean = total(tf.reduce_sum(values, axes)) / size
    return total(tf.reduce_sum(tf.square(values - mean), axes)) / size
