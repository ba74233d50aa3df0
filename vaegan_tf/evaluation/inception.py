"""The Inception network that Fréchet Inception distances are measured in.

Its weights are those of TensorFlow's `classify_image_graph_def.pb` of 5
December 2015, as the project pytorch-fid distributes them:
`pt_inception-2015-12-05-6726825d.pth`.
"""

import hashlib
import os
import pathlib
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import files
from vaegan_tf.evaluation import torch_files
from vaegan_tf.settings import check
from vaegan_tf.settings.choices import CONVENTIONS

CANONICAL = "6726825d"  # The first digits of the file's SHA-256.
DIMENSION = 2048
_SIZE = 299
_STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
_CLASSES = 1008
_EPSILON = 1e-3


class Inception:
    """Features of images: the 2048 averages of the last pooling layer.

    Args:
        path: The weights: the `.pth` above, or an `.npz` of arrays under the
            same names and in the same layout.
        convention: How images are resized to 299×299, always bilinearly
            without antialiasing. `"tensorflow"`: as in the original graph, with
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

    def __init__(self, path: str | os.PathLike, convention: str = "tensorflow"):
        check("convention", convention, choices=CONVENTIONS)
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
        except (ValueError, TypeError, IndexError) as error:
            raise ValueError(
                f"{path} holds arrays that are not those of an Inception "
                f"network: {error}."
            ) from error

    @property
    def is_canonical(self) -> bool:
        """Whether the weights are those of published distances."""
        return self.digest == CANONICAL

    @property
    def resize(self) -> str:
        """How images are resized, in words."""
        return f"bilinear {_SIZE} ({self.convention})"

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Features, float32 (batch, 2048), of uint8 (batch, ..., 1 or 3)."""
        return self.network(resized(images, self.convention)).numpy()

    def maps(self, images: np.ndarray) -> np.ndarray:
        """The 64 channels behind Conv2d_2b at every position, not resized.

        They are what single-image Fréchet distances compare, which are
        published with the weights of torchvision's ImageNet classifier: with
        these it is a number of its own.

        Args:
            images: uint8 (batch, height, width, 3).

        Returns:
            float32 (batch, height', width', 64).

        Reference:
            Shaham et al. (2019), "SinGAN"; the layer as in their code.
        """
        x = tf.cast(images, tf.float32) / 127.5 - 1.0
        for name in _STEM:
            x = self.network.get_layer(name)(x)
        return x.numpy()


def resized(images: np.ndarray, convention: str) -> tf.Tensor:
    """float32 (batch, 299, 299, 3) of uint8 (batch, height, width, 1 or 3)."""
    images = tf.cast(images, tf.float32)
    if images.shape[-1] == 1:
        images = tf.tile(images, [1, 1, 1, 3])
    centers = convention == "pytorch"
    images = tf.raw_ops.ResizeBilinear(
        images=images, size=[_SIZE, _SIZE], half_pixel_centers=centers
    )
    return images / 127.5 - 1.0 if centers else (images - 128.0) / 128.0


