"""Pure functions from an example to an example, each a dictionary of tensors.

A prepared example holds `image`, uint8 (height, width, channels), and
`attributes`, float32 (attributes,).
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

Example = dict[str, tf.Tensor]
Transform = Callable[[Example], Example]

# Rows 40:188 and columns 15:163 of the aligned 218 × 178 images.
CELEB_SIZE = (218, 178)
CELEB_BOX = (40, 15, 148, 148)


def chain(*transforms: Transform) -> Transform:
    """One transform that applies several in turn."""

    def chained(example):
        for transform in transforms:
            example = transform(example)
        return example

    return chained


def _on_image(function: Callable[[tf.Tensor], tf.Tensor]) -> Transform:
    return lambda example: {**example, "image": function(example["image"])}


def crop_box(top: int, left: int, height: int, width: int) -> Transform:
    """A transform that cuts a box out of the image.

    Reference:
        `CELEB_BOX` is the box of `dataset/celeba.py` in the authors' code,
        https://github.com/andersbll/autoencoding_beyond_pixels.
    """
    box = (top, left, height, width)
    return _on_image(lambda x: tf.image.crop_to_bounding_box(x, *box))


def crop_square(example: Example) -> Example:
    """Cuts the largest central square out of the image."""
    image = example["image"]
    shape = tf.shape(image)
    side = tf.minimum(shape[0], shape[1])
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    return {**example, "image": image[top : top + side, left : left + side]}


def resize(image_size: int) -> Transform:
    """A transform to (image_size, image_size, channels), antialiased, uint8.

    Reference:
        The authors' code blurs with σ = √(148/64)/2 pixels and samples
        cubically; here a triangle filter as wide as the step does both.
    """
    size = (image_size, image_size)

    def resized(image):
        image = tf.image.resize(image, size, antialias=True)
        return tf.saturate_cast(tf.round(image), tf.uint8)

    return _on_image(resized)


def to_channels(num_channels: int) -> Transform:
    """A transform to grey (1) or colour (3) images."""

    def converted(image):
        if num_channels == 1 and image.shape[-1] == 3:
            return tf.image.rgb_to_grayscale(image)
        if num_channels == 3 and image.shape[-1] == 1:
            return tf.image.grayscale_to_rgb(image)
        return image

    return _on_image(converted)


def stack_attributes(names: Sequence[str]) -> Transform:
    """A transform of the dictionary `attributes` to a vector, in this order."""

    def stacked(example):
        attributes = example["attributes"]
        values = [tf.cast(attributes[name], tf.float32) for name in names]
        return {**example, "attributes": tf.stack(values)}

    return stacked


def one_hot_label(num_classes: int) -> Transform:
    """A transform that adds the integer `label` as one-hot `attributes`."""

    def encoded(example):
        attributes = tf.one_hot(example["label"], num_classes)
        return {**example, "attributes": attributes}

    return encoded


def no_attributes(example: Example) -> Example:
    """Adds an empty vector `attributes`."""
    return {**example, "attributes": tf.zeros([0])}


def to_float(example: Example) -> Example:
    """Scales the image, or a batch of them, from 0…255 to [−1, 1], float32."""
    image = tf.cast(example["image"], tf.float32) / 127.5 - 1.0
    return {**example, "image": image}


def keep(*names: str) -> Transform:
    """A transform that drops all but some entries of the example."""
    return lambda example: {name: example[name] for name in names}
