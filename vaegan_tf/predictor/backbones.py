"""From an image to its features: a small network, an encoder, a ResNet-34."""

import pathlib
import types
import warnings
from typing import Any

import keras
import numpy as np

from vaegan_tf.errors import one_line
from vaegan_tf.models import require
from vaegan_tf.networks.blocks import Blocks, Network, image_input
from vaegan_tf.networks.encoder import encoder_features
from vaegan_tf.runs import Run
from vaegan_tf.settings import (
    EncoderSettings,
    NetworkSettings,
    PredictorSettings,
)

FILTERS = {
    32: (64, 128, 256, 256),
    64: (32, 64, 128, 256, 256),
    128: (16, 32, 64, 128, 256, 256),
}
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225])


@keras.saving.register_keras_serializable(package="vaegan_tf")
class SmallBackbone(Network):
    """Pooled 3×3 convolutions, about a million weights at full width.

    Each convolution is followed by batch normalisation and ReLU, and all but
    the last by the maximum over 2×2 places, so that the last map is 4×4. The
    features are its means over all places.

    Call it on `{"image": (batch, size, size, channels)}`; it returns
    `{"features": (batch, 256 · width)}` in float32.

    Arguments are described in `Network`.
    """

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        name: str = "backbone",
        **options: Any,
    ):
        blocks = Blocks("backbone", NetworkSettings(**options))
        image = image_input(image_size, num_channels)
        x = image
        for index, filters in enumerate(FILTERS[image_size]):
            if index:
                x = keras.layers.MaxPooling2D(name=f"backbone_pool_{index}")(x)
            x = blocks.conv(x, blocks.scaled(filters), index, kernel_size=3)
            x = blocks.norm_relu(x, f"conv_{index}")
        features = _means(x)
        super().__init__(
            inputs={"image": image},
            outputs={"features": features},
            image_size=image_size,
            num_channels=num_channels,
            name=name,
            **options,
        )
        self.num_features = features.shape[-1]


@keras.saving.register_keras_serializable(package="vaegan_tf")
class EncoderBackbone(Network):
    """The encoder of the paper's models, without its two last layers.

    Call it on `{"image": (batch, size, size, channels)}`; it returns
    `{"features": (batch, 2048 · width)}` in float32.

    Args:
        encoder_units: As in `Encoder`.
        **options: See `Network`, as for the arguments not named here.

    Reference:
        Larsen et al. (2016), section 4.3: features learned without labels.
    """

    own_settings = ("encoder_units",)

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        encoder_units: int = 2048,
        name: str = "backbone",
        **options: Any,
    ):
        settings = EncoderSettings(encoder_units=encoder_units, **options)
        blocks = Blocks("encoder", settings)
        image = image_input(image_size, num_channels)
        x = encoder_features(blocks, image, encoder_units)
        features = blocks.float32(x, "features")
        super().__init__(
            inputs={"image": image},
            outputs={"features": features},
            image_size=image_size,
            num_channels=num_channels,
            encoder_units=encoder_units,
            name=name,
            **options,
        )
        self.num_features = features.shape[-1]

    def load_pretrained(self, source: str) -> None:
        """Replaces the weights by those of a trained model's encoder.

        Of encoders with a running average, the average is taken.

        Args:
            source: The folder of the model's run.

        Raises:
            FileNotFoundError: If it is no run, or one without a checkpoint.
            ValueError: If its model has no encoder, or another one.
        """
        run = Run(source)
        require(run.model_class, "encode")
        encoder = run.model()[0].in_use("encoder")
        theirs, ours = encoder.get_config(), self.get_config()
        ours["num_attributes"] = 0  # Labels would be among its inputs.
        for key in (
            *("image_size", "num_channels", "num_attributes"),
            *("width", "encoder_units"),
        ):
            if theirs[key] != ours[key]:
                raise ValueError(
                    f"The encoder of {source} has {key}={theirs[key]}, this "
                    f"predictor has {key}={ours[key]}. They must be the same."
                )
        for layer in self.layers[:-1]:  # The last is a cast.
            layer.set_weights(encoder.get_layer(layer.name).get_weights())


