"""The Inception network that Fréchet Inception distances are measured in.

Its weights are those of TensorFlow's `classify_image_graph_def.pb` of 5
December 2015, in the form that the project pytorch-fid gives them out:
`pt_inception-2015-12-05-6726825d.pth`.
"""

import hashlib
import pathlib

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf.evaluation import torch_files

CANONICAL = "6726825d"  # The first digits of the file's SHA-256.
DIMENSION = 2048
CONVENTIONS = ("tensorflow", "pytorch")
_SIZE = 299
_CLASSES = 1008
_EPSILON = 1e-3


class Inception:
    """Features of images: the 2048 averages of the last pooling layer.

    Args:
        path: The weights: the `.pth` above, or an `.npz` of arrays under the
            same names and in the same layout.
        convention: How images are brought to 299×299, both bilinear without
            antialiasing. `"tensorflow"`: as in the original graph, with
            corners aligned to the upper left and (level − 128) / 128.
            `"pytorch"`: as in pytorch-fid, with pixels' centres aligned and
            level / 127.5 − 1.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file does not hold these weights.

    Reference:
        Szegedy et al. (2016), "Rethinking the Inception architecture";
        Heusel et al. (2017).
    """

    def __init__(self, path, convention="tensorflow"):
        if convention not in CONVENTIONS:
            raise ValueError(
                f"`convention` must be one of {CONVENTIONS}. "
                f"Received: {convention!r}."
            )
        path = pathlib.Path(path).expanduser()
        weights = _read(path)
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        self.convention = convention
        try:
            self.network = build(weights)
        except KeyError as error:
            raise ValueError(
                f"{path} is not a whole Inception network: {error} is missing."
            ) from error

    @property
    def is_canonical(self):
        """Whether the weights are those of published distances."""
        return self.digest == CANONICAL

    @property
    def resize(self):
        """How images are resized, in words."""
        return f"bilinear {_SIZE} ({self.convention})"

    def __call__(self, images):
        """Features, float32 (batch, 2048), of uint8 (batch, ..., 1 or 3)."""
        return self.network(resized(images, self.convention)).numpy()


def resized(images, convention):
    """Images as the network takes them.

    Args:
        images: uint8 (batch, height, width, 1 or 3).
        convention: As in `Inception`.

    Returns:
        float32 (batch, 299, 299, 3).
    """
    images = tf.cast(images, tf.float32)
    if images.shape[-1] == 1:
        images = tf.tile(images, [1, 1, 1, 3])
    centers = convention == "pytorch"
    images = tf.raw_ops.ResizeBilinear(
        images=images, size=[_SIZE, _SIZE], half_pixel_centers=centers
    )
    return images / 127.5 - 1.0 if centers else (images - 128.0) / 128.0


def build(weights):
    """The network of some weights.

    Args:
        weights: Arrays by the names of torchvision's `inception_v3`.

    Returns:
        A model from images (batch, 299, 299, 3) to features (batch, 2048).

    Raises:
        KeyError: If an array is missing.
    """
    layers = _Layers(weights)
    image = keras.Input((_SIZE, _SIZE, 3), dtype="float32")
    x = layers.conv(image, "Conv2d_1a_3x3", strides=2, padding="valid")
    x = layers.conv(x, "Conv2d_2a_3x3", padding="valid")
    x = layers.conv(x, "Conv2d_2b_3x3")
    x = layers.max_pool(x)
    x = layers.conv(x, "Conv2d_3b_1x1", padding="valid")
    x = layers.conv(x, "Conv2d_4a_3x3", padding="valid")
    x = layers.max_pool(x)
    for block in ("5b", "5c", "5d"):
        x = _block_35(layers, x, f"Mixed_{block}")
    x = _reduction_35(layers, x, "Mixed_6a")
    for block in ("6b", "6c", "6d", "6e"):
        x = _block_17(layers, x, f"Mixed_{block}")
    x = _reduction_17(layers, x, "Mixed_7a")
    x = _block_8(layers, x, "Mixed_7b", layers.average_pool)
    # The graph of 2015 has a maximum here, by mistake or not.
    x = _block_8(layers, x, "Mixed_7c", layers.same_max_pool)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    return keras.Model(image, x, name="inception")


