"""How does a network step? Optimizers, gates, norms and running averages."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf.networks.whitening import Whitening


class CommonMean(keras.metrics.Mean):
    """A mean of numbers that are equal on every replica.

    Each replica keeps it for itself: reading it takes no other.
    """

    def add_variable(self, *args: Any, **kwargs: Any) -> keras.Variable:
        """A variable that is read on one replica, not summed over all."""
        kwargs["aggregation"] = "only_first_replica"
        return super().add_variable(*args, **kwargs)


def network_optimizer(
    choice: Any, network: keras.Model
) -> keras.optimizers.Optimizer:
    """A copy of an optimizer for a network, with its slots.

    It expects gradients that are sums over all replicas. By itself it would
    sum them where they are applied: too late for their norm and for a scaled
    loss's overflow to be the same on every replica.
    """
    if isinstance(choice, keras.optimizers.Optimizer):
        choice = keras.optimizers.serialize(choice)
    optimizer = keras.optimizers.get(choice)
    scaling = keras.mixed_precision.LossScaleOptimizer
    is_half = network.dtype_policy.name == "mixed_float16"
    if is_half and not isinstance(optimizer, scaling):
        optimizer = scaling(optimizer)
    # A slot made inside a traced step fails under MirroredStrategy.
    optimizer.build(network.trainable_weights)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda gradients: gradients
    return optimizer


def gradient_norm(
    gradients: Sequence[tf.Tensor], optimizer: keras.optimizers.Optimizer
) -> tf.Tensor:
    """Norm of the gradient that is applied, a scalar.

    Loss scaling is undone; where it skips an overflow the norm is 0.
    """
    norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(1.0)
    if not isinstance(optimizer, keras.mixed_precision.LossScaleOptimizer):
        return norm
    return tf.where(tf.math.is_finite(norm), norm, 0.0)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    weights: Sequence[keras.Variable],
    gate: tf.Tensor | None = None,
) -> None:
    """Steps; behind a closed gate, weights and slots stay as they are.

    Gradients are sums over the replicas. The gate is a boolean scalar, the
    same on every replica.
    """
    if gate is None:
        optimizer.apply(gradients, weights)
        return

    def apply_everywhere(
        strategy: tf.distribute.Strategy, gate: Any, gradients: Any
    ) -> None:
        def apply() -> bool:
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
    context.merge_call(apply_everywhere, args=(gate, gradients))


def frozen_copy(network: keras.Model) -> keras.Model:
    """A network of the same weights that is not trained."""
    config = network.get_config()
    config["name"] = f"{network.name}_ema"
    copy = type(network).from_config(config)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def update_average(
    average: keras.Model,
    network: keras.Model,
    momentum: float,
    step: tf.Variable,
) -> None:
    """Updates a running average of weights and batch statistics.

    Statistics that codes are whitened by are left alone: those of an average
    are of its own codes.

    `momentum` is the weight of the past; it is at most (1 + step) / (10 + step)
    while there are few steps.
    """
    step = tf.cast(step, tf.float32)
    rate = 1 - tf.minimum(momentum, (1 + step) / (10 + step))
    for mean, weight in zip(_averaged(average), _averaged(network)):
        mean.assign(mean + rate * (weight - mean))


def _averaged(network: keras.Model) -> list[keras.Variable]:
    return [
        weight
        for layer in network.layers
        if not isinstance(layer, Whitening)
        for weight in layer.weights
    ]
