"""Where is the face in a photograph, and how would CelebA have cut it out?"""

import functools
import importlib.util
from typing import Any

import numpy as np
from PIL import Image

from vaegan_tf.data.transforms import CELEB_SIZE

# Eyes and corners of the mouth, left and right as seen, (x, y) in pixels of
# CelebA's aligned images: means over 60 of them, found by the same detector.
_CELEB_POINTS = np.array([[69, 111], [108, 111], [71.5, 153], [105.5, 153]])
_NAMES = ("left_eye", "right_eye", "mouth_left", "mouth_right")
_DETECTED_SIZE = 640  # Larger photographs are searched in reduced form.


def can_find_faces() -> bool:
    """Whether the extra `faces` is installed."""
    return importlib.util.find_spec("mtcnn") is not None


def find_face(image: np.ndarray) -> np.ndarray | None:
    """The largest face in an image, uint8 (height, width, 3).

    Returns:
        Both eyes and both corners of the mouth, left and right as seen,
        float64 (4, 2) of (x, y) in pixels; `None` if no face is found.

    Raises:
        ImportError: If the extra `faces` is not installed.

    Reference:
        Zhang et al. (2016), "Joint face detection and alignment using
        multi-task cascaded convolutional networks".
    """
    factor = max(1, -(-max(image.shape[:2]) // _DETECTED_SIZE))
    reduced = np.asarray(Image.fromarray(image).reduce(factor))
    faces = _detector().detect_faces(reduced)
    if not faces:
        return None
    largest = max(faces, key=lambda face: face["box"][2] * face["box"][3])
    points = np.array([largest["keypoints"][name] for name in _NAMES])
    return (points + 0.5) * factor - 0.5


def align_face(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Turns, scales and cuts a face as CelebA's are, uint8 (218, 178, 3).

    Args:
        image: The image, uint8 (height, width, 3). Where the cut exceeds it,
            its edge is repeated.
        points: The face, from `find_face`.
    """
    # The centre of the first pixel is at (½, ½).
    factor, offset = _similarity(_CELEB_POINTS + 0.5, points + 0.5)
    reduction = max(1, int(abs(factor)))
    image = np.asarray(Image.fromarray(image).reduce(reduction))
    factor, offset = factor / reduction, offset / reduction
    height, width = CELEB_SIZE
    corners = np.array([0, width, 1j * height, width + 1j * height])
    box = factor * corners + offset
    before = [max(0, int(np.ceil(-x.min()))) for x in (box.imag, box.real)]
    after = [
        max(0, int(np.ceil(x.max())) - size)
        for x, size in zip((box.imag, box.real), image.shape)
    ]
    padded = np.pad(image, [*zip(before, after), (0, 0)], mode="edge")
    offset += before[1] + 1j * before[0]
    cut = Image.fromarray(padded).transform(
        (width, height),
        Image.Transform.AFFINE,
        [
            *(factor.real, -factor.imag, offset.real),
            *(factor.imag, factor.real, offset.imag),
        ],
        Image.Resampling.BICUBIC,
    )
    return np.asarray(cut)


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, Any]:
    """Factor and offset of target ≈ factor · source + offset.

    Points are complex numbers, so that the factor turns and scales; both are
    the least-squares solution.
    """
    centers = [points @ (1, 1j) for points in (source, target)]
    means = [points.mean() for points in centers]
    start, end = (points - mean for points, mean in zip(centers, means))
    factor = np.vdot(start, end) / np.vdot(start, start)
    return factor, means[1] - factor * means[0]


@functools.cache
def _detector():
    from mtcnn import MTCNN

    return MTCNN()
