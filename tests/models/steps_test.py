"""How replicas step together."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import replicas
from vaegan_tf.models import steps


@pytest.fixture
def stepping(two_replicas):
    """A function from an optimizer to a step with each replica's gradient."""

    def make(choice):
        with two_replicas.scope():
            layer = keras.layers.Dense(
                1, use_bias=False, kernel_initializer="ones"
            )
            network = keras.Sequential([keras.Input((1,)), layer])
            optimizer = steps.network_optimizer(choice, network)
        (weight,) = network.trainable_weights

        def step(gradient, gate=None):
            (gradient,) = replicas.total([[gradient]])
            if gate is not None:
                gate = tf.constant(gate)
            steps.apply_gradients(optimizer, [gradient], [weight], gate)
            return steps.gradient_norm([gradient], optimizer)

        return weight, step, optimizer

    return make


def both(weight):
    """The weight's copies."""
    return [float(copy.numpy().item()) for copy in weight.value.values]


def test_replicas_step_by_the_sum_of_their_gradients_once(stepping, on_both):
    weight, step, _ = stepping(keras.optimizers.SGD(0.125))
    norms = on_both(step, [3.0], [-1.0])
    assert both(weight) == [0.75, 0.75]
    assert norms == [2.0, 2.0]


@pytest.mark.parametrize(("gate", "expected"), [(True, 0.75), (False, 1.0)])
def test_a_gate_holds_for_all_replicas(stepping, on_both, gate, expected):
    weight, step, _ = stepping(keras.optimizers.SGD(0.125))
    on_both(lambda gradient: step(gradient, gate), [3.0], [-1.0])
    assert both(weight) == [expected, expected]


@pytest.mark.parametrize("gate", [None, True])
def test_an_overflow_on_one_replica_skips_the_step_on_all(
    stepping, on_both, gate
):
    scaling = keras.mixed_precision.LossScaleOptimizer
    weight, step, optimizer = stepping(
        scaling(keras.optimizers.SGD(0.125), initial_scale=8.0)
    )
    norms = on_both(lambda g: step(g, gate), [8.0], [np.inf])
    assert norms == [0, 0]
    assert both(weight) == [1, 1]
    assert both_scales(optimizer) == [4, 4]
    on_both(lambda g: step(g, gate), [12.0], [-4.0])
    assert both(weight) == [0.75, 0.75]


def both_scales(optimizer):
    copies = optimizer.dynamic_scale.value.values
    return [float(copy.numpy()) for copy in copies]
