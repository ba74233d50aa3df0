import numpy as np
import pytest

from vaegan_tf.predictor.scores import (
    attribute_scores,
    class_scores,
    mean_scores,
    percentage,
    score_table,
)

#                  Hat     always  never
PRESENT = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]])
ANSWERS = np.array([[1, 1, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0]])
NAMES = ("Hat", "always", "never")


def scores():
    return attribute_scores(PRESENT, ANSWERS, NAMES)


def test_scores_by_hand():
    # Of 5 images 2 show a hat; 3 are said to, 1 of them rightly; 2 are right.
    assert scores()[0] == pytest.approx(
        {
            "name": "Hat",
            "base_rate": 2 / 5,
            "accuracy": 2 / 5,
            "guess_accuracy": 3 / 5,
            "precision": 1 / 3,
            "recall": 1 / 2,
            "f1": 2 / (3 + 2),  # 2 · 1/3 · 1/2 / (1/3 + 1/2)
            "guess_f1": 2 * 2 / (5 + 2),  # precision 2/5, recall 1
        }
    )


def test_shares_of_nothing_are_none():
    always, never = scores()[1:]
    assert always == pytest.approx(
        {
            "name": "always",
            "base_rate": 1.0,
            "accuracy": 4 / 5,
            "guess_accuracy": 1.0,
            "precision": 1.0,
            "recall": 4 / 5,
            "f1": 8 / 9,
            "guess_f1": 1.0,
        }
    )
    assert never["accuracy"] == never["guess_accuracy"] == 1.0
    for name in ("precision", "recall", "f1", "guess_f1"):
        assert never[name] is None


def test_an_attribute_never_said_has_recall_but_no_precision():
    (score,) = attribute_scores([[1], [0]], [[0], [0]], ["Hat"])
    assert score["precision"] is None
    assert (score["recall"], score["f1"]) == (0.0, 0.0)


def test_means_leave_out_what_is_none():
    means = mean_scores(scores())
    assert means["accuracy"] == pytest.approx((2 / 5 + 4 / 5 + 1) / 3)
    assert means["f1"] == pytest.approx((2 / 5 + 8 / 9) / 2)
    assert mean_scores(scores()[2:])["f1"] is None


def test_scores_agree_with_what_random_answers_must_give():
    generator = np.random.default_rng(0)
    present = generator.random((100_000, 1)) < 0.2
    said = generator.random((100_000, 1)) < 0.5
    (score,) = attribute_scores(present, said, ["coin"])
    assert score["accuracy"] == pytest.approx(0.5, abs=0.01)
    assert score["precision"] == pytest.approx(0.2, abs=0.01)
    assert score["recall"] == pytest.approx(0.5, abs=0.01)
    assert score["f1"] == pytest.approx(2 / 7, abs=0.01)


@pytest.mark.parametrize(
    ("present", "predicted"),
    [
        (np.zeros((4, 2)), np.zeros((4, 3))),
        (np.zeros((4, 2)), np.zeros((4, 2))),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_what_does_not_belong_together_is_refused(present, predicted):
    with pytest.raises(ValueError, match=r"must have shape \(n, number of na"):
        attribute_scores(present, predicted, NAMES)


def test_classes():
    classes = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])
    # Right, right, wrong, right: the highest counts, whatever its sign.
    logits = np.array([[3, 1, 2], [-9, -1, -2], [1, 0, -1], [-3, 0, 1]])
    assert class_scores(classes, logits) == {
        "accuracy": 0.75,
        "guess_accuracy": 0.5,
    }


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 1, 0]])
def test_attributes_that_are_no_classes(row):
    attributes = np.array([[1, 0, 0], row])
    assert class_scores(attributes, np.zeros((2, 3))) is None
    assert class_scores(np.ones((2, 1)), np.zeros((2, 1))) is None


def test_table():
    lines = score_table(scores(), {"accuracy": 0.9, "guess_accuracy": 0.25})
    rows = [line.split() for line in lines.splitlines()]
    assert " ".join(rows[1]) == "Hat 40.0 40.0 60.0 33.3 50.0 40.0 57.1"
    assert " ".join(rows[3]) == "never 0.0 100.0 100.0 – – – –"
    assert rows[4][:3] == ["mean", "46.7", "73.3"]
    assert lines.endswith("the one right class: 90.0, the commonest: 25.0")
    # One column, one place.
    assert len({len(line) for line in lines.splitlines()[:-1]}) == 1
    assert "class" not in score_table(scores())


def test_percentages():
    assert percentage(0.12345) == "12.3"
    assert percentage(1.0) == "100.0"
    assert percentage(None) == "–"