def build(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """The network, images (batch, 299, 299, 3) to features (batch, 2048).

    Weights have the names of torchvision's `inception_v3`; KeyError if one is
    missing.
    """
    image = keras.Input((_SIZE, _SIZE, 3), dtype="float32")
    x = _conv(weights, image, "Conv2d_1a_3x3", 2, "valid")
    x = _conv(weights, x, "Conv2d_2a_3x3", padding="valid")
    x = _conv(weights, x, "Conv2d_2b_3x3")
    x = _max_pool(x)
    x = _conv(weights, x, "Conv2d_3b_1x1", padding="valid")
    x = _conv(weights, x, "Conv2d_4a_3x3", padding="valid")
    x = _max_pool(x)
    for block in ("5b", "5c", "5d"):
        x = _block_35(weights, x, f"Mixed_{block}")
    x = _reduction_35(weights, x, "Mixed_6a")
    for block in ("6b", "6c", "6d", "6e"):
        x = _block_17(weights, x, f"Mixed_{block}")
    x = _reduction_17(weights, x, "Mixed_7a")
    x = _block_8(weights, x, "Mixed_7b", _average_pool(x))
    # The graph of 2015 has a maximum here, by mistake or not.
    x = _block_8(weights, x, "Mixed_7c", _max_pool(x, 1, "same"))
    x = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    return keras.Model(image, x, name="inception")


def _conv(weights, x, name, strides=1, padding="same"):
    """Convolution, batch normalisation and ReLU as one layer."""

    def read(part):
        return np.asarray(weights[f"{name}.{part}"], np.float64)

    scale = read("bn.weight") / np.sqrt(read("bn.running_var") + _EPSILON)
    kernel = read("conv.weight").transpose(2, 3, 1, 0) * scale
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
    bias = read("bn.bias") - read("bn.running_mean") * scale
    layer.set_weights([kernel, bias])
    return x


def _chain(weights, x, name, count):
    """Convolutions `name_1` to `name_count`."""
    for number in range(1, count + 1):
        x = _conv(weights, x, f"{name}_{number}")
    return x


def _max_pool(x, strides=2, padding="valid"):
    return keras.layers.MaxPooling2D(3, strides, padding, dtype="float32")(x)


def _average_pool(x):
    """The average of those neighbours that lie inside the map."""
    return keras.layers.AveragePooling2D(3, 1, "same", dtype="float32")(x)


def _join(*branches):
    return keras.layers.Concatenate(dtype="float32")(branches)


def _block_35(weights, x, name):
    return _join(
        _conv(weights, x, f"{name}.branch1x1"),
        _chain(weights, x, f"{name}.branch5x5", 2),
        _chain(weights, x, f"{name}.branch3x3dbl", 3),
        _conv(weights, _average_pool(x), f"{name}.branch_pool"),
    )


def _reduction_35(weights, x, name):
    doubles = _chain(weights, x, f"{name}.branch3x3dbl", 2)
    return _join(
        _conv(weights, x, f"{name}.branch3x3", 2, "valid"),
        _conv(weights, doubles, f"{name}.branch3x3dbl_3", 2, "valid"),
        _max_pool(x),
    )


def _block_17(weights, x, name):
    return _join(
        _conv(weights, x, f"{name}.branch1x1"),
        _chain(weights, x, f"{name}.branch7x7", 3),
        _chain(weights, x, f"{name}.branch7x7dbl", 5),
        _conv(weights, _average_pool(x), f"{name}.branch_pool"),
    )


def _reduction_17(weights, x, name):
    threes = _chain(weights, x, f"{name}.branch3x3", 1)
    sevens = _chain(weights, x, f"{name}.branch7x7x3", 3)
    return _join(
        _conv(weights, threes, f"{name}.branch3x3_2", 2, "valid"),
        _conv(weights, sevens, f"{name}.branch7x7x3_4", 2, "valid"),
        _max_pool(x),
    )


def _block_8(weights, x, name, pooled):
    threes = _chain(weights, x, f"{name}.branch3x3", 1)
    doubles = _chain(weights, x, f"{name}.branch3x3dbl", 2)
    return _join(
        _conv(weights, x, f"{name}.branch1x1"),
        _conv(weights, threes, f"{name}.branch3x3_2a"),
        _conv(weights, threes, f"{name}.branch3x3_2b"),
        _conv(weights, doubles, f"{name}.branch3x3dbl_3a"),
        _conv(weights, doubles, f"{name}.branch3x3dbl_3b"),
        _conv(weights, pooled, f"{name}.branch_pool"),
    )


def _read(path):
    read = torch_files.read_state_dict
    weights = (files.read_npz if path.suffix == ".npz" else read)(path)
    classes = weights.get("fc.weight", np.zeros((_CLASSES, 0))).shape[:1]
    if classes != (_CLASSES,):
        raise ValueError(
            f"{path} holds an Inception network of {sum(classes)} classes. "
            "Fréchet Inception distances are measured in that of "
            f"{_CLASSES}: give pt_inception-2015-12-05-6726825d.pth of "
            "pytorch-fid."
        )
    return weights
