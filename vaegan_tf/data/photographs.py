"""How does a photograph become an image that a model takes?"""

from typing import NamedTuple

import numpy as np

from vaegan_tf.data import transforms
from vaegan_tf.data.faces import align_face, can_find_faces, find_face
from vaegan_tf.data.loading import crop_of
from vaegan_tf.settings import DataSettings


class Cut(NamedTuple):
    """A photograph as a model takes it, and what was taken of it."""

    image: np.ndarray  # In [−1, 1], float32 (height, width, channels).
    part: str  # A key of `PARTS`.


PARTS = {
    "whole": "The whole image was taken.",
    "square": "The central square was taken.",
    "box": "The box of CelebA's aligned images was taken.",
    "face": "A face was found, and aligned as CelebA's are.",
    "no face": "No face was found, so the central square was taken.",
    "no detector": "The central square was taken. To find faces: pip install "
    "'vaegan-tf[faces]'.",
}


def is_of_faces(data: DataSettings) -> bool:
    """Whether a model of this data takes faces aligned as CelebA's."""
    return crop_of(data.dataset, data.crop) == "celeb"


def cut(photograph: np.ndarray, data: DataSettings) -> Cut:
    """Crops and resizes a photograph for a model of this data.

    An image of the model's size is taken as it is. For a model of CelebA,
    images of that data set's size are cropped as for the training, and faces
    in others are found and aligned so if the extra `faces` is installed. Of all
    others the central square is taken.

    Args:
        photograph: The photograph, uint8 (height, width, 3).
        data: The data settings of the model's run.
    """
    part, image = _part(photograph, data)
    to_model = transforms.chain(
        transforms.resize(data.image_size),
        transforms.to_channels(data.num_channels),
        transforms.to_float,
    )
    return Cut(to_model({"image": image})["image"].numpy(), part)


def _part(image, data):
    """What is taken of a photograph: a key of `PARTS`, and the pixels."""
    if image.shape[:2] == (data.image_size, data.image_size):
        return "whole", image
    if not is_of_faces(data):
        return "square", _square(image)
    if image.shape[:2] == transforms.CELEB_SIZE:
        return "box", _celeb_box(image)
    if not can_find_faces():
        return "no detector", _square(image)
    face = find_face(image)
    if face is None:
        return "no face", _square(image)
    return "face", _celeb_box(align_face(image, face))


def _square(image):
    return transforms.crop_square({"image": image})["image"]


def _celeb_box(image):
    crop = transforms.crop_box(*transforms.CELEB_BOX)
    return crop({"image": image})["image"]
