import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.training.fused_optimizers import FusedAdam
from vaegan_tf.training.muon import Muon, orthogonal

RATE = 0.01


def stepped(optimizer, weight, gradients):
    """A weight after steps by set gradients."""
    variable = keras.Variable(weight)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    return variable.numpy()


def random_gradients(shape, steps=2):
    generator = np.random.default_rng(0)
    return generator.normal(size=(steps, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    "shape", [(3, 3, 8, 9), (1, 1, 9, 20), (1, 2, 2, 8, 8), (300, 8)]
)
def test_kernels_step_by_a_polynomial_of_singular_values(shape):
    weight = np.ones(shape, np.float32)
    first, second = random_gradients(shape)
    received = stepped(Muon(RATE, momentum=0.75), weight, [first, second])

    def step(ahead):
        matrix = ahead.reshape(-1, shape[-1]).astype(np.float64)
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        values /= np.sqrt((values**2).sum())
        for _ in range(5):  # Jordan et al. (2024)
            values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
        factor = 0.4 * np.sqrt(max(matrix.shape))
        return factor * ((left * values) @ right).reshape(shape)

    # The running sum is G₁, then 0.75 G₁ + G₂; each step looks ahead.
    steps = step(1.75 * first) + step(1.75 * second + 0.5625 * first)
    np.testing.assert_allclose(received, weight - RATE * steps, atol=1e-6)


def test_steps_are_as_large_whatever_gradients_are():
    (gradient,) = random_gradients((5, 5, 8, 16), steps=1)
    weight = np.zeros_like(gradient)
    large, small = (
        stepped(Muon(RATE), weight, [factor * gradient])
        for factor in (1e3, 1e-6)
    )
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-6)
    # Singular values are between 0.68 and 1.21.
    size = np.sqrt(np.mean(large**2)) / RATE
    assert 0.4 * 0.68 < size < 0.4 * 1.21


@pytest.mark.parametrize("shape", [(40, 8), (8, 40)])
def test_singular_values_come_near_1(shape):
    (matrix,) = random_gradients(shape, steps=1)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ orthogonal(tf.constant(matrix)).numpy() @ right.T
    values = np.diag(inner)
    np.testing.assert_allclose(inner, np.diag(values), atol=1e-5)
    assert values.min() > 0.68
    assert values.max() < 1.21


def test_low_precision_does_not_make_steps_grow():
    (matrix,) = random_gradients((64, 400), steps=1)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    uneven = tf.cast((left * np.logspace(0, -5, 64)) @ right, tf.bfloat16)
    received = tf.cast(orthogonal(uneven), tf.float32).numpy()
    assert np.linalg.norm(received, 2) < 1.3


@pytest.mark.parametrize("shape", [(64, 400), (400, 64)])
def test_directions_without_a_gradient_do_not_step(shape):
    # As of a fully connected layer, by batches of fewer examples than units.
    generator = np.random.default_rng(0)
    left, right = (generator.normal(size=(side, 8)) for side in shape)
    matrix = tf.constant(left @ right.T, tf.float32)
    received = orthogonal(matrix).numpy()
    basis, _ = np.linalg.qr(left)
    outside = received - basis @ (basis.T @ received)
    # Rounding, 2⁻²⁴, grows 3.4445-fold, five times: to 3e-5.
    assert np.linalg.norm(outside) < 1e-3 * np.linalg.norm(received)


def test_no_gradient_is_no_step():
    weight = np.ones((3, 3, 8, 8), np.float32)
    zeros = [np.zeros_like(weight)]
    np.testing.assert_array_equal(stepped(Muon(RATE), weight, zeros), weight)


@pytest.mark.parametrize(
    "shape", [(), (9,), (9, 1), (257, 258), (5, 5, 3, 16), (5, 5, 16, 3)]
)
def test_other_weights_step_as_adam_has_them(shape):
    weight, gradients = np.ones(shape, np.float32), random_gradients(shape)
    expected = stepped(FusedAdam(RATE, beta_1=0.5), weight, gradients)
    received = stepped(Muon(RATE, beta_1=0.5), weight, gradients)
    np.testing.assert_array_equal(received, expected)


def test_replicas_step_alike(two_replicas, on_both):
    shape = (3, 3, 8, 9)
    weight, gradients = np.ones(shape, np.float32), random_gradients(shape)
    expected = stepped(Muon(RATE), weight, gradients)
    with two_replicas.scope():
        variable = keras.Variable(weight)
        optimizer = Muon(RATE)
        optimizer.build([variable])
    for gradient in gradients:
        received = on_both(
            lambda gradient: (
                optimizer.apply([gradient], [variable]),
                tf.identity(variable.value),
            )[1],
            gradient,
            gradient,
        )
    for copy in received:
        np.testing.assert_allclose(copy, expected, rtol=1e-5, atol=1e-6)


def test_survives_its_config():
    optimizer = Muon(RATE, momentum=0.75, beta_1=0.5)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(copy) is Muon
    assert copy.get_config() == optimizer.get_config()
    assert (copy.momentum, copy.beta_1) == (0.75, 0.5)


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_a_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=f"`momentum` .*{momentum}"):
        Muon(RATE, momentum=momentum)
