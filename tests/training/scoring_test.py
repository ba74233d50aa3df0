import numpy as np
import pytest
import tensorflow as tf

from tests.training.watched import (
    FixedEvaluator,
    Model,
    Painter,
    Writer,
    begin,
    example,
    lines,
    named,
    pass_epoch,
    pass_step,
)
from vaegan_tf.files import write_json
from vaegan_tf.runs.checkpoints import score_in
from vaegan_tf.training import (
    BestCheckpoint,
    Evaluate,
    LatentCodes,
    Validation,
    scoring,
)


class Scorer(Model):
    """A model whose scores are the values of the examples."""

    def validation_terms(self, example):
        return {"pixel_error": example["value"], "kl": 2 * example["value"]}


def batches(*values):
    return [{"value": tf.constant(v, tf.float32)} for v in values]


class Best:
    """Stands for the `Checkpoints` of the best model."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.saves = 0

    def save(self, score):
        self.saves += 1
        folder = self.folder / f"step-{score['step']}"
        write_json(folder / "score.json", score)


@pytest.fixture
def validation(tmp_path):
    """A function that makes a validation on batches of scores."""

    def make(*values, criterion="pixel_error", step=0, model=Scorer):
        callback = Validation(
            5,
            batches(*values),
            best=BestCheckpoint(Best(tmp_path / "best"), criterion),
            path=tmp_path / "metrics.jsonl",
            writer=Writer(),
        )
        return begin(callback, model(), step)

    return make


def saves(callback):
    return callback.best.checkpoints.saves


def score(callback):
    return score_in(callback.best.checkpoints.folder)


def test_validation_is_the_mean_over_all_examples(validation):
    # Of 1, 2, 3 and 6, not of the batches' means 2 and 6.
    scored = validation([1, 2, 3], [6])
    pass_step(scored, 5)
    means = {"validation/pixel_error": 3.0, "validation/kl": 6.0}
    assert lines(scored.path) == [{"step": 5, **means}]
    assert scored.writer.of("scalars") == [(5, means)]
    assert score(scored) == {"step": 5, "pixel_error": 3.0}


def test_scores_join_the_logs_of_their_epoch(validation):
    scored = validation([3.0])
    pass_step(scored, 5)
    first, second = {"kl": 1.0}, {"kl": 2.0}
    pass_epoch(scored, 6, first)
    pass_epoch(scored, 8, second)
    means = {"validation/pixel_error": 3.0, "validation/kl": 6.0}
    assert first == {"kl": 1.0, **means}
    assert second == {"kl": 2.0}


def test_the_best_is_the_one_of_least_pixel_error(validation):
    scored = validation()
    counts = []
    for step, error in [(5, 3.0), (10, 2.0), (15, 2.0), (20, 2.5), (25, 1.0)]:
        scored.batches = batches([error])
        pass_step(scored, step)
        counts.append(saves(scored))
    assert counts == [1, 2, 2, 2, 3]
    assert score(scored) == {"step": 25, "pixel_error": 1.0}


def test_the_best_may_be_that_of_another_score(validation):
    scored = validation([2.0], criterion="kl")
    pass_step(scored, 5)
    assert score(scored) == {"step": 5, "kl": 4.0}
    again = validation([3.0], criterion="kl", step=5)
    pass_step(again, 10)
    assert saves(again) == 0
    assert score(again) == {"step": 5, "kl": 4.0}


def test_the_best_is_remembered_by_a_resumed_run(validation):
    pass_step(validation([2.0]), 5)
    worse = validation([3.0], step=5)
    pass_step(worse, 10)
    assert saves(worse) == 0
    assert score(worse) == {"step": 5, "pixel_error": 2.0}


def test_nothing_is_best_that_is_not_finite(validation):
    scored = validation([float("nan")])
    pass_step(scored, 5)
    assert saves(scored) == 0


def test_a_model_that_lacks_the_score_has_no_best(validation):
    class Judge(Model):
        def validation_terms(self, example):
            return {"real": example["value"]}

    scored = validation([1.0], model=Judge)
    pass_step(scored, 5)
    assert lines(scored.path) == [{"step": 5, "validation/real": 1.0}]
    assert saves(scored) == 0
    assert not named(scored.best.checkpoints.folder)


@pytest.fixture
def evaluate(tmp_path):
    """A function that makes a callback that keeps the best by distance."""

    def make(distance, keeps=True, notes=(), step=0, num_images=32):
        best = BestCheckpoint(
            Best(tmp_path / "best"),
            "frechet_distance",
            features="eyes",
            num_images=num_images,
        )
        callback = Evaluate(
            5,
            FixedEvaluator(distance, notes),
            best=best if keeps else None,
            path=tmp_path / "metrics.jsonl",
            writer=Writer(),
        )
        return begin(callback, Model(), step)

    return make


def test_all_scores_of_an_evaluation_are_recorded(evaluate):
    scored = evaluate(3.0)
    pass_step(scored, 5)
    numbers = {
        "evaluation/samples/frechet_distance/prior/ema": 3.0,
        "evaluation/samples/frechet_distance/prior/raw": 0.5,
        "evaluation/latents/kl/raw": 7.0,
    }
    assert lines(scored.path) == [{"step": 5, **numbers}]
    assert scored.writer.of("scalars") == [(5, numbers)]


def test_the_best_is_the_one_of_least_distance(evaluate):
    scored = evaluate(3.0)
    counts = []
    for step, distance in [(5, 3.0), (10, 4.0), (15, float("nan")), (20, 2.0)]:
        scored.evaluator.distance = distance
        pass_step(scored, step)
        counts.append(saves(scored))
    assert counts == [1, 1, 1, 2]
    assert score(scored) == {
        "step": 20,
        "frechet_distance": 2.0,
        "features": "eyes",
        "num_images": 32,
    }


def test_the_least_distance_is_remembered_by_a_resumed_run(evaluate):
    pass_step(evaluate(2.0), 5)
    worse = evaluate(3.0, step=5)
    pass_step(worse, 10)
    assert saves(worse) == 0
    assert score(worse)["step"] == 5


def test_distances_of_other_features_do_not_compare(evaluate):
    pass_step(evaluate(2.0), 5)
    other = evaluate(3.0, num_images=64, step=5)
    pass_step(other, 10)
    assert score(other)["frechet_distance"] == 3.0


def test_a_score_of_another_kind_does_not_count(evaluate, validation):
    pass_step(validation([2.0]), 5)
    by_distance = evaluate(30.0, step=5)
    pass_step(by_distance, 10)
    assert score(by_distance)["frechet_distance"] == 30.0


def test_only_one_callback_keeps_the_best(evaluate, tmp_path):
    pass_step(evaluate(3.0, keeps=False), 5)
    assert score_in(tmp_path / "best") is None


def test_notes_are_logged_once(evaluate, monkeypatch):
    logged = []
    monkeypatch.setattr(
        scoring.logging, "info", lambda text, *v: logged.append(text % v)
    )
    scored = evaluate(3.0, notes=["Beware."])
    for step in (5, 10):
        pass_step(scored, step)
    assert logged.count("Note: Beware.") == 1


def test_latent_codes():
    writer = Writer()
    image = np.zeros((4, 2, 2, 3), np.float32)
    image[:, :, :, 0] = np.array([0, 0, 4, 4]).reshape(4, 1, 1)
    has_hat = np.array([[0], [0], [1], [1]], np.float32)
    shown = {"image": image, "attributes": has_hat}
    callback = begin(LatentCodes(5, shown, ["Hat"], writer=writer), Painter())
    pass_step(callback, 5)
    ((step, histograms),) = writer.of("histograms")
    assert step == 5
    np.testing.assert_array_equal(
        histograms["latents/all"], [[0, 0], [0, 0], [4, 0], [4, 0]]
    )
    np.testing.assert_array_equal(histograms["latents/Hat/with"], [4, 4])
    np.testing.assert_array_equal(histograms["latents/Hat/without"], [0, 0])
    ((codes, images, columns),) = writer.of("projector")
    assert codes.shape == (4, 2)
    assert images is image
    assert list(columns["Hat"]) == [False, False, True, True]
    # A conditional model is given them; others leave them aside.
    assert callback.model.given is has_hat


def test_codes_without_attributes():
    writer = Writer()
    callback = begin(LatentCodes(5, example(3), [], writer=writer), Painter())
    pass_step(callback, 5)
    assert set(writer.of("histograms")[0][1]) == {"latents/all"}
    assert writer.of("projector")[0][2] == {}