class _Layers:
    """Layers that take their weights from a dictionary."""

    def __init__(self, weights):
        self.weights = weights

    def conv(self, x, name, strides=1, padding="same"):
        """Convolution, batch normalisation and ReLU as one layer."""
        kernel, bias = self._folded(name)
        layer = keras.layers.Conv2D(
            kernel.shape[3],
            kernel.shape[:2],
            strides,
            padding,
            activation="relu",
            kernel_initializer="zeros",
            dtype="float32",
            name=name.replace(".", "_"),
        )
        x = layer(x)
        layer.set_weights([kernel, bias])
        return x

    def chain(self, x, block, *names):
        for name in names:
            x = self.conv(x, f"{block}.{name}")
        return x

    def max_pool(self, x):
        return keras.layers.MaxPooling2D(3, 2, dtype="float32")(x)

    def same_max_pool(self, x):
        pool = keras.layers.MaxPooling2D(3, 1, "same", dtype="float32")
        return pool(x)

    def average_pool(self, x):
        """The average of those neighbours that lie inside the map."""
        pool = keras.layers.AveragePooling2D(3, 1, "same", dtype="float32")
        return pool(x)

    def _folded(self, name):
        """Kernel (height, width, in, out) and bias with the normalisation."""
        kernel, gamma, beta, mean, variance = (
            np.asarray(self.weights[f"{name}.{part}"], np.float64)
            for part in (
                "conv.weight",
                "bn.weight",
                "bn.bias",
                "bn.running_mean",
                "bn.running_var",
            )
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        kernel = kernel.transpose(2, 3, 1, 0) * scale
        return kernel, beta - mean * scale


def _join(*branches):
    return keras.layers.Concatenate(dtype="float32")(branches)


def _block_35(layers, x, name):
    return _join(
        layers.chain(x, name, "branch1x1"),
        layers.chain(x, name, "branch5x5_1", "branch5x5_2"),
        layers.chain(
            x, name, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"
        ),
        layers.chain(layers.average_pool(x), name, "branch_pool"),
    )


def _reduction_35(layers, x, name):
    double = layers.chain(x, name, "branch3x3dbl_1", "branch3x3dbl_2")
    return _join(
        layers.conv(x, f"{name}.branch3x3", 2, "valid"),
        layers.conv(double, f"{name}.branch3x3dbl_3", 2, "valid"),
        layers.max_pool(x),
    )


def _block_17(layers, x, name):
    sevens = [f"branch7x7_{n}" for n in (1, 2, 3)]
    doubles = [f"branch7x7dbl_{n}" for n in (1, 2, 3, 4, 5)]
    return _join(
        layers.chain(x, name, "branch1x1"),
        layers.chain(x, name, *sevens),
        layers.chain(x, name, *doubles),
        layers.chain(layers.average_pool(x), name, "branch_pool"),
    )


def _reduction_17(layers, x, name):
    threes = layers.chain(x, name, "branch3x3_1")
    sevens = layers.chain(
        x, name, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3"
    )
    return _join(
        layers.conv(threes, f"{name}.branch3x3_2", 2, "valid"),
        layers.conv(sevens, f"{name}.branch7x7x3_4", 2, "valid"),
        layers.max_pool(x),
    )


def _block_8(layers, x, name, pool):
    threes = layers.chain(x, name, "branch3x3_1")
    doubles = layers.chain(x, name, "branch3x3dbl_1", "branch3x3dbl_2")
    return _join(
        layers.chain(x, name, "branch1x1"),
        layers.chain(threes, name, "branch3x3_2a"),
        layers.chain(threes, name, "branch3x3_2b"),
        layers.chain(doubles, name, "branch3x3dbl_3a"),
        layers.chain(doubles, name, "branch3x3dbl_3b"),
        layers.chain(pool(x), name, "branch_pool"),
    )


def _read(path):
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = dict(file)
        except (ValueError, OSError, EOFError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(f"{path} is damaged: {error}.") from error
    else:
        weights = torch_files.read_state_dict(path)
    classes = weights.get("fc.weight", np.zeros((_CLASSES, 0))).shape[0]
    if classes != _CLASSES:
        raise ValueError(
            f"{path} holds an Inception network of {classes} classes. Fréchet "
            f"Inception distances are measured in that of {_CLASSES}: give "
            "pt_inception-2015-12-05-6726825d.pth of pytorch-fid."
        )
    return weights
