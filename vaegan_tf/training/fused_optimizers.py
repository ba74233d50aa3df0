"""Keras's optimizers, each update one operation instead of a dozen.

Weights, slots, arguments and numbers are those of the Keras optimizers, within
floating-point error. Keras passes over every weight once per arithmetic
operation; TensorFlow's own kernels do it in one go.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FusedRMSprop(keras.optimizers.RMSprop):
    """RMSprop, fused where it is neither centred nor has momentum."""

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the slots, and room for the kernel's increments."""
        built = self.built
        super().build(variables)
        if not built and self._is_fusable():
            # Written before it is read, so no checkpoint needs it: this way
            # around TensorFlow's tracking of attributes.
            increments = [
                tf.Variable(tf.zeros(v.shape, v.dtype), trainable=False)
                for v in variables
            ]
            object.__setattr__(self, "_increments", increments)

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: keras.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Moves a weight against its gradient."""
        if not self._is_fusable():
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=_handle(variable),
            ms=_handle(self._velocities[index]),
            mom=_handle(self._increments[index]),
            lr=tf.cast(learning_rate, variable.dtype),
            rho=tf.cast(self.rho, variable.dtype),
            momentum=tf.zeros((), variable.dtype),
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )

    def _is_fusable(self) -> bool:
        return self.momentum == 0 and not self.centered


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FusedAdam(keras.optimizers.Adam):
    """Adam, fused where it is not AMSGrad."""

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: keras.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Moves a weight against its gradient."""
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        beta_1, beta_2, step = (
            tf.cast(number, variable.dtype)
            for number in (self.beta_1, self.beta_2, self.iterations + 1)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )


def _handle(variable: keras.Variable | tf.Variable) -> tf.Tensor:
    """The resource of a Keras or TensorFlow variable."""
    if isinstance(variable, keras.Variable):
        variable = variable.value
    return variable.handle
