import numpy as np
import pytest
from PIL import Image

from vaegan_tf.data.faces import align_face, can_find_faces, find_face

# Where the eyes and the corners of the mouth are in CelebA's images.
POINTS = np.array([[69, 111], [108, 111], [71.5, 153], [105.5, 153]])


def with_dots(points, size, radius):
    """Dark, with a white disc around each point, (x, y)."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    near = [np.hypot(x - px, y - py) < radius for px, py in points]
    image = np.where(np.any(near, axis=0), 255, 20).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=-1)


def centre_near(image, point):
    """Centre of the brightness within 12 pixels of a point."""
    left, top = (round(c) - 12 for c in point)
    part = image[top : top + 25, left : left + 25, 0].astype(float) - 20
    y, x = np.mgrid[top : top + 25, left : left + 25]
    return (part * x).sum() / part.sum(), (part * y).sum() / part.sum()


@pytest.mark.parametrize("scale", [0.7, 1.0, 5.2])
@pytest.mark.parametrize("degrees", [0, 25, -140])
def test_a_face_comes_to_lie_as_celebas_do(scale, degrees):
    turn = np.deg2rad(degrees)
    matrix = scale * np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    points = (POINTS - POINTS.mean(axis=0)) @ matrix.T + 300 * max(1, scale)
    size = (round(600 * max(1, scale)), round(610 * max(1, scale)))
    aligned = align_face(with_dots(points, size, 6 * scale), points)
    assert aligned.shape == (218, 178, 3)
    for point in POINTS:
        found = centre_near(aligned, point)
        np.testing.assert_allclose(found, point, atol=0.3)


def test_beyond_the_image_its_edge_is_repeated():
    image = np.full((100, 90, 3), 50, np.uint8)
    image[:, 0] = 200
    aligned = align_face(image, POINTS - [60, 90])
    assert (aligned[:, :50] == 200).all()
    assert (aligned[150:, 80:] == 50).all()


def test_faces_that_are_drawn_nowhere_are_not_found():
    if not can_find_faces():
        pytest.skip("The extra `faces` is not installed.")
    plain = np.asarray(Image.new("RGB", (900, 300), "gray"))
    assert find_face(plain) is None
