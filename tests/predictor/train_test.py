"""Runs of four steps, end to end."""

import json
import shutil
import types

import numpy as np
import pytest
from tensorboard.backend.event_processing import (
    event_accumulator,
    plugin_event_accumulator,
)

from vaegan_tf import images as pictures
from vaegan_tf.data import load_dataset
from vaegan_tf.data.dataset import ImageDataset
from vaegan_tf.predictor import AttributePredictor
from vaegan_tf.predictor.scores import score_predictor
from vaegan_tf.runs import load_model
from vaegan_tf.runs.checkpoints import score_in, steps_in
from vaegan_tf.settings import PredictorSettings
from vaegan_tf.training import DivergenceError


def records(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def events(run, tag):
    accumulator = plugin_event_accumulator.EventAccumulator(
        str(run / "tensorboard"),
        size_guidance={event_accumulator.TENSORS: 0},
        tensor_size_guidance={},
    ).Reload()
    return accumulator.Tensors(tag)


def dataset(attributes, names=("Hat", "Beard"), shape=(32, 32, 3)):
    """A data set of which only the attributes are there."""
    attributes = np.array(attributes, np.float32)
    split = types.SimpleNamespace(attributes=attributes)
    return ImageDataset("mine", shape, names, {"train": split})


def inputs_of(data):
    return AttributePredictor.inputs_of(data, PredictorSettings())


def test_what_a_run_leaves(trained_predictor):
    names = {path.name for path in trained_predictor.iterdir()}
    assert names == {
        ".lock",
        "run.json",
        "train.flags",
        "metrics.jsonl",
        "speed.jsonl",
        "tensorboard",
        "checkpoints",
        "best",
        "scores.json",
        "scores.png",
    }
    assert steps_in(trained_predictor / "checkpoints") == [0, 2, 4]


def test_numbers_of_a_run(trained_predictor):
    training = [r for r in records(trained_predictor) if "head_loss" in r]
    validation = [r for r in records(trained_predictor) if r not in training]
    assert [r["step"] for r in training] == [r["step"] for r in validation]
    assert [r["step"] for r in training] == [2, 4]
    # Half a wave over 4 steps; the second number is that of the fourth step.
    rates = [r["learning_rate/backbone"] for r in training]
    expected = [1e-3 * (1 + np.cos(np.pi * t / 4)) for t in (1, 3)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    terms = {"weighted_nll", "attribute_nll", "attribute_error"}
    scored = {f"validation/{name}" for name in terms}
    assert set(validation[0]) == {"step", *scored}


def test_the_best_is_that_of_least_cross_entropy(trained_predictor):
    actual = {
        r["step"]: r["validation/attribute_nll"]
        for r in records(trained_predictor)
        if "validation/attribute_nll" in r
    }
    best = min(actual, key=actual.get)
    record = score_in(trained_predictor / "best")
    assert record == {"step": best, "attribute_nll": actual[best]}


def test_scores_are_those_of_the_best_on_test(trained_predictor, tiny_dir):
    scores = json.loads((trained_predictor / "scores.json").read_text())
    model = load_model(trained_predictor, "best")
    test = load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)
    (example,) = test.batches("test", 100).as_numpy_iterator()
    present = example["attributes"] > 0.5
    said = model.analyze(example["image"])["logits"].numpy() > 0
    assert (scores["dataset"], scores["split"]) == ("avatars/tiny", "test")
    assert scores["num_images"] == 32
    assert [scores["step"]] == steps_in(trained_predictor / "best")
    names = [row["name"] for row in scores["attributes"]]
    assert names == list(test.attribute_names)
    for row, truth, answer in zip(scores["attributes"], present.T, said.T):
        assert row["base_rate"] == pytest.approx(truth.mean())
        assert row["accuracy"] == pytest.approx((truth == answer).mean())
    accuracies = [row["accuracy"] for row in scores["attributes"]]
    assert scores["mean"]["accuracy"] == pytest.approx(np.mean(accuracies))
    assert scores["classes"] is None


def test_charts_are_in_tensorboard(trained_predictor):
    shown = events(trained_predictor, "scores/validation")
    assert [event.step for event in shown] == [2, 4]
    (test,) = events(trained_predictor, "scores/test")
    chart = pictures.read_png(trained_predictor / "scores.png")
    # Width, height, then the picture as PNG.
    width, height, png = test.tensor_proto.string_val
    assert (int(height), int(width)) == chart.shape[:2]
    assert png == pictures.encode_png(chart)
    (curve,) = events(trained_predictor, "test/accuracy")
    scores = json.loads((trained_predictor / "scores.json").read_text())
    assert curve.tensor_proto.float_val[0] == pytest.approx(
        scores["mean"]["accuracy"]
    )


def test_a_run_resumes_as_if_never_stopped(train_predictor, tmp_path):
    arguments = ("--learning_rate_decay=none", "--log_every=1")
    train_predictor(tmp_path / "whole", *arguments)
    train_predictor(tmp_path / "parts", *arguments, "--train_steps=2")
    train_predictor(tmp_path / "parts", *arguments)
    whole, parts = (records(tmp_path / name) for name in ("whole", "parts"))
    assert len(whole) == len(parts) == 4 + 2
    for one, other in zip(whole, parts):
        assert one == pytest.approx(other, rel=1e-3)


def test_another_seed_is_another_run(
    train_predictor, trained_predictor, tmp_path
):
    train_predictor(tmp_path / "run", "--seed=1")
    assert records(tmp_path / "run")[0] != records(trained_predictor)[0]


def test_resnet_trains(train_predictor, tmp_path):
    pytest.importorskip("keras_hub")
    run = tmp_path / "run"
    train_predictor(run, "--width=1", "--backbone=resnet34", "--train_steps=1")
    images = np.zeros((2, 32, 32, 3), np.float32)
    features = load_model(run).analyze(images)["features"]
    assert features.shape == (2, 512)
    assert np.isfinite(features).all()


def test_other_settings_are_refused(trained_predictor, train_predictor):
    message = r"other settings.*\n  balance: 0\.5 -> 1\.0$"
    with pytest.raises(ValueError, match=message):
        train_predictor(trained_predictor, "--balance=1")


def test_runs_of_other_models_are_left_alone(
    trained, train_predictor, trained_predictor, train_tiny
):
    message = r"other settings.*\n  model: 'vae' -> 'predictor'$"
    with pytest.raises(ValueError, match=message):
        train_predictor(trained("vae"))
    message = r"other settings.*\n  model: 'predictor' -> 'vae'$"
    with pytest.raises(ValueError, match=message):
        train_tiny(trained_predictor, "--model=vae")


def test_a_predictor_is_no_gan_to_measure_distance_in(
    trained_predictor, train_tiny, tmp_path
):
    with pytest.raises(
        ValueError, match=r"The predictor of .* has no discriminator"
    ):
        train_tiny(
            tmp_path / "run",
            "--model=learned_metric_vae",
            f"--discriminator_from={trained_predictor}",
        )


def test_a_run_that_diverges_says_so(train_predictor, tmp_path):
    message = r"_(nll|loss|norm) is \S+ after step \d\. The run has div"
    with pytest.raises(DivergenceError, match=message):
        train_predictor(tmp_path / "run", "--learning_rate=1e30")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--image_size=48"], "`image_size` must be one of 32, 64, 128"),
        (["--attributes=Hut"], r"Received: 'Hut'\. Did you mean 'Hat'"),
        (["--learning_rate=0"], "`learning_rate` must be above 0"),
        (
            ["--backbone_weights=x.h5"],
            "`backbone_weights` does not apply to backbone='small'",
        ),
        (
            ["--backbone=resnet34"],
            "`width` does not apply to backbone='resnet34'",
        ),
    ],
)
def test_refusals(train_predictor, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        train_predictor(tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


def test_base_rates_are_never_0_or_1():
    inputs = inputs_of(dataset([[1, 0], [1, 0]]))
    # (2 + 1) / (2 + 2) and (0 + 1) / (2 + 2).
    assert inputs == {
        "attribute_names": ["Hat", "Beard"],
        "base_rates": [0.75, 0.25],
        "dataset": "mine",
        "image_size": 32,
        "num_channels": 3,
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (dataset(np.zeros((2, 0)), ()), "needs attributes, and mine has none"),
        (
            dataset([[1, 0.5], [0, 1]]),
            "of 0 and 1, and 'Beard' of mine has other values. Leave it out",
        ),
    ],
)
def test_data_that_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        inputs_of(data)


def test_classes_are_scored_as_such(trained_predictor, tiny_dir):
    model = load_model(trained_predictor, "best")
    test = load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)
    chosen = np.zeros((10, 18), np.float32)
    chosen[:, 4] = 1

    def as_classes(example):
        return {**example, "attributes": chosen}

    scores = score_predictor(
        model, test.batches("test", 10).take(1).map(as_classes)
    )
    assert scores["classes"]["guess_accuracy"] == 1.0
    assert scores["num_images"] == 10


def test_a_copied_run_is_scored_again(
    trained_predictor, train_predictor, tmp_path
):
    run = shutil.copytree(trained_predictor, tmp_path / "run")
    (run / "scores.json").unlink()
    train_predictor(run)
    again = json.loads((run / "scores.json").read_text())
    before = json.loads((trained_predictor / "scores.json").read_text())
    assert again == before
