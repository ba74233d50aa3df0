"""The protocol on features whose answers are known."""

import numpy as np
import pytest
import tensorflow as tf

from tests.anyshot.conftest import ATTRIBUTES, write_toy
from vaegan_tf.anyshot import protocol
from vaegan_tf.anyshot.classifier import ClassifierOptions, SoftmaxClassifier
from vaegan_tf.anyshot.dataset import class_prior
from vaegan_tf.anyshot.eszsl import choose_eszsl, fit_eszsl
from vaegan_tf.anyshot.task import Part, create_task
from vaegan_tf.anyshot.xlsa17 import read_xlsa17

OPTIONS = ClassifierOptions(epochs=60, batch_size=16, learning_rate=0.02)


@pytest.fixture(scope="module")
def table(toy):
    return read_xlsa17(toy)


@pytest.fixture(scope="module")
def task(table):
    return create_task(table)


def the_map(task):
    """The linear map of attributes that made the toy features."""
    attributes = task.class_attributes[task.train.labels]
    return np.linalg.lstsq(attributes, task.train.features, rcond=None)[0]


def true_draw(task, noise=0.05):
    linear = the_map(task)

    def draw(attributes, seed):
        shape = (attributes.shape[0], linear.shape[1])
        return attributes @ linear + noise * tf.random.stateless_normal(
            shape, seed, dtype=tf.float32
        )

    return draw


def test_accuracy_is_a_mean_over_classes_not_over_examples():
    labels = np.array([0, 0, 0, 0, 1])
    told = np.array([0, 0, 0, 1, 0])
    assert protocol.mean_class_accuracy(labels, told) == (0.75 + 0.0) / 2


def test_the_harmonic_mean():
    for u, s, h in ((0.2, 0.6, 0.3), (0.0, 0.9, 0.0), (0.0, 0.0, 0.0)):
        assert protocol.Scores(t1=1.0, u=u, s=s).h == pytest.approx(h)


def test_scores_of_an_oracle_that_errs_where_it_is_told_to(task):
    truth = {
        row.tobytes(): label
        for part in (task.test_seen, task.test_novel)
        for row, label in zip(part.features, part.labels)
    }

    def predict(features, classes):
        told = np.array([truth[row.tobytes()] for row in features])
        if len(classes) == 2:
            return np.where(told == 4, 4, 4)  # T1: one of two classes.
        told = np.where(told == 5, 0, told)  # u: one of two.
        return np.where(told == 3, 5, told)  # s: three of four.

    scores = protocol.score(task, predict)
    assert (scores.t1, scores.u, scores.s) == (0.5, 0.5, 0.75)
    assert scores.h == pytest.approx(0.6)


def test_a_generator_that_knows_the_map_is_always_right(task):
    synthetic = protocol.synthesize(true_draw(task), task, 30, seed=1)
    assert np.bincount(synthetic.labels).tolist() == [0, 0, 0, 0, 30, 30]
    scores = protocol.epoch_scores(task, synthetic, synthetic, OPTIONS)
    assert len(scores) == 60
    assert scores[-1].as_dict() == {"t1": 1.0, "u": 1.0, "s": 1.0, "h": 1.0}
    assert protocol.best_of(scores) == scores[-1]


def test_a_generator_that_confuses_two_classes_is_always_wrong(task):
    right = protocol.synthesize(true_draw(task), task, 30)
    confused = Part(right.features, 9 - right.labels)  # 4 is 5, and 5 is 4.
    last = protocol.epoch_scores(task, confused, confused, OPTIONS)[-1]
    assert (last.t1, last.u, last.s) == (0.0, 0.0, 1.0)


def test_the_best_of_scores():
    rows = [(0.9, 0.1, 0.9), (0.2, 0.4, 0.4), (0.5, 0.3, 0.4)]
    scores = [protocol.Scores(t1=t1, u=u, s=s) for t1, u, s in rows]
    best = protocol.best_of(scores)
    assert (best.t1, best.u, best.s) == (0.9, 0.4, 0.4)


def test_shots_teach_the_classifier(table):
    few = create_task(table, shots=5)
    nothing = Part(np.zeros((0, 8), np.float32), np.zeros(0, np.int64))
    last = protocol.epoch_scores(few, nothing, nothing, OPTIONS)[-1]
    assert last.as_dict() == {"t1": 1.0, "u": 1.0, "s": 1.0, "h": 1.0}


