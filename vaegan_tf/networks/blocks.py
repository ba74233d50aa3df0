"""The layers all three networks are built of, named after their network."""

from typing import Any, Self, TypeAlias

import keras

from vaegan_tf.networks.group_normalization import FusedGroupNormalization
from vaegan_tf.networks.normalization import FeatureMap, FusedBatchNormalization
from vaegan_tf.networks.spectral import SpectralConvolution, SpectralDense
from vaegan_tf.networks.upsampling import NearestConvolution
from vaegan_tf.networks.whitening import Whitening
from vaegan_tf.settings import DataSettings, NetworkSettings, check

Tensor: TypeAlias = keras.KerasTensor

KERNEL_SIZE = 5
SMALLEST_MAP = 8
LEAK = 0.2  # slope of leaky rectifiers where x < 0

INITIALIZERS = {
    "glorot": keras.initializers.GlorotUniform,
    # deeppy's AutoFiller: uniform in ±1 / sqrt(3 · fan_in).
    "authors": lambda: keras.initializers.VarianceScaling(
        scale=1 / 9, mode="fan_in", distribution="uniform"
    ),
}


class Network(keras.Model):
    """A functional model that remembers the arguments it was made from.

    Args:
        inputs: Its Keras inputs by name.
        outputs: Its Keras outputs.
        **arguments: Those of the subclass's constructor. All networks take
            `image_size`, the height and width of images: 32, 64 or 128;
            `num_channels`, 1 (grey) or 3 (colour); and `width`, `initializer`
            and `weight_decay`, as in `NetworkSettings`. Most take
            `num_attributes`, the length of the attribute vector; 0 if
            unconditional. Values out of range are refused by a ValueError.

    Attributes:
        own_settings: Names of the settings that are arguments of its
            constructor, beside those of `NetworkSettings`.
    """

    own_settings: tuple[str, ...] = ()

    def __init__(self, inputs: dict, outputs: Any, **arguments: Any):
        super().__init__(inputs, outputs, name=arguments.pop("name"))
        self._arguments = arguments
        for key in arguments.keys() & {"latent_dim", "num_attributes"}:
            setattr(self, key, arguments[key])
        size = arguments["image_size"]
        self.image_shape = (size, size, arguments["num_channels"])

    @classmethod
    def from_settings(cls, settings: NetworkSettings, **example: Any) -> Self:
        """The network of a model's settings.

        `example` is `image_size`, `num_channels` and `num_attributes`.
        """
        own = {name: getattr(settings, name) for name in cls.own_settings}
        return cls(**own, **network_options(settings), **example)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**self._arguments, "name": self.name}


def network_options(settings: NetworkSettings) -> dict[str, Any]:
    """The settings that every network takes as arguments, by name."""
    names = ("width", "initializer", "weight_decay")
    return {name: getattr(settings, name) for name in names}


