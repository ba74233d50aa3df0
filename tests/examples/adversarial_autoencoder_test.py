"""A model from outside the package: all commands work on its run.

That it can do what every model can is in `tests/models/conformance_test.py`.
"""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples import adversarial_autoencoder as example
from tests.conftest import call_train
from vaegan_tf.cli import evaluate, export, reconstruct, report, sample, train
from vaegan_tf.models import create_model
from vaegan_tf.runs import Run
from vaegan_tf.settings import models as declared

KIND = "adversarial_autoencoder"
IMPORT = f"--import=examples.{KIND}"


def call(module, *arguments):
    with pytest.raises(SystemExit) as status:
        module.command([f"vaegan-{module.__name__.split('.')[-1]}", *arguments])
    assert status.value.code == 0


@pytest.fixture(scope="module")
def run(tiny_arguments, tmp_path_factory):
    """A run that stopped after two steps and was resumed to the fourth."""
    folder = tmp_path_factory.mktemp("runs") / KIND
    arguments = [*tiny_arguments, IMPORT, f"--model={KIND}", "--code_units=20"]
    arguments.append(f"--model_dir={folder}")
    call_train(*arguments, "--train_steps=2", export=False)
    call(train, *arguments, "--train_steps=4")
    return Run(folder)


def test_it_trains_and_resumes(run):
    lines = [json.loads(line) for line in run.metrics.open(encoding="utf-8")]
    losses = [x["step"] for x in lines if "code_discriminator_loss" in x]
    assert losses == [2, 4]
    assert run.checkpoint_step() == 4
    assert run.settings.model.code_units == 20
    assert list(run.samples.glob("*.png"))


def test_every_command_works_on_its_run(run, tmp_path):
    trained = (f"--model_dir={run.folder}", IMPORT)
    for module in (sample, reconstruct):
        output = tmp_path / f"{module.__name__}.png"
        call(module, *trained, "--count=4", f"--output={output}")
        assert output.stat().st_size > 0
    call(evaluate, *trained, "--num_images=8")
    scores = json.loads(run.evaluation.read_text())
    assert scores["step"] == 4
    call(export, *trained, f"--output={tmp_path / 'export'}")
    served = tf.saved_model.load(str(tmp_path / "export"))
    assert set(served.endpoints) == {
        *("encode", "decode", "reconstruct", "sample", "sample_truncated")
    }


def test_its_run_is_reported(run, tmp_path):
    page = tmp_path / "report.html"
    call(report, str(run.folder), IMPORT, f"--output={page}")
    assert "Adversarial autoencoder" in page.read_text(encoding="utf-8")


def test_without_its_module_the_error_says_what_to_do(run, monkeypatch):
    monkeypatch.delitem(declared._KINDS, KIND)
    with pytest.raises(ValueError, match=r"importing its module \(--import\)"):
        run.settings  # noqa: B018 - reading it is what fails


def test_the_encoder_is_answered_by_both_networks():
    # What the decoder alone, or the adversary alone, would have it do differs.
    keras.utils.set_random_seed(1)
    model = create_model(
        KIND, image_size=32, width=0.05, latent_dim=4, code_units=8
    )
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3))
    with tf.GradientTape(persistent=True) as tape:
        terms = model.terms({"image": tf.cast(image, tf.float32)}, True)
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        whole = model.objectives(means)["encoder"]
    weight = model.encoder.get_layer("encoder_log_variance").kernel.value
    parts = [
        tape.gradient(means["pixel_nll"], weight),
        10.0 * tape.gradient(means["code_as_prior"], weight),
    ]
    total = tape.gradient(whole, weight)
    scale = np.abs(total).max()
    np.testing.assert_allclose(total, sum(parts), atol=1e-4 * scale)
    assert all(np.abs(part).max() > 0 for part in parts)


def test_it_fits_in_a_hundred_lines():
    text = pathlib.Path(example.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 100
