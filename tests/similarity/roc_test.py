import numpy as np
import pytest

from vaegan_tf.similarity.roc import draw_roc, roc_curve


def test_the_area_is_the_share_of_pairs_in_order():
    labels = [0, 0, 0, 1, 1]
    scores = [0.1, 0.4, 0.8, 0.5, 0.9]
    # Of 3 × 2 pairs one is out of order: 0.5 < 0.8.
    curve = roc_curve(labels, scores)
    assert curve["auc"] == pytest.approx(5 / 6)
    points = zip(curve["false_positive_rate"], curve["true_positive_rate"])
    assert {(0.0, 0.0), (0.0, 0.5), (1.0, 1.0)} <= set(points)


def test_ties_count_half():
    assert roc_curve([0, 1, 0, 1], [1.0] * 4)["auc"] == pytest.approx(0.5)


def test_scores_that_are_upside_down():
    assert roc_curve([1, 1, 0], [0.0, 0.1, 0.2])["auc"] == pytest.approx(0.0)


def test_a_perfect_curve_runs_along_the_edges():
    curve = roc_curve([0, 1], [0.0, 1.0])
    picture = draw_roc({"perfect": curve}).astype(int)
    assert (picture.shape, picture.dtype.kind) == ((480, 480, 3), "i")
    blue = picture[..., 2] - picture[..., 0] > 60
    # Margins of 56 left and 40 above: the square ends 40 right, 56 below.
    assert blue[100:380, 54:59].any(axis=1).all()
    assert blue[38:43, 100:400].any(axis=0).all()
    assert not blue[60:380, 70:430].any()


def test_curves_have_colours_of_their_own():
    good, bad = roc_curve([0, 1], [0, 1]), roc_curve([0, 1], [1, 0])
    one, two = draw_roc({"a": good}), draw_roc({"a": good, "b": bad})
    orange = (two[..., 0].astype(int) - two[..., 2]) > 120
    # Along the lower edge, then the right one.
    assert orange[420:427, 80:400].any(axis=0).all()
    assert not ((one[..., 0].astype(int) - one[..., 2]) > 120).any()
    assert np.any(one != two)
