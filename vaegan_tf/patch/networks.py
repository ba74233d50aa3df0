"""What are the encoder, the decoder, the refinements and the critic of patches?

All are convolutional, of 3×3 or 3×3×3 kernels with zeros around the maps, and
keep the size of what they are given: a code is a map of vectors, one at each
position of the coarsest scale, and any size can be drawn.

Reference:
    Gur et al. (2020); layers and sizes as in their code.
"""

from typing import Any, Self

import keras
import tensorflow as tf

from vaegan_tf.networks.blocks import LEAK
from vaegan_tf.networks.spectral import (
    SpectralConvolution,
    SpectralConvolution3D,
)
from vaegan_tf.settings import HPVAEGANSettings

KERNEL = 3
PLAIN = {2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
SPECTRAL = {2: SpectralConvolution, 3: SpectralConvolution3D}


class FromArguments:
    """A network that Keras makes anew from its constructor's arguments."""

    _arguments: dict[str, Any]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self._arguments)

    @classmethod
    def from_config(cls, config: dict[str, Any], **kwargs: Any) -> Self:
        """Makes the network from `get_config`."""
        return cls(**config)


class PatchNetwork(FromArguments, keras.Model):
    """A functional model of maps of any size that remembers its arguments.

    Args:
        inputs: Its Keras input.
        outputs: Its Keras outputs.
        **arguments: Those of the subclass's constructor.
    """

    own_settings: tuple[str, ...] = ("channels", "layers", "latent_channels")

    def __init__(self, inputs: Any, outputs: Any, **arguments: Any):
        super().__init__(inputs, outputs, name=arguments["name"])
        self._arguments = arguments

    @classmethod
    def from_settings(cls, settings: HPVAEGANSettings, **example: Any) -> Self:
        """The network of a model's settings.

        Args:
            settings: The settings.
            **example: `rank`, 2 for pictures or 3 for clips, and
                `num_channels`.
        """
        own = {key: getattr(settings, key) for key in cls.own_settings}
        return cls(**example, **own)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class PatchEncoder(PatchNetwork):
    """q(z|x): mean and log-variance at each position.

    Three convolutions with spectral normalisation before them, as in the
    authors' code, whatever `layers` is.
    """

    own_settings = ("channels", "latent_channels")

    def __init__(self, name: str = "encoder", **arguments: Any):
        inputs = _image(arguments, "num_channels")
        x = inputs
        for number in range(3):
            x = _spectral(x, arguments, f"{name}_conv_{number}")
        posterior = {
            key: _convolution(
                arguments, arguments["latent_channels"], f"{name}_{key}"
            )(x)
            for key in ("mean", "log_variance")
        }
        super().__init__(inputs, posterior, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class PatchDecoder(PatchNetwork):
    """From a map of codes to the example at the coarsest scale."""

    def __init__(self, name: str = "decoder", **arguments: Any):
        inputs = _image(arguments, "latent_channels")
        outputs = keras.ops.tanh(_stack(inputs, arguments, name))
        super().__init__(inputs, outputs, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class RefinementBlock(PatchNetwork):
    """What is added to an enlarged example, before the last tanh."""

    own_settings = ("channels", "layers")

    def __init__(self, name: str, **arguments: Any):
        inputs = _image(arguments, "num_channels")
        outputs = _stack(inputs, arguments, name)
        super().__init__(inputs, outputs, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class Refiner(FromArguments, keras.Model):
    """The blocks of all scales above the coarsest.

    They are made at once and trained one after the other, so that every
    checkpoint of a run has one form. What has grown is one of the weights.

    Args:
        num_scales: Scales in all.
        name: The network's name.
        **arguments: Those of `RefinementBlock` but for its name.

    Attributes:
        newest: The finest scale that has been trained, a weight.
        amplitudes: Standard deviations of the noise at each scale, a weight.
    """

    def __init__(
        self, num_scales: int, name: str = "refiner", **arguments: Any
    ):
        super().__init__(name=name)
        self._arguments = {"num_scales": num_scales, "name": name, **arguments}
        self.num_channels = arguments["num_channels"]
        self.blocks = [
            RefinementBlock(name=f"{name}_{scale}", **arguments)
            for scale in range(1, num_scales)
        ]
        options = {"trainable": False, "aggregation": "only_first_replica"}
        self.newest = self.add_weight(
            (), "zeros", "int32", name="newest", **options
        )
        self.amplitudes = self.add_weight(
            (num_scales,), "zeros", name="amplitudes", **options
        )
        self.built = True

    @classmethod
    def from_settings(
        cls, settings: HPVAEGANSettings, *, num_scales: int, **example: Any
    ) -> Self:
        """The network of a model's settings; see `PatchNetwork`."""
        own = {
            key: getattr(settings, key) for key in RefinementBlock.own_settings
        }
        return cls(num_scales, **example, **own)

    def block(self, scale: int) -> RefinementBlock:
        """The block of a scale from 1."""
        return self.blocks[scale - 1]

    def grow(self, scale: int) -> None:
        """Begins a scale: its block starts as a copy of the one before."""
        if scale > 1:
            before = self.block(scale - 1).get_weights()
            self.block(scale).set_weights(before)
        self.newest.assign(scale)

    def refine(
        self,
        enlarged: tf.Tensor,
        scale: int,
        noise: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """An example at a scale, of that of the scale below enlarged.

        x = tanh(u + block(u + σ n)),  u the enlarged example, n the noise
        """
        noisy = enlarged
        if noise is not None:
            noisy += self.amplitudes[scale] * noise
        return tf.tanh(enlarged + self.block(scale)(noisy))


@keras.saving.register_keras_serializable(package="vaegan_tf")
class PatchCritic(PatchNetwork):
    """A score of the patch around each position, (batch, *sizes, 1)."""

    own_settings = ("channels", "layers")

    def __init__(self, name: str = "critic", **arguments: Any):
        inputs = _image(arguments, "num_channels")
        x = inputs
        for number in range(1 + arguments["layers"]):
            x = _spectral(x, arguments, f"{name}_conv_{number}")
        outputs = _convolution(arguments, 1, f"{name}_score")(x)
        super().__init__(inputs, outputs, name=name, **arguments)


def _image(arguments: dict[str, Any], channels: str) -> Any:
    """The input, whose number of channels is one of the arguments."""
    sizes = [None] * arguments["rank"]
    return keras.Input((*sizes, arguments[channels]))


def _stack(x: Any, arguments: dict[str, Any], name: str) -> Any:
    """Convolutions with normalisation, and one to the channels.

    Each map is normalised by its own statistics, in training and after it: so
    a sample has as much of everything as the example, whatever its code.
    """
    for number in range(1 + arguments["layers"]):
        own = f"{name}_conv_{number}"
        x = _convolution(arguments, arguments["channels"], own)(x)
        x = keras.layers.GroupNormalization(
            groups=-1, epsilon=1e-5, name=f"{own}_norm"
        )(x)
        x = keras.layers.LeakyReLU(LEAK, name=f"{own}_rectifier")(x)
    return _convolution(arguments, arguments["num_channels"], f"{name}_last")(x)


def _spectral(x: Any, arguments: dict[str, Any], name: str) -> Any:
    layer = SPECTRAL[arguments["rank"]]
    x = _convolution(arguments, arguments["channels"], name, layer)(x)
    return keras.layers.LeakyReLU(LEAK, name=f"{name}_rectifier")(x)


def _convolution(
    arguments: dict[str, Any], filters: int, name: str, layer: Any = None
) -> keras.layers.Layer:
    """A convolution whose first kernels are PyTorch's: ±1/√fan-in."""
    layer = layer or PLAIN[arguments["rank"]]
    initializer = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    return layer(
        filters,
        KERNEL,
        padding="same",
        kernel_initializer=initializer,
        name=name,
    )
