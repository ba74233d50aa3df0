"""From an image to its features: a small network, or a ResNet-34."""

import pathlib
import warnings

import keras

from vaegan_tf.networks.blocks import Blocks, image_input

FILTERS = {
    32: (64, 128, 256, 256),
    64: (32, 64, 128, 256, 256),
    128: (16, 32, 64, 128, 256, 256),
}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

# What Keras and keras-hub raise for what is no file, no preset, or of another
# network; a warning says that some weights were not found.
_NO_WEIGHTS = (
    ImportError,
    KeyError,
    OSError,
    RuntimeError,
    UserWarning,
    ValueError,
)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class SmallBackbone(keras.Model):
    """Pooled 3×3 convolutions, about a million weights at full width.

    Each convolution is followed by batch normalisation and ReLU, and all but
    the last by the maximum over 2×2 places, so that the last map is 4×4. The
    features are its means over all places.

    Call it on `{"image": (batch, size, size, channels)}`; it returns
    `{"features": (batch, 256 · width)}` in float32.

    Args:
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        name: Name of the network.
        **options: `width`, `initializer`, `weight_decay`, `synchronized`, as
            in `Blocks`.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self, image_size=64, num_channels=3, name="backbone", **options
    ):
        blocks = Blocks("backbone", **options)
        image = image_input(image_size, num_channels)
        filters = [blocks.scaled(count) for count in FILTERS[image_size]]
        x = image
        for index, count in enumerate(filters):
            if index:
                x = keras.layers.MaxPooling2D(name=f"backbone_pool_{index}")(x)
            x = blocks.conv(x, count, index, kernel_size=3)
            x = blocks.norm_relu(x, f"conv_{index}")
        super().__init__(
            inputs={"image": image},
            outputs={"features": _means(x)},
            name=name,
        )

        self.image_shape = (image_size, image_size, num_channels)
        self.num_features = filters[-1]
        self.options = options

    def get_config(self):
        """The constructor's arguments."""
        return {
            "image_size": self.image_shape[0],
            "num_channels": self.image_shape[2],
            "name": self.name,
            **self.options,
        }


@keras.saving.register_keras_serializable(package="vaegan_tf")
class ResNet34Backbone(keras.Model):
    """ResNet-34 of `keras-hub`, in the form that it has trained weights of.

    That is the form with three 3×3 convolutions at the entrance and pooling
    in the shortcuts ("vd"). Images are standardised as those of ImageNet are;
    grey ones are taken as colour images.

    Call it on `{"image": (batch, size, size, channels)}`; it returns
    `{"features": (batch, 512)}` in float32.

    Args:
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        name: Name of the network.

    Raises:
        ValueError: If an argument is out of range, or `keras-hub` is not
            installed.

    Reference:
        He et al. (2016), "Deep residual learning for image recognition";
        He et al. (2019), "Bag of tricks for image classification with
        convolutional neural networks".
    """

    def __init__(self, image_size=64, num_channels=3, name="backbone"):
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
            inputs={"image": image}, outputs={"features": features}, name=name
        )

        self.resnet = resnet
        self.image_shape = (image_size, image_size, num_channels)
        self.num_features = features.shape[-1]

    def take_weights(self, source):
        """Replaces the weights by trained ones.

        Args:
            source: A file that `keras-hub`'s ResNet-34 wrote (`.weights.h5`),
                or a preset of it by name or folder, such as
                `resnet_vd_34_imagenet`, which is downloaded.

        Raises:
            ValueError: If there are no such weights, or they are of another
                network.
        """
        try:
            if pathlib.Path(source).is_file():
                _load_all(self.resnet, source)
            else:
                theirs = _keras_hub().models.ResNetBackbone.from_preset(source)
                self.resnet.set_weights(theirs.get_weights())
        except _NO_WEIGHTS as error:
            raise ValueError(
                f"{source!r} gives no weights for resnet34: name a preset such "
                "as resnet_vd_34_imagenet, its folder, or a .weights.h5 file "
                f"of it. Received: {' '.join(str(error).split())[:300]}"
            ) from error

    def get_config(self):
        """The constructor's arguments."""
        return {
            "image_size": self.image_shape[0],
            "num_channels": self.image_shape[2],
            "name": self.name,
        }


BACKBONES = {"small": SmallBackbone, "resnet34": ResNet34Backbone}


def _means(x):
    """Means over all places of a map, in float32: the features."""
    return keras.layers.GlobalAveragePooling2D(
        dtype="float32", name="backbone_features"
    )(x)


def _standardized(image):
    """Colour images in units of ImageNet's spread, from ones in [−1, 1]."""
    if image.shape[-1] == 1:
        image = keras.layers.Concatenate(name="backbone_colour")([image] * 3)
    scale = [0.5 / deviation for deviation in IMAGENET_DEVIATION]
    offset = [
        (0.5 - mean) / deviation
        for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_DEVIATION)
    ]
    return keras.layers.Rescaling(scale, offset, name="backbone_standard")(
        image
    )


def _load_all(network, file):
    """Loads weights from a file that must hold all of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        network.load_weights(file)


def _keras_hub():
    try:
        import keras_hub
    except ImportError as error:
        raise ValueError(
            "The resnet34 backbone needs the package keras-hub: "
            "pip install 'vaegan-tf[resnet]'."
        ) from error
    return keras_hub