class Blocks:
    """Makes the layers of one network, each named after it.

    Args:
        network: The network's name, the first part of every layer's name.
        settings: Its settings, such as `width`.
        num_attributes: Length of the attribute vector; 0 if unconditional.
        normalization: `"batch"` as in the authors' code; `"group"`, of the
            channels of each image; or `"spectral"`, of kernels, with biases
            and leaky rectifiers.

    Attributes:
        condition: The input `attributes` of a conditional network by name.
    """

    def __init__(
        self,
        network: str,
        settings: NetworkSettings,
        num_attributes: int = 0,
        normalization: str = "batch",
    ):
        self.network = network
        self.settings = settings
        self.normalization = normalization
        self.is_spectral = normalization == "spectral"
        self.condition: dict[str, Tensor] = {}
        check("num_attributes", num_attributes, low=0)
        if num_attributes:
            attributes = keras.Input((num_attributes,), name="attributes")
            self.condition["attributes"] = attributes

    def scaled(self, channels: int) -> int:
        """The number of channels that `channels` of the paper become."""
        return max(1, round(channels * self.settings.width))

    def conv(
        self,
        x: Tensor,
        filters: int,
        index: int,
        *,
        strides: int = 1,
        use_bias: bool = False,
        kernel_size: int = KERNEL_SIZE,
    ) -> Tensor:
        """A convolution, 5×5; a stride of 2 halves the map ("down")."""
        spectral = self.is_spectral
        layer = SpectralConvolution if spectral else keras.layers.Conv2D
        return layer(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=use_bias or spectral,
            **self._options(f"conv_{index}"),
        )(x)

    def conv_up(self, x: Tensor, filters: int, index: int) -> Tensor:
        """A 5×5 transposed convolution that doubles the map ("up")."""
        return keras.layers.Conv2DTranspose(
            filters,
            KERNEL_SIZE,
            strides=2,
            padding="same",
            use_bias=False,
            **self._options(f"conv_{index}"),
        )(x)

    def nearest_up(self, x: Tensor, filters: int, index: int) -> Tensor:
        """Nearest neighbours and a 3×3 convolution, which double the map."""
        options = self._options(f"conv_{index}")
        return NearestConvolution(filters, **options)(x)

    def dense(self, x: Tensor, units: int, name: str, **options: Any) -> Tensor:
        """A fully connected layer ("FC").

        It has an offset unless batch normalisation brings one.
        """
        layer = SpectralDense if self.is_spectral else keras.layers.Dense
        use_bias = self.normalization != "batch"
        options = {"use_bias": use_bias, **self._options(name), **options}
        return layer(units, **options)(x)

    def posterior(self, x: Tensor, units: int, name: str) -> Tensor:
        """A parameter of q(z|x), in float32.

        The log-variance starts at 0, but in the authors' way: its exponential
        overflows where first steps add to random first weights.
        """
        options: dict[str, Any] = {"use_bias": True, "dtype": "float32"}
        if name == "log_variance" and self.settings.initializer != "authors":
            options["kernel_initializer"] = "zeros"
        return self.dense(x, units, name, **options)

    def norm_relu(self, x: Tensor, name: str) -> Tensor:
        """The network's normalisation of maps, then its rectifier.

        Vectors are normalised over the batch or not at all.
        """
        if self.normalization == "batch":
            x = self._norm(x, name)
        elif self.normalization == "group" and len(x.shape) == 4:
            layer = FusedGroupNormalization(name=f"{self.network}_{name}_norm")
            x = layer(x)
        return self.relu(x, name)

    def standardize(self, x: Tensor, name: str, scale: bool = True) -> Tensor:
        """Batch normalisation in float32 without an offset."""
        options = {"center": False, "scale": scale, "dtype": "float32"}
        return self._norm(x, name, **options)

    def whiten(self, mean: Tensor, log_variance: Tensor) -> dict[str, Tensor]:
        """A posterior whose codes have the prior's mean and covariance."""
        name = f"{self.network}_log_variance_below_0"
        below = keras.layers.Activation(
            "log_sigmoid", dtype="float32", name=name
        )(log_variance)
        mean = self.standardize(mean, "mean", scale=False)
        layer = Whitening(dtype="float32", name=f"{self.network}_whitening")
        return {"mean": layer((mean, below)), "log_variance": below}

    def relu(self, x: Tensor, name: str) -> Tensor:
        """The rectifier, as a layer that summaries can name."""
        slope = LEAK if self.is_spectral else 0.0
        name = f"{self.network}_{name}_relu"
        return keras.layers.ReLU(negative_slope=slope, name=name)(x)

    def features(self, x: Tensor, layer: int) -> Tensor:
        """A map in float32, beside its channels' running variance."""
        name = f"{self.network}_features_{layer}"
        return FeatureMap(dtype="float32", name=name)(x)

    def flatten(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, units)."""
        return keras.layers.Flatten(name=f"{self.network}_flatten")(x)

    def with_attributes(self, x: Tensor, name: str) -> Tensor:
        """Appends attributes to a vector, or to a map as constant channels.

        Reference:
            The authors' conditional scripts (commit 58d4e5b) append them to
            the input of every fully connected layer, and spatially to the
            maps of the generator.
        """
        if not self.condition:
            return x
        layers, attributes = keras.layers, self.condition["attributes"]
        name = f"{self.network}_{name}_attributes"
        if len(x.shape) == 4:
            height, width = x.shape[1:3]
            repeat = layers.RepeatVector(height * width, name=f"{name}_repeat")
            to_map = layers.Reshape((height, width, -1), name=f"{name}_map")
            attributes = to_map(repeat(attributes))
        return layers.Concatenate(name=name)([x, attributes])

    def float32(
        self, x: Tensor, name: str, activation: str = "linear"
    ) -> Tensor:
        """An output of the network, in float32 whatever the precision."""
        return keras.layers.Activation(
            activation, dtype="float32", name=f"{self.network}_{name}"
        )(x)

    def _norm(self, x: Tensor, name: str, **options: Any) -> Tensor:
        return FusedBatchNormalization(
            momentum=0.9,
            epsilon=1e-6,
            synchronized=True,
            name=f"{self.network}_{name}_norm",
            **options,
        )(x)

    def _options(self, name: str) -> dict[str, Any]:
        """Name, first weights and penalty of a layer with a kernel."""
        decay = self.settings.weight_decay
        penalty = keras.regularizers.L2(decay) if decay else None
        return {
            "name": f"{self.network}_{name}",
            "kernel_initializer": INITIALIZERS[self.settings.initializer](),
            "kernel_regularizer": penalty,
        }


def image_input(image_size: int, num_channels: int) -> Tensor:
    """The input of a network that takes images."""
    check_image(image_size, num_channels)
    return keras.Input((image_size, image_size, num_channels), name="image")


def check_image(image_size: int, num_channels: int) -> None:
    """Refuses image sizes and channels that the networks have no form for."""
    DataSettings(image_size=image_size, num_channels=num_channels)