def test_copies_take_each_example_in_turn():
    part = Part(np.arange(5.0)[:, None], np.array([3, 7, 3, 7, 7]))
    copies = protocol.repeated(part, 4)
    assert copies.labels.tolist() == [3, 3, 3, 3, 7, 7, 7, 7]
    assert copies.features.ravel().tolist() == [0, 2, 0, 2, 1, 3, 4, 1]


def test_softmax_on_seen_classes_never_tells_a_novel_one(task):
    scores = protocol.softmax_on_seen(task, OPTIONS)
    # Of the two novel classes, the first is always told: half is right.
    assert scores.as_dict() == {"t1": 0.5, "u": 0.0, "s": 1.0, "h": 0.0}


def test_eszsl_finds_the_map_of_features_without_noise(tmp_path):
    table = read_xlsa17(write_toy(tmp_path, noise=0.0))
    task = create_task(table)
    scores = protocol.score(task, fit_eszsl(task, 1e-6, 1e-6).predict)
    assert scores.t1 == 1.0


def test_eszsl_is_the_published_formula(task):
    gamma, weight = 0.3, 0.7
    found = fit_eszsl(task, gamma, weight)
    x = task.train.features.astype(float)
    x = x - x.mean(0)
    unit = np.sqrt((x**2).sum(1).mean())
    x = x.T / unit  # Features in columns, as in the paper.
    classes = task.train.labels
    y = np.where(classes[:, None] == np.arange(4), 1.0, -1.0)
    s = task.class_attributes[:4].T
    left = np.linalg.inv(x @ x.T + gamma * x.shape[1] * np.eye(8))
    right = np.linalg.inv(s @ s.T + weight * np.eye(3))
    expected = left @ x @ y @ s.T @ right
    np.testing.assert_allclose(found.kernel, expected, rtol=1e-6)
    assert found.unit == pytest.approx(unit)


def test_eszsl_is_chosen_on_the_validation_classes(table):
    validation = create_task(table, "validation")
    weights = choose_eszsl(validation, (1e-3, 1e3))
    t1 = {
        pair: protocol.score(
            validation, fit_eszsl(validation, *pair).predict
        ).t1
        for pair in ((a, b) for a in (1e-3, 1e3) for b in (1e-3, 1e3))
    }
    assert t1[weights] == max(t1.values())


def test_the_classifier_minimises_the_cross_entropy():
    # Of two classes at −1 and 1 with a decay d of (w₁² + w₂²) the best
    # difference v of their weights has σ(−v) = d·v: v = 1 for d = σ(−1).
    decay = 1 / (1 + np.exp(1.0))
    features = np.float32([[-1.0], [1.0]])
    options = ClassifierOptions(
        epochs=2000, batch_size=2, learning_rate=0.01, weight_decay=decay
    )
    classifier = SoftmaxClassifier(
        Part(features, np.array([3, 7])), np.array([3, 7]), features, options
    ).fit()
    first, second = classifier.kernel.numpy()[0]
    assert second - first == pytest.approx(1.0, rel=1e-3)
    assert classifier.predict(np.float32([[-2], [0.1]])).tolist() == [3, 7]


@pytest.mark.parametrize(
    ("kind", "expected"), [("known", [0.5, 0.5]), ("uniform", [0.5, 0.5])]
)
def test_priors_of_equal_classes(table, task, kind, expected):
    assert class_prior(kind, table, task).tolist() == expected


def test_the_known_prior_counts_the_test(write):
    # Class 5 has 20 test examples; of class 6 five are left.
    rows = np.arange(81, 106)[:, None]
    table = read_xlsa17(write(test_unseen_loc=rows))
    prior = class_prior("known", table, create_task(table))
    assert prior.tolist() == [0.8, 0.2]


def test_the_estimated_prior_counts_what_eszsl_tells(table, task):
    weights = choose_eszsl(create_task(table, "validation"))
    told = fit_eszsl(task, *weights).predict(
        task.test_novel.features, task.novel
    )
    expected = (np.array([np.sum(told == 4), np.sum(told == 5)]) + 1) / 42
    prior = class_prior("estimated", table, task)
    np.testing.assert_allclose(prior, expected)
    with pytest.raises(ValueError, match="must be one of known, estimated"):
        class_prior("guessed", table, task)


def test_attributes_of_the_toy_are_not_degenerate():
    assert np.linalg.matrix_rank(ATTRIBUTES[:4]) == 3
