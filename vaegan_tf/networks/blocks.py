"""The layers all three networks are built of, named after their network."""

import keras

from vaegan_tf.networks.layers import (
    Convolution,
    FullyConnected,
    TransposedConvolution,
)
from vaegan_tf.networks.normalization import FusedBatchNormalization

KERNEL_SIZE = 5
SMALLEST_MAP = 8
IMAGE_SIZES = (32, 64, 128)

INITIALIZERS = {
    "glorot": keras.initializers.GlorotUniform,
    # deeppy's AutoFiller: uniform in ±1 / sqrt(3 · fan_in).
    "authors": lambda: keras.initializers.VarianceScaling(
        scale=1 / 9, mode="fan_in", distribution="uniform"
    ),
}


class Blocks:
    """Makes the layers of one network, each under a telling name.

    Args:
        network: The network's name, the first part of every layer's name.
        width: Multiplies every number of channels and units.
        initializer: A key of `INITIALIZERS`: `"glorot"`, or `"authors"` for
            the filler of the authors' code.
        weight_decay: λ of the penalty λ Σ w² on kernels of convolutions and
            fully connected layers.
        synchronized: Whether batch statistics are those of all replicas.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        network,
        *,
        width=1.0,
        initializer="glorot",
        weight_decay=0.0,
        synchronized=False,
    ):
        if width <= 0:
            raise ValueError(
                f"`width` must be positive. Received: width={width}."
            )
        if initializer not in INITIALIZERS:
            raise ValueError(
                f"`initializer` must be one of {sorted(INITIALIZERS)}. "
                f"Received: initializer={initializer!r}."
            )
        if weight_decay < 0:
            raise ValueError(
                "`weight_decay` must not be negative. "
                f"Received: weight_decay={weight_decay}."
            )
        self.network = network
        self.width = width
        self.initializer = initializer
        self.weight_decay = weight_decay
        self.synchronized = synchronized

    def scaled(self, channels):
        """The number of channels that `channels` of the paper become."""
        return max(1, round(channels * self.width))

    def conv(
        self,
        x,
        filters,
        index,
        *,
        strides=1,
        use_bias=False,
        kernel_size=KERNEL_SIZE,
    ):
        """A convolution, 5×5; a stride of 2 halves the map ("down")."""
        return Convolution(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=use_bias,
            name=f"{self.network}_conv_{index}",
            **self._kernel_options(),
        )(x)

    def conv_up(self, x, filters, index):
        """A 5×5 transposed convolution that doubles the map ("up")."""
        return TransposedConvolution(
            filters,
            KERNEL_SIZE,
            strides=2,
            padding="same",
            use_bias=False,
            name=f"{self.network}_conv_{index}",
            **self._kernel_options(),
        )(x)

    def dense(self, x, units, name, *, use_bias=False, dtype=None, **options):
        """A fully connected layer ("FC")."""
        return FullyConnected(
            units,
            use_bias=use_bias,
            dtype=dtype,
            name=f"{self.network}_{name}",
            **{**self._kernel_options(), **options},
        )(x)

    def posterior(self, x, units, name):
        """A parameter of q(z|x), in float32.

        The log-variance starts at 0, but in the authors' way: its exponential
        overflows where first steps add to random first weights.
        """
        options = {}
        if name == "log_variance" and self.initializer != "authors":
            options["kernel_initializer"] = "zeros"
        return self.dense(
            x, units, name, use_bias=True, dtype="float32", **options
        )

    def norm_relu(self, x, name):
        """Batch normalisation as in the authors' code, then ReLU."""
        return self.relu(self._norm(x, name), name)

    def center(self, x, name):
        """Batch normalisation in float32 with a scale but no offset."""
        return self._norm(x, name, center=False, dtype="float32")

    def relu(self, x, name):
        """The rectifier, as a layer that summaries can name."""
        return keras.layers.ReLU(name=f"{self.network}_{name}_relu")(x)

    def flatten(self, x):
        """(batch, height, width, channels) to (batch, units)."""
        return keras.layers.Flatten(name=f"{self.network}_flatten")(x)

    def with_attributes(self, x, attributes, name):
        """Appends attributes to a vector, or to a map as constant channels.

        Reference:
            The authors' conditional scripts (commit 58d4e5b) append them to
            the input of every fully connected layer, and spatially to the
            maps of the generator.
        """
        if attributes is None:
            return x
        name = f"{self.network}_{name}_attributes"
        if len(x.shape) == 4:
            height, width = x.shape[1:3]
            attributes = keras.layers.RepeatVector(
                height * width, name=f"{name}_repeat"
            )(attributes)
            attributes = keras.layers.Reshape(
                (height, width, -1), name=f"{name}_map"
            )(attributes)
        return keras.layers.Concatenate(name=name)([x, attributes])

    def float32(self, x, name, activation="linear"):
        """An output of the network, in float32 whatever the precision."""
        return keras.layers.Activation(
            activation, dtype="float32", name=f"{self.network}_{name}"
        )(x)

    def _norm(self, x, name, **options):
        return FusedBatchNormalization(
            momentum=0.9,
            epsilon=1e-6,
            synchronized=self.synchronized,
            name=f"{self.network}_{name}_norm",
            **options,
        )(x)

    def _kernel_options(self):
        decay = keras.regularizers.L2(self.weight_decay)
        return {
            "kernel_initializer": INITIALIZERS[self.initializer](),
            "kernel_regularizer": decay if self.weight_decay else None,
        }


def image_input(image_size, num_channels):
    """The input of a network that looks at images.

    Raises:
        ValueError: If the paper's pattern has no form for that size.
    """
    check_image(image_size, num_channels)
    return keras.Input((image_size, image_size, num_channels), name="image")


def attribute_inputs(num_attributes):
    """The attribute input of a conditional network; nothing without any."""
    if num_attributes < 0:
        raise ValueError(
            "`num_attributes` must be 0 (unconditional) or more. "
            f"Received: num_attributes={num_attributes}."
        )
    if not num_attributes:
        return {}
    return {"attributes": keras.Input((num_attributes,), name="attributes")}


def check_image(image_size, num_channels):
    """Refuses image sizes and channels that the networks have no form for."""
    if image_size not in IMAGE_SIZES:
        raise ValueError(
            f"`image_size` must be one of {IMAGE_SIZES}. "
            f"Received: image_size={image_size}."
        )
    if num_channels not in (1, 3):
        raise ValueError(
            "`num_channels` must be 1 (grey) or 3 (colour). "
            f"Received: num_channels={num_channels}."
        )
