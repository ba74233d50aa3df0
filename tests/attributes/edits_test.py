"""Edits by a model whose codes are the means of an image's two halves."""

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.attributes.edits import Editor, with_residual


class Halves:
    """Encodes the upper and the lower half, and decodes them as flat."""

    def encode(self, image):
        upper, lower = tf.split(tf.convert_to_tensor(image), 2, axis=1)
        means = [
            tf.reduce_mean(half, axis=[1, 2, 3]) for half in (upper, lower)
        ]
        return {"mean": tf.stack(means, axis=-1)}

    def decode(self, codes):
        halves = tf.repeat(tf.cast(codes, tf.float32), 8, axis=1)
        return tf.tile(halves[:, :, None, None], [1, 1, 16, 3])


def flat(upper, lower):
    return Halves().decode(np.float32([[upper, lower]])).numpy()


def detailed():
    """Flat halves of 0 and 0.5, and a fine pattern that no code holds."""
    pattern = np.indices((16, 16)).sum(axis=0) % 2 * 0.2 - 0.1
    return (flat(0, 0.5) + pattern[None, :, :, None]).astype(np.float32)


def test_an_edit_moves_the_code():
    edited = Editor(Halves()).edit(detailed(), np.array([0.25, 0]))
    np.testing.assert_allclose(edited, flat(0.25, 0.5), atol=1e-6)


def test_the_residual_stays_where_nothing_changed():
    editor = Editor(Halves(), "residual")
    edited = editor.edit(detailed(), np.array([-0.9, 0]))
    # Two lines beyond the edge see some of the change.
    np.testing.assert_allclose(edited[:, 10:], detailed()[:, 10:], atol=1e-6)
    np.testing.assert_allclose(edited[:, :6], flat(-0.9, 0.5)[:, :6], atol=1e-6)


def test_half_a_change_keeps_half_of_the_residual():
    original, reconstruction = detailed(), flat(0, 0.5)
    edited = reconstruction - 0.4
    expected = edited + 0.5 * (original - reconstruction)
    np.testing.assert_allclose(
        with_residual(edited, reconstruction, original), expected, atol=1e-6
    )


def test_no_edit_with_its_residual_is_the_original():
    same = Editor(Halves(), "residual").edit(detailed(), np.zeros(2))
    np.testing.assert_allclose(same, detailed(), atol=1e-6)


def test_strips_have_a_row_for_each_image_and_direction():
    images = np.concatenate([flat(0, 0), flat(0.5, 0.5)])
    rows = Editor(Halves()).strips(images, np.eye(2), [-1.0, 0.0, 0.5])
    assert rows.shape == (4, 3, 16, 16, 3)
    np.testing.assert_allclose(rows[0, 0], flat(-1, 0)[0])
    np.testing.assert_allclose(rows[1, 2], flat(0, 0.5)[0])
    np.testing.assert_allclose(rows[2, 1], flat(0.5, 0.5)[0])


def test_interpolations_go_from_each_image_to_the_next():
    images = np.concatenate([flat(0, 1), flat(1, 0), flat(1, 1)])
    rows = Editor(Halves()).interpolations(images, 3, "linear")
    assert rows.shape == (2, 3, 16, 16, 3)
    np.testing.assert_allclose(rows[0, 1], flat(0.5, 0.5)[0], atol=1e-6)
    np.testing.assert_allclose(rows[1, 2], flat(1, 1)[0], atol=1e-6)
    with pytest.raises(ValueError, match="takes two images at least"):
        Editor(Halves()).interpolations(images[:1], 3)


def test_walks_begin_at_their_images_and_differ():
    rows = Editor(Halves()).walks(np.concatenate([flat(0, 1)] * 2), 3)
    np.testing.assert_allclose(rows[:, 0], rows[::-1, 0])
    assert np.abs(rows[0, 1] - rows[1, 1]).max() > 0.01


def test_a_figure_has_a_column_for_each_direction():
    editor = Editor(Halves())
    figure = editor.figure(flat(-1, -1), {"+ Hat": np.array([2, 0])})
    # Three cells of 16 pixels, padded by 4, below the names.
    assert figure.shape[1] == 3 * 20 + 4
    last = figure[-20:, -20:-4]
    assert (last[:8] == 255).all()
    assert (last[8:16] == 0).all()
    with pytest.raises(ValueError, match=r"one of none, residual. .*'all'"):
        Editor(Halves(), "all")
