import numpy as np

from vaegan_tf.attributes.figures import cosine_chart, labelled_grid


def test_names_stand_above_and_beside_the_images():
    cells = np.zeros((2, 3, 10, 10, 1), np.uint8)
    figure = labelled_grid(cells, ["a", "b", "c"], ["one", "two"], padding=2)
    body = figure[-(2 * 12 + 2) :, -(3 * 12 + 2) :]
    assert (body[2:12, 2:12] == 0).all()
    assert (body[:2] == 255).all()
    head, side = figure[: -len(body)], figure[-len(body) :, : -body.shape[1]]
    assert head.min() < 100
    assert side.min() < 100
    # Each name has ink in its own column alone, so that there are three.
    ink = (head[:, -body.shape[1] :] < 128).any(axis=(0, 2))
    starts = np.flatnonzero(np.diff(ink.astype(int)) == 1)
    assert [start // 12 for start in starts] == [0, 1, 2]


def test_cosines_have_colours_by_sign_and_size():
    chart = cosine_chart(np.array([[1.0, -1.0], [0.0, 1.0]]), ["a", "b"])
    # The corners of cells are free of numbers.
    corners = chart[-61::31, -61::31]
    assert corners[0, 0].tolist() == [217, 130, 43]
    assert corners[0, 1].tolist() == [59, 117, 175]
    assert corners[1, 0].tolist() == [255, 255, 255]
