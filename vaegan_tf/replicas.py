"""What the replicas of one training have in common: rows, sums and shares.

Under a distribution strategy each replica computes on some rows of the global
batch. With these functions it computes what one replica with all rows would.
Outside of a strategy there is one replica, and they cost nothing.
"""

import tensorflow as tf


def total(values):
    """Sums tensors over all replicas; gradients flow through the sum.

    Args:
        values: Tensors of the same shapes on every replica, in any structure.

    Returns:
        Their sums in the same structure, equal on every replica.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def rows(count):
    """Where this replica's examples stand in the global batch.

    Args:
        count: How many examples this replica has; others may have more.

    Returns:
        `(first, total)`: the number of its first row, and of all rows.
    """
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    if replicas == 1:
        return 0, count
    own = context.replica_id_in_sync_group
    # In float32: sums of integers are not made on every kind of device.
    counts = tf.one_hot(own, replicas) * tf.cast(count, tf.float32)
    counts = tf.cast(total(counts), tf.int32)
    return tf.reduce_sum(counts[:own]), tf.reduce_sum(counts)


def share(count):
    """The part of the global batch that this replica's examples make up.

    Sums over replicas, weighted by it, are means over the global batch.

    Args:
        count: How many examples this replica has.

    Returns:
        A float32 scalar; 1 if there is one replica.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return 1.0
    count = tf.cast(count, tf.float32)
    return count / total(count)


def mean(means, share):
    """Means over the global batch, from those over each replica's part of it.

    Args:
        means: This replica's, float32 scalars in any structure.
        share: What `share` returned.

    Returns:
        The same structure, equal on every replica.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return means
    flat = tf.stack(tf.nest.flatten(means))
    return tf.nest.pack_sequence_as(means, tf.unstack(total(flat * share)))


def variance(values):
    """Variance of each channel over the global batch.

    Args:
        values: This replica's, (batch, ..., channels).

    Returns:
        (channels,), equal on every replica.
    """
    axes = tf.range(tf.rank(values) - 1)
    size = tf.cast(tf.size(values) / tf.shape(values)[-1], values.dtype)
    size = total(size)
    mean = total(tf.reduce_sum(values, axes)) / size
    return total(tf.reduce_sum(tf.square(values - mean), axes)) / size
