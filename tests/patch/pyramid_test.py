import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.patch.pyramid import create_pyramid, enlarged, resized

RATES = (4, 3, 2, 1)


def test_scales_are_those_of_the_authors_code():
    """256 pixels and 32: log_.75 (1/8) = 7.2, so 8 + 2 scales."""
    pyramid = create_pyramid((13, 144, 256), 32, 0.75, RATES)
    assert len(pyramid) == 10
    # Nine steps of (1/8)^(1/9) = .7937.
    assert pyramid.shapes[0] == (4, 18, 32)
    assert pyramid.shapes[-1] == (13, 144, 256)
    assert pyramid.shapes[8][1:] == (115, 204)  # ⌈114.3⌉, ⌈203.2⌉
    frames = [shape[0] for shape in pyramid.shapes]
    assert frames == [4, 4, 4, 5, 5, 5, 7, 7, 7, 13]


def test_the_longer_side_counts():
    tall = create_pyramid((256, 144), 32, 0.75, RATES)
    assert tall.shapes[0] == (32, 18)
    assert not tall.is_clip


@pytest.mark.parametrize("shape", [(32, 20), (5, 20, 32)])
def test_what_is_no_larger_than_the_coarsest_scale_is_refused(shape):
    with pytest.raises(ValueError, match=r"above `smallest_size`.*=32, sma"):
        create_pyramid(shape, 32, 0.75, RATES)


def test_an_example_at_a_scale_keeps_means_and_every_other_frame():
    pyramid = create_pyramid((3, 8, 16), 4, 0.5, (2, 1))
    assert pyramid.shapes[0] == (2, 2, 4)
    clip = np.zeros((1, 3, 8, 16, 1), np.float32)
    clip[:, 2] = 0.5
    small = pyramid.at(clip, 0).numpy()
    assert small.shape == (1, 2, 2, 4, 1)
    np.testing.assert_allclose(small[0, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(small[0, 1], 0.5, atol=1e-6)
    np.testing.assert_array_equal(pyramid.at(clip, len(pyramid) - 1), clip)


def test_samples_of_other_shapes_have_the_same_shares():
    pyramid = create_pyramid((6, 12), 3, 0.5, (1,))
    assert pyramid.shapes == ((2, 3), (3, 5), (4, 8), (6, 12))
    wide = pyramid.fitted((6, 24))
    assert wide == ((2, 6), (3, 10), (4, 16), (6, 24))
    traced = pyramid.fitted(tf.unstack(tf.constant([6, 24])))
    assert [tuple(map(int, shape)) for shape in traced] == list(wide)


def test_enlarging_is_linear_between_corners():
    maps = tf.constant([[0.0, 1.0], [2.0, 3.0]])[None, :, :, None]
    large = enlarged(maps, (3, 5))[0, :, :, 0]
    rows, columns = np.mgrid[0:3, 0:5]
    np.testing.assert_allclose(large, rows * 2 / 2 + columns / 4, atol=1e-6)


def test_enlarging_clips_is_linear_in_time():
    clip = tf.reshape(tf.constant([0.0, 1.0]), [1, 2, 1, 1, 1])
    longer = enlarged(clip, (5, 1, 1))
    np.testing.assert_allclose(longer[0, :, 0, 0, 0], [0, 0.25, 0.5, 0.75, 1])


def test_resizing_stays_in_range_and_keeps_what_fits():
    image = np.tile(np.sign(np.random.default_rng(0).normal(size=64)), 3)
    image = image.reshape(1, 8, 8, 3).astype(np.float32)
    assert np.abs(resized(image, (20, 20))).max() <= 1.0
    np.testing.assert_array_equal(resized(image, (8, 8)), image)
