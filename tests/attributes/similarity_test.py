import numpy as np

from vaegan_tf.attributes import similarity


def logits_of(answers):
    """Log-odds whose answers, 2p − 1, are these."""
    answers = np.asarray(answers)
    return np.log((1 + answers) / (1 - answers))


def test_answers_are_probabilities_from_minus_one_to_one():
    logits = np.array([-50.0, 0.0, np.log(3), 50.0])
    np.testing.assert_allclose(similarity.answers(logits), [-1, 0, 0.5, 1])


def test_scores_of_orders_worked_by_hand():
    """One query of (1, −1); two samples that answer so and so."""
    logits = logits_of([[[0.6, -0.8], [0.3, 0.4]]])
    scores = similarity.to_order(np.array([[1, 0]]), logits)
    cosines = [1.4 / np.sqrt(2), -0.1 / (0.5 * np.sqrt(2))]
    errors = [(0.4**2 + 0.2**2) / 2, (0.7**2 + 1.4**2) / 2]
    expected = {
        "best_cosine": max(cosines),
        "best_mse": min(errors),
        "cosine": np.mean(cosines),
        "mse": np.mean(errors),
    }
    assert set(scores) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(scores[name], [value, 0.0], atol=1e-12)


def test_errors_are_those_of_means_over_queries():
    logits = logits_of([[[0.5]], [[-0.5]], [[0.5]]])
    scores = similarity.to_order(np.array([[1], [1], [0]]), logits)
    squares = [0.25, 2.25, 2.25]
    np.testing.assert_allclose(
        scores["mse"], [np.mean(squares), np.std(squares, ddof=1) / 3**0.5]
    )


def test_scores_of_edits_worked_by_hand():
    before = {
        "logits": np.array([[-1.0, 2, -3], [-1, 1, 1]]),
        "features": np.array([[1.0, 0], [3, 4]]),
    }
    after = {
        "logits": np.array([[0.5, 1, -3], [-0.5, -1, 4]]),
        "features": np.array([[0.0, 2], [6, 8]]),
    }
    scores = similarity.of_edits(before, after, 0)
    means = {name: value for name, (value, _) in scores.items()}
    assert means == {
        "success": 0.5,
        "leak": (0.5 + 2.5) / 2,
        "flips": 0.25,
        "identity": 0.5,
    }
