"""How fast the machine multiplies matrices."""

import time

import tensorflow as tf

SIZES = (2048, 4096)


def measure(repeats=5, sizes=SIZES):
    """The best speed of TensorFlow's product of large square matrices.

    Args:
        repeats: Products of each size.
        sizes: Rows of the matrices.

    Returns:
        Floating-point operations per second for `float32` and `bfloat16`.
    """
    return {
        dtype: max(_speed(size, dtype, repeats) for size in sizes)
        for dtype in ("float32", "bfloat16")
    }


def _speed(size, dtype, repeats):
    left, right = (
        tf.cast(tf.random.stateless_normal((size, size), (seed, 0)), dtype)
        for seed in range(2)
    )
    product = tf.function(lambda: tf.reduce_max(tf.matmul(left, right)))
    product()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
