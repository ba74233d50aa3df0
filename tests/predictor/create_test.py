import json
import shutil

import numpy as np
import pytest

import vaegan_tf
from vaegan_tf.predictor import create_predictor, load_predictor
from vaegan_tf.training.checkpoints import steps_in
from vaegan_tf.training.runs import Run


def black():
    return np.full((2, 32, 32, 3), -1, np.float32)


def test_a_predictor_of_a_run(trained_predictor):
    model = vaegan_tf.load_predictor(str(trained_predictor))
    assert isinstance(model, vaegan_tf.AttributePredictor)
    assert model.image_shape == (32, 32, 3)
    assert model.dataset == "avatars/tiny"
    assert len(model.attribute_names) == 18
    found = model.analyze(black())
    assert found["features"].shape == (2, 13)
    assert found["logits"].shape == (2, 18)


def test_the_best_is_loaded_or_what_is_asked_for(trained_predictor, tmp_path):
    run = shutil.copytree(trained_predictor, tmp_path / "run")
    (best,) = steps_in(run / "best")
    for step in (0, 2, 4):
        if step != best:
            shutil.rmtree(run / "checkpoints" / f"step-{step}")
    if best in steps_in(run / "checkpoints"):
        (run / "checkpoints" / f"step-{best}").rename(
            run / "checkpoints" / "step-1"
        )
    first = run / "checkpoints" / "step-9"
    shutil.copytree(trained_predictor / "checkpoints" / "step-0", first)

    def logits(**arguments):
        return load_predictor(run, **arguments).analyze(black())["logits"]

    assert np.abs(logits() - logits(checkpoint="latest")).max() > 0
    np.testing.assert_array_equal(logits(), logits(checkpoint="best"))
    shutil.rmtree(run / "best")
    np.testing.assert_array_equal(logits(), logits(checkpoint="latest"))


def test_folders_that_are_no_predictors(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no run: it holds no run\.j"):
        load_predictor(tmp_path)
    message = r"vae holds a vae, and this takes a predictor\. Choose another"
    with pytest.raises(ValueError, match=message):
        load_predictor(trained("vae"))


def test_a_run_before_its_first_checkpoint(trained_predictor, tmp_path):
    shutil.copy(trained_predictor / "run.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no checkpoint in"):
        load_predictor(tmp_path)


def test_a_predictor_draws_no_images(trained_predictor):
    message = r"holds a predictor, and this takes a vae or gan or vaegan or "
    with pytest.raises(ValueError, match=message):
        Run(trained_predictor).model()


def test_the_record_makes_the_model(trained_predictor):
    record = json.loads((trained_predictor / "run.json").read_text())
    model = create_predictor(**record["model"])
    assert record["model"]["model"] == "predictor"
    assert list(model.attribute_names) == record["data"]["attribute_names"]


@pytest.mark.parametrize(
    "arguments", [{"backbone": "vgg"}, {"model": "vae"}], ids=str
)
def test_what_is_no_predictor(arguments):
    with pytest.raises(
        ValueError, match=r"one of \['resnet34', 'small'\]\. Re"
    ):
        create_predictor(**arguments, attribute_names=["Hat"], base_rates=[0.5])
