"""Enlarging maps without a pattern: nearest neighbours, then 3×3 weights."""

from typing import Any

import keras
import tensorflow as tf

# Rows of the 4×4 kernel that one transposed convolution needs for what
# nearest neighbours and a 3×3 kernel w do in two steps:
# w₂, w₁ + w₂, w₀ + w₁, w₀; and columns likewise.
_FOLD = ((0, 0, 1), (0, 1, 1), (1, 1, 0), (1, 0, 0))


@keras.saving.register_keras_serializable(package="vaegan_tf")
class NearestConvolution(keras.layers.Layer):
    """Doubles maps by nearest neighbours and convolves them with 3×3 kernels.

    Every pixel of the result is made of as many products as its neighbours,
    which a transposed convolution with an odd kernel does not give: that is
    the grain in its images. The two steps are one transposed convolution with
    a 4×4 kernel of summed weights, which needs 16 products for each input
    pixel where they would need 36.

    Args:
        filters: Channels of the result.
        kernel_initializer: First values of the 3×3 kernel.
        kernel_regularizer: Penalty on it.
        **kwargs: `name` and `dtype` of `keras.layers.Layer`.

    Reference:
        Odena et al. (2016), "Deconvolution and checkerboard artifacts".
    """

    def __init__(
        self,
        filters: int,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel, (3, 3, channels, filters)."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Maps, (batch, 2 · height, 2 · width, filters)."""
        kernel = tf.convert_to_tensor(self.kernel)
        fold = tf.constant(_FOLD, kernel.dtype)
        kernel = tf.einsum("ai,bj,ijcf->abfc", fold, fold, kernel)
        batch, height, width, _ = tf.unstack(tf.shape(inputs))
        return tf.nn.conv2d_transpose(
            inputs, kernel, (batch, 2 * height, 2 * width, self.filters), 2
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Twice the height and width."""
        batch, height, width, _ = input_shape
        return batch, 2 * height, 2 * width, self.filters

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
