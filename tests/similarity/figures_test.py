import numpy as np

from vaegan_tf.similarity.figures import heat, map_grid


def test_a_map_is_orange_where_images_differ_most():
    images = np.zeros((2, 1, 2, 3), np.float32)  # All of level 128.
    maps = np.array([[[2.0, 1.0]], [[0.0, 0.0]]])
    shown = heat(images, maps)
    # Half as far is a quarter orange: ¾ of 64, and ¼ of (255, 140, 0).
    expected = [[255, 140, 0], [112, 83, 48]]
    np.testing.assert_array_equal(shown[0, 0], expected)
    np.testing.assert_array_equal(shown[1], 64)


def test_grey_images_have_maps_in_colour():
    images = np.zeros((1, 4, 4, 1), np.float32)
    figure = map_grid(images, images, np.ones((1, 4, 4)))
    # Three images below each other, with two pixels around each.
    assert figure.shape[2] == 3
    assert (figure == [255, 140, 0]).all(axis=-1).sum() == 16
    assert (figure == 128).all(axis=-1).sum() == 32