@keras.saving.register_keras_serializable(package="vaegan_tf")
class ResNet34Backbone(Network):
    """ResNet-34 of `keras-hub`, in the form that it has trained weights of.

    That is the form with three 3×3 convolutions at the entrance and pooling
    in the shortcuts ("vd"). Images are standardised as those of ImageNet are;
    grey ones are taken as colour images.

    Call it on `{"image": (batch, size, size, channels)}`; it returns
    `{"features": (batch, 512)}` in float32.

    Arguments are described in `Network`.

    Raises:
        ValueError: If `keras-hub` is not installed.

    Reference:
        He et al. (2016), "Deep residual learning for image recognition";
        He et al. (2019), "Bag of tricks for image classification with
        convolutional neural networks".
    """

    def __init__(
        self,
        image_size: int = 64,
        num_channels: int = 3,
        name: str = "backbone",
    ):
        image = image_input(image_size, num_channels)
        resnet = _keras_hub().models.ResNetBackbone(
            input_conv_filters=[32, 32, 64],
            input_conv_kernel_sizes=[3, 3, 3],
            stackwise_num_filters=[64, 128, 256, 512],
            stackwise_num_blocks=[3, 4, 6, 3],
            stackwise_num_strides=[1, 2, 2, 2],
            block_type="basic_block_vd",
            image_shape=(image_size, image_size, 3),
            name="backbone_resnet",
        )
        features = _means(resnet(_standardized(image)))
        super().__init__(
            inputs={"image": image},
            outputs={"features": features},
            image_size=image_size,
            num_channels=num_channels,
            name=name,
        )
        self.resnet = resnet
        self.num_features = features.shape[-1]

    def load_pretrained(self, source: str) -> None:
        """Replaces the weights by trained ones.

        Args:
            source: A file that `keras-hub`'s ResNet-34 wrote (`.weights.h5`),
                or a preset of it by name or folder, such as
                `resnet_vd_34_imagenet`, which is downloaded.

        Raises:
            ValueError: If there are none, or they are of another network.
        """
        try:
            if pathlib.Path(source).is_file():
                with warnings.catch_warnings():  # of weights that it lacks
                    warnings.simplefilter("error", UserWarning)
                    self.resnet.load_weights(source)
            else:
                theirs = _keras_hub().models.ResNetBackbone.from_preset(source)
                self.resnet.set_weights(theirs.get_weights())
        except (
            ImportError,
            KeyError,
            OSError,
            RuntimeError,
            UserWarning,
            ValueError,
        ) as error:
            raise ValueError(
                f"{source!r} gives no weights for resnet34: name a preset such "
                "as resnet_vd_34_imagenet, its folder, or a .weights.h5 file "
                f"of it. Received: {one_line(error)[:300]}"
            ) from error


def create_backbone(
    settings: PredictorSettings, image_size: int, num_channels: int
) -> SmallBackbone | EncoderBackbone | ResNet34Backbone:
    """The backbone of a predictor's settings."""
    if settings.backbone == "resnet34":
        return ResNet34Backbone(image_size, num_channels)
    encoder = settings.backbone == "encoder"
    cls = EncoderBackbone if encoder else SmallBackbone
    return cls.from_settings(
        settings, image_size=image_size, num_channels=num_channels
    )


def _means(x: keras.KerasTensor) -> keras.KerasTensor:
    """Means over all places of a map, in float32: the features."""
    return keras.layers.GlobalAveragePooling2D(
        dtype="float32", name="backbone_features"
    )(x)


def _standardized(image: keras.KerasTensor) -> keras.KerasTensor:
    """Images in [−1, 1] as ImageNet's: colour, of mean 0 and variance 1."""
    if image.shape[-1] == 1:
        image = keras.layers.Concatenate(name="backbone_colour")([image] * 3)
    scale = 0.5 / IMAGENET_DEVIATION
    offset = (0.5 - IMAGENET_MEAN) / IMAGENET_DEVIATION
    return keras.layers.Rescaling(
        scale.tolist(), offset.tolist(), name="backbone_standard"
    )(image)


def _keras_hub() -> types.ModuleType:
    try:
        import keras_hub
    except ImportError as error:
        raise ValueError(
            "The resnet34 backbone needs the package keras-hub: "
            "pip install 'vaegan-tf[resnet]'."
        ) from error
    return keras_hub
