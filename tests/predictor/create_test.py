import shutil

import numpy as np
import pytest

import vaegan_tf
from vaegan_tf.models import model_class, require
from vaegan_tf.predictor import AttributePredictor
from vaegan_tf.runs import Run, load_model
from vaegan_tf.runs.checkpoints import steps_in
from vaegan_tf.settings import PredictorSettings


def black():
    return np.full((2, 32, 32, 3), -1, np.float32)


def test_a_predictor_of_a_run(trained_predictor):
    model = vaegan_tf.load_model(str(trained_predictor), "best")
    assert isinstance(model, vaegan_tf.AttributePredictor)
    assert model.image_shape == (32, 32, 3)
    assert model.dataset == "avatars/tiny"
    assert len(model.attribute_names) == 18
    answers = model.analyze(black())
    assert answers["features"].shape == (2, 13)
    assert answers["logits"].shape == (2, 18)


def test_the_checkpoint_that_is_asked_for_is_loaded(
    trained_predictor, tmp_path
):
    run = shutil.copytree(trained_predictor, tmp_path / "run")
    (best,) = steps_in(run / "best")
    shutil.rmtree(run / "checkpoints")
    step_0 = trained_predictor / "checkpoints" / "step-0"
    shutil.copytree(step_0, run / "checkpoints" / "step-9")

    def logits(folder, checkpoint):
        model = load_model(folder, checkpoint)
        return model.analyze(black())["logits"].numpy()

    assert best > 0
    best_answers = logits(run, "best")
    assert np.abs(best_answers - logits(run, "latest")).max() > 0
    np.testing.assert_array_equal(
        best_answers, logits(trained_predictor, "best")
    )


def test_a_run_before_its_first_checkpoint(trained_predictor, tmp_path):
    shutil.copy(trained_predictor / "run.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no checkpoint in"):
        load_model(tmp_path)


def test_a_predictor_draws_no_images(trained_predictor):
    model = load_model(trained_predictor)
    assert model.can("analyze")
    message = r"A predictor cannot sample\. Models that can: VAE, GAN, VAE/GAN"
    with pytest.raises(ValueError, match=message):
        require(model, "sample")


def test_a_vae_predicts_no_attributes():
    message = r"cannot analyze\. Models that can: predictor\."
    with pytest.raises(ValueError, match=message):
        require(model_class("vae"), "analyze")


def test_the_record_makes_the_model(trained_predictor):
    record = Run(trained_predictor).read()
    assert record["kind"] == "predictor"
    settings = PredictorSettings.from_dict(record["settings"]["model"])
    model = AttributePredictor.create(settings, **record["inputs"])
    assert list(model.attribute_names) == record["attribute_names"]


def test_a_backbone_that_is_unknown():
    message = (
        r"`backbone` must be one of small, encoder, resnet34.*backbone='vgg'"
    )
    with pytest.raises(ValueError, match=message):
        PredictorSettings(backbone="vgg")
