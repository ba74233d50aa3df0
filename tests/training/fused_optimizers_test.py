import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.training.fused_optimizers import FusedAdam, FusedRMSprop

PAIRS = {
    "rmsprop": (
        FusedRMSprop,
        keras.optimizers.RMSprop,
        {"rho": 0.8, "epsilon": 1e-3},
    ),
    "rmsprop_decayed": (
        FusedRMSprop,
        keras.optimizers.RMSprop,
        {"weight_decay": 0.1, "clipnorm": 0.5},
    ),
    "rmsprop_momentum": (
        FusedRMSprop,
        keras.optimizers.RMSprop,
        {"momentum": 0.9, "centered": True},
    ),
    "adam": (
        FusedAdam,
        keras.optimizers.Adam,
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    "adam_amsgrad": (FusedAdam, keras.optimizers.Adam, {"amsgrad": True}),
}


def weights_after(optimizer, steps=5):
    """Weights of two shapes, and slots, after steps on set gradients."""
    weights = [
        keras.Variable([[1.0, -2.0], [0.5, 3.0]]),
        keras.Variable([0.1, -0.2, 0.3]),
    ]
    optimizer.build(weights)
    for step in range(steps):
        gradients = [
            tf.sin(tf.cast(step, tf.float32) + weight.value) * 10.0 ** (-step)
            for weight in weights
        ]
        optimizer.apply(gradients, weights)
    return [v.numpy() for v in [*weights, *optimizer.variables]]


@pytest.mark.parametrize("pair", PAIRS)
def test_weights_and_slots_are_those_of_keras(pair):
    fused, stock, options = PAIRS[pair]
    ours = weights_after(fused(0.01, **options))
    theirs = weights_after(stock(0.01, **options))
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs):
        np.testing.assert_allclose(our, their, rtol=2e-6, atol=1e-9)


def test_a_step_of_rmsprop_by_hand():
    # v = 0.1 * 2^2 = 0.4; w = 1 - 0.5 * 2 / sqrt(0.4 + 0.6) = 0.
    weight = keras.Variable([1.0])
    optimizer = FusedRMSprop(0.5, rho=0.9, epsilon=0.6)
    optimizer.build([weight])
    optimizer.apply([tf.constant([2.0])], [weight])
    np.testing.assert_allclose(weight.numpy(), [0.0], atol=1e-6)


@pytest.mark.parametrize("pair", PAIRS)
def test_survives_its_config(pair):
    fused, _, options = PAIRS[pair]
    optimizer = fused(0.01, **options)
    config = keras.optimizers.serialize(optimizer)
    copy = keras.optimizers.deserialize(config)
    assert type(copy) is fused
    assert copy.get_config() == optimizer.get_config()


def test_checkpoints_hold_what_those_of_keras_hold(tmp_path):
    def saved(optimizer):
        weight = keras.Variable(tf.zeros([7]))
        optimizer.build([weight])
        checkpoint = tf.train.Checkpoint(optimizer=optimizer)
        return tf.train.list_variables(checkpoint.write(str(tmp_path / "c")))

    assert saved(FusedRMSprop(0.1)) == saved(keras.optimizers.RMSprop(0.1))


def test_steps_inside_a_function_and_a_condition():
    weight = keras.Variable([1.0])
    optimizer = FusedRMSprop(0.5, rho=0.9, epsilon=0.6)
    optimizer.build([weight])

    @tf.function
    def step(gate):
        def apply():
            optimizer.apply([tf.constant([2.0])], [weight])
            return True

        return tf.cond(gate, apply, lambda: False)

    assert not step(tf.constant(False))
    np.testing.assert_allclose(weight.numpy(), [1.0])
    assert step(tf.constant(True))
    np.testing.assert_allclose(weight.numpy(), [0.0], atol=1e-6)
