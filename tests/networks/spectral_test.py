"""Kernels have a spectral norm of 1, and gradients go through the norm."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.networks.spectral import SpectralConvolution, SpectralDense


def dense(units=4):
    layer = SpectralDense(units)
    layer.build((None, 6))
    return layer


def convolution(filters=4):
    layer = SpectralConvolution(filters, 3, padding="same")
    layer.build((None, 8, 8, 3))
    return layer


def norm(kernel):
    matrix = np.reshape(kernel, (-1, kernel.shape[-1]))
    return np.linalg.svd(matrix, compute_uv=False)[0]


@pytest.mark.parametrize("make", [dense, convolution])
def test_training_brings_the_spectral_norm_to_one(make):
    layer = make()
    for _ in range(100):
        layer.normalized_kernel(training=True)
    assert norm(layer.normalized_kernel(training=False)) == pytest.approx(
        1, rel=1e-4
    )


def test_use_does_not_move_the_singular_vector():
    layer = dense()
    before = layer.vector.numpy()
    layer(np.ones((2, 6), np.float32), training=False)
    np.testing.assert_array_equal(layer.vector, before)
    layer(np.ones((2, 6), np.float32), training=True)
    assert not np.array_equal(layer.vector, before)


def test_gradients_flow_through_the_norm_but_not_through_its_vectors():
    # f(W) = Σ R ∘ W / (uᵀ W v), with u and v fixed:
    # df/dW = R / σ − Σ (R ∘ W) / σ² · v uᵀ.
    layer = dense()
    for _ in range(100):
        layer.normalized_kernel(training=True)
    kernel = layer.kernel.numpy().astype(np.float64)
    weights = np.random.default_rng(0).normal(size=kernel.shape)
    with tf.GradientTape() as tape:
        normalized = layer.normalized_kernel(training=False)
        loss = tf.reduce_sum(tf.constant(weights, tf.float32) * normalized)
    received = tape.gradient(loss, layer.kernel.value)
    right = kernel @ layer.vector.numpy()
    right /= np.linalg.norm(right)
    left = kernel.T @ right
    left /= np.linalg.norm(left)
    sigma = right @ kernel @ left
    expected = weights / sigma - (weights * kernel).sum() / sigma**2 * np.outer(
        right, left
    )
    np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4)


def test_a_layer_is_the_plain_one_with_the_normalized_kernel():
    layer = convolution()
    maps = np.random.default_rng(0).normal(size=(2, 8, 8, 3))
    maps = maps.astype(np.float32)
    plain = keras.layers.Conv2D(4, 3, padding="same")
    plain.build(maps.shape)
    plain.set_weights(
        [layer.normalized_kernel(training=False), np.full(4, 0.5)]
    )
    layer.bias.assign(np.full(4, 0.5))
    np.testing.assert_allclose(layer(maps), plain(maps), atol=1e-5)


def test_nothing_is_multiplied_in_mixed_precision():
    layer = SpectralDense(3, dtype="mixed_bfloat16")
    layer.build((2, 6))
    traced = tf.function(lambda x: layer(x, training=True))
    graph = traced.get_concrete_function(tf.TensorSpec((2, 6))).graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert "MatMul" in kinds
    assert "SparseMatMul" not in kinds
