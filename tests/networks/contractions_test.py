import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import hardware
from vaegan_tf.networks.contractions import convolve, correlate, spread

# Side of x, channels, filters, size, strides.
SHAPES = {
    "to colours": (8, 6, 3, 5, 1),
    "to grey": (6, 5, 1, 5, 1),
    "to colours, 3×3": (6, 5, 3, 3, 1),
    "to colours, odd side": (7, 6, 3, 5, 1),
    "to colours, even size": (8, 6, 3, 4, 1),
    "from colours, even size": (8, 3, 6, 4, 1),
    "from colours": (8, 3, 6, 5, 1),
    "from colours, strided": (8, 3, 6, 5, 2),
    "to a small map": (16, 3, 5, 5, 2),
    "to a smaller map": (8, 6, 7, 5, 2),
    "to a small map, 3×3": (8, 6, 7, 3, 2),
    "to a large map": (20, 3, 4, 5, 2),
    "to an odd map": (7, 6, 7, 5, 2),
    "one pixel": (1, 5, 6, 1, 1),
}


def tensors(side, channels, filters, size, strides, dtype="float32"):
    """x, y and k of whole numbers, whose products and sums are exact."""
    generator = np.random.default_rng(0)
    small = -(-side // strides)
    shapes = (
        (3, side, side, channels),
        (3, small, small, filters),
        (size, size, channels, filters),
    )
    return [
        tf.constant(generator.integers(-2, 3, shape), dtype) for shape in shapes
    ]


@pytest.fixture(params=["vectors", "tiles", "neither"])
def processor(request, monkeypatch):
    """A processor with bfloat16 in vectors, in tiles too, or not at all."""
    flags = {
        "vectors": {"avx512_bf16"},
        "tiles": {"avx512_bf16", "amx_bf16"},
        "neither": set(),
    }
    monkeypatch.setattr(hardware, "cpu_flags", lambda: flags[request.param])
    return request.param


def by_hand(x, k, strides):
    """The convolution, pixel by pixel."""
    x, k = x.numpy().astype(float), k.numpy().astype(float)
    side, size = x.shape[1], k.shape[0]
    small = -(-side // strides)
    pad = max((small - 1) * strides + size - side, 0)
    x = np.pad(x, [(0, 0), *[(pad // 2, pad - pad // 2)] * 2, (0, 0)])
    y = np.zeros((len(x), small, small, k.shape[3]))
    for row, column in np.ndindex(small, small):
        top, left = row * strides, column * strides
        window = x[:, top : top + size, left : left + size]
        y[:, row, column] = np.tensordot(window, k, 3)
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_convolutions_by_hand(shape, dtype):
    x, _, k = tensors(*shape, dtype)
    y = convolve(x, k, shape[-1])
    np.testing.assert_array_equal(y, by_hand(x, k, shape[-1]))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_three_are_one_sum(shape):
    # Σ (x · k) y = Σ x (y · k) = Σ k (x · y), whatever one of them is; whole
    # numbers so small are exact in float32.
    *_, size, strides = shape
    x, y, k = tensors(*shape)
    total = tf.reduce_sum(convolve(x, k, strides) * y)
    by_x = spread(y, k, x.shape, strides)
    by_k = correlate(x, y, size, strides)
    assert by_x.shape == x.shape
    assert by_k.shape == k.shape
    assert float(tf.reduce_sum(by_x * x)) == float(total)
    assert float(tf.reduce_sum(by_k * k)) == float(total)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradients_are_those_of_tensorflow(shape, dtype, processor):
    *_, size, strides = shape
    x, y, k = tensors(*shape, dtype)
    with tf.GradientTape() as tape:
        tape.watch((x, k))
        value = tf.nn.conv2d(x, k, strides, "SAME")
    by_x, by_k = tape.gradient(value, (x, k), y)
    # bfloat16 rounds results, not sums, in either form.
    np.testing.assert_array_equal(
        tf.cast(spread(y, k, x.shape, strides), "float32"),
        tf.cast(by_x, "float32"),
    )
    np.testing.assert_array_equal(
        tf.cast(correlate(x, y, size, strides), "float32"),
        tf.cast(by_k, "float32"),
    )


def kinds(function, *arguments):
    """Names of the operations that a function consists of."""
    graph = tf.function(function, autograph=False).get_concrete_function(
        *arguments
    )
    return {operation.type for operation in graph.graph.get_operations()}


def test_kernels_of_tensorflow_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: ["GPU:0"])
    monkeypatch.setattr(hardware, "cpu_flags", lambda: {"avx512_bf16"})
    x, y, k = tensors(*SHAPES["to colours"])
    assert "DepthToSpace" not in kinds(convolve, x, k)
    assert "Conv2DBackpropInput" in kinds(lambda y: spread(y, k, x.shape), y)
    assert "ReverseV2" not in kinds(lambda x, y: correlate(x, y, 5), x, y)
    x, y, _ = tensors(*SHAPES["to a small map"], "bfloat16")
    assert "Conv2D" not in kinds(lambda x, y: correlate(x, y, 5, 2), x, y)


def test_where_a_form_of_ones_own_is_taken(processor):
    x, y, k = tensors(*SHAPES["to colours"])
    assert "DepthToSpace" in kinds(convolve, x, k)
    assert "ReverseV2" in kinds(lambda x, y: correlate(x, y, 5), x, y)
    x, y, k = tensors(*SHAPES["from colours"])
    assert "DepthToSpace" in kinds(lambda y: spread(y, k, x.shape), y)
    x, y, _ = tensors(*SHAPES["to a small map"], "bfloat16")
    in_vectors = "Conv2D" in kinds(lambda x, y: correlate(x, y, 5, 2), x, y)
    assert in_vectors == (processor == "vectors")
