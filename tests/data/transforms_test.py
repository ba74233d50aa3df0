import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.data import transforms


def example(image, **others):
    return {"image": tf.constant(image), **others}


def in_map(transform, one):
    """The transform's result inside `tf.data`, shapes unknown."""
    dataset = tf.data.Dataset.from_generator(
        lambda: iter([one]),
        output_signature={
            "image": tf.TensorSpec(
                [None, None, one["image"].shape[-1]], tf.uint8
            )
        },
    )
    return next(iter(dataset.map(transform)))["image"]


def coordinates(height, width):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows * 0], -1).astype(np.uint8)


def test_celeb_box_is_rows_40_to_188_and_columns_15_to_163():
    transform = transforms.crop_box(*transforms.CELEB_BOX)
    one = example(coordinates(218, 178))
    for image in (transform(one)["image"], in_map(transform, one)):
        assert image.shape == (148, 148, 3)
        np.testing.assert_array_equal(image[0, 0, :2], [40, 15])
        np.testing.assert_array_equal(image[-1, -1, :2], [187, 162])


@pytest.mark.parametrize(
    ("height", "width", "corner", "side"),
    [(10, 4, (3, 0), 4), (4, 11, (0, 3), 4), (6, 6, (0, 0), 6)],
)
def test_square_is_central(height, width, corner, side):
    one = example(coordinates(height, width))
    for image in (
        transforms.crop_square(one)["image"],
        in_map(transforms.crop_square, one),
    ):
        assert image.shape == (side, side, 3)
        np.testing.assert_array_equal(image[0, 0, :2], corner)


def test_resize_is_antialiased():
    """Stripes finer than the new pixels turn grey and do not alias."""
    stripes = np.zeros([64, 64, 1], np.uint8)
    stripes[:, ::2] = 200
    image = transforms.resize(16)(example(stripes))["image"]
    assert image.dtype == tf.uint8
    assert image.shape == (16, 16, 1)
    np.testing.assert_allclose(image[:, 1:-1], 100, atol=3)


def test_resize_keeps_the_size_and_rounds():
    image = coordinates(8, 8)
    same = transforms.resize(8)(example(image))["image"]
    np.testing.assert_array_equal(same, image)


def test_channels():
    color = example(np.full([2, 2, 3], [255, 0, 0], np.uint8))
    grey = transforms.to_channels(1)(color)["image"]
    # Rec. 601: 0.2989 · 255 = 76.2.
    np.testing.assert_array_equal(grey, np.full([2, 2, 1], 76))
    back = transforms.to_channels(3)({"image": grey})["image"]
    np.testing.assert_array_equal(back, np.full([2, 2, 3], 76))
    np.testing.assert_array_equal(
        transforms.to_channels(3)(color)["image"], color["image"]
    )


def test_attributes_in_the_order_asked():
    one = {"attributes": {"a": tf.constant(True), "b": tf.constant(False)}}
    vector = transforms.stack_attributes(["b", "a"])(one)["attributes"]
    np.testing.assert_array_equal(vector, [0.0, 1.0])


def test_label_becomes_one_hot():
    one = {"label": tf.constant(2, tf.int64)}
    result = transforms.one_hot_label(4)(one)
    assert set(result) == {"label", "attributes"}
    np.testing.assert_array_equal(result["attributes"], [0, 0, 1, 0])


def test_to_float_spans_minus_one_to_one():
    image = np.array([[[0], [51], [255]]], np.uint8)
    result = transforms.to_float(example(image))["image"]
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result[0, :, 0], [-1, -0.6, 1], atol=1e-7)


def test_transforms_leave_their_input_alone():
    one = example(coordinates(8, 8))
    transforms.chain(transforms.crop_square, transforms.resize(4))(one)
    assert one["image"].shape == (8, 8, 3)
