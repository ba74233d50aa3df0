"""Muon: all directions of a kernel step by the same amount."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf.settings import check
from vaegan_tf.training.fused_optimizers import FusedAdam

# Of the polynomial a s + b s³ + c s⁵, which is taken five times.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = (3, 2)
# Root mean square of a kernel's step, in learning rates: about Adam's.
STEP_SIZE = 0.4
# Kernels of images' channels, and single outputs, are better left to Adam.
FEWEST_CHANNELS = 8
# Larger matrices would take longer than the rest of a step.
LARGEST_SIDE = 256


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Muon(FusedAdam):
    """Muon for kernels, Adam for all other weights.

    A kernel W, of a convolution or a fully connected layer, is taken as a
    matrix with one column per output. Of its gradients G there is a running
    sum, and W steps along the orthogonal matrix nearest to it, whose singular
    values are all 1:

        M ← μ M + G,  W ← W − η · 0.4 √max(rows, columns) · orth(G + μ M)

    A direction of weak gradients so steps as far as one of strong ones. The
    factor makes the root mean square of a step 0.4 η, so that one learning
    rate η does for all weights. Kernels with fewer than 8 input or output
    channels, such as those of images, and matrices with both sides above 256
    step by Adam. (Keras's own Muon leaves convolutions to Adam.)

    Args:
        learning_rate: η, of all weights.
        momentum: μ, of kernels, from 0 to below 1.
        **options: Those of Adam.

    Raises:
        ValueError: If `momentum` is out of range.

    Reference:
        Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural
        networks"; the factor, with 0.2: Liu et al. (2025), "Muon is scalable
        for LLM training".
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        momentum: float = 0.9,
        **options: Any,
    ):
        check("momentum", momentum, low=0, below=1)
        super().__init__(learning_rate, **options)
        self.momentum = momentum

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: keras.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Moves a weight against its gradient."""
        if not is_matrix(variable.shape):
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = tf.cast(gradient, variable.dtype)
        average = self._momentums[self._get_variable_index(variable)]
        moved = self.momentum * average + gradient
        self.assign(average, moved)
        ahead = gradient + self.momentum * moved
        matrix = tf.reshape(ahead, (-1, variable.shape[-1]))
        step = STEP_SIZE * math.sqrt(max(matrix.shape)) * orthogonal(matrix)
        rate = tf.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * tf.reshape(step, variable.shape))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "momentum": self.momentum}


def is_matrix(shape: Sequence[int]) -> bool:
    """Whether a weight of this shape steps by Muon."""
    if len(shape) < 2 or min(shape[-2:]) < FEWEST_CHANNELS:
        return False
    return min(math.prod(shape[:-1]), shape[-1]) <= LARGEST_SIDE


def orthogonal(matrix: tf.Tensor) -> tf.Tensor:
    """A matrix with singular values brought to between 0.7 and 1.2.

    X ← a X + b X Xᵀ X + c (X Xᵀ)² X, five times, of X of norm 1. Singular
    values below three thousandths of the norm come out smaller.

    A few iterations are one product of X with a polynomial of the small
    X Xᵀ. All five would be too, but grow without bound in bfloat16; three and
    two do not. Even so, bfloat16 will not do: rounding comes to a tenth or a
    quarter of a step, in directions without any gradient, and trainings can
    break down.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if is_tall else matrix
    x = tf.math.divide_no_nan(x, tf.norm(x))
    for iterations in ITERATIONS:
        x = _polynomial(tf.matmul(x, x, transpose_b=True), iterations) @ x
    return tf.transpose(x) if is_tall else x


def _polynomial(squares: tf.Tensor, iterations: int) -> tf.Tensor:
    """P, where P X is X after some iterations, from X Xᵀ."""
    a, b, c = COEFFICIENTS
    one = tf.eye(squares.shape[0], dtype=squares.dtype)
    factor = a * one + b * squares + c * squares @ squares
    if iterations == 1:
        return factor
    return _polynomial(factor @ squares @ factor, iterations - 1) @ factor
