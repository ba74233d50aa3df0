"""How does a network step? Tapes, gates, norms and running averages."""

import keras
import tensorflow as tf


class CommonMean(keras.metrics.Mean):
    """A mean of numbers that are equal on every replica.

    Each replica keeps it for itself: reading it takes no other.
    """

    def add_variable(
        self,
        shape,
        initializer,
        dtype=None,
        aggregation="only_first_replica",
        name=None,
    ):
        """A variable that is read on one replica, not summed over all."""
        return super().add_variable(
            shape, initializer, dtype, aggregation, name
        )


def adding_up_nothing(optimizer):
    """Makes an optimizer take gradients that are sums over all replicas.

    By itself it would sum them up where they are applied: too late for their
    norm and for a scaled loss's overflow to be the same on every replica.

    Args:
        optimizer: A Keras optimizer.

    Returns:
        The same optimizer.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda gradients: gradients
    return optimizer


def gradient_norm(gradients, optimizer):
    """Norm of the gradient that is applied, a scalar.

    Loss scaling is undone; where it skips an overflow the norm is 0.
    """
    norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(1.0)
    if not isinstance(optimizer, keras.mixed_precision.LossScaleOptimizer):
        return norm
    return tf.where(tf.math.is_finite(norm), norm, 0.0)


def take(optimizer, gradients, weights, gate=None):
    """Steps; behind a closed gate, weights and slots stay as they are.

    Args:
        optimizer: The network's optimizer.
        gradients: Its gradients, summed up over the replicas.
        weights: The network's trainable weights.
        gate: A boolean scalar, the same on every replica; `None` for open.
    """
    if gate is None:
        optimizer.apply(gradients, weights)
        return

    def take_everywhere(strategy, gate, gradients):
        def apply():
            strategy.extended.call_for_each_replica(
                lambda gradients: optimizer.apply(gradients, weights),
                args=(gradients,),
            )
            return True

        gate = strategy.experimental_local_results(gate)[0]
        tf.cond(gate, apply, lambda: True)

    # A conditional may not surround an all-reduce in replica context, so the
    # branch is taken once for all replicas.
    context = tf.distribute.get_replica_context()
    context.merge_call(take_everywhere, args=(gate, gradients))


def frozen_twin(network):
    """A network of the same weights that is not trained."""
    config = network.get_config()
    config["name"] = f"{network.name}_ema"
    twin = type(network).from_config(config)
    twin.set_weights(network.get_weights())
    twin.trainable = False
    return twin


def follow(average, network, momentum, step):
    """Moves a running average of weights and batch statistics.

    Args:
        average: The twin that holds the averages.
        network: The network that is averaged.
        momentum: Weight of the past; less, (1 + step) / (10 + step), while
            there is little of it.
        step: Steps made before.
    """
    step = tf.cast(step, tf.float32)
    momentum = tf.minimum(momentum, (1 + step) / (10 + step))
    for mean, weight in zip(average.weights, network.weights):
        mean.assign(mean + (1 - momentum) * (weight - mean))
