import dataclasses
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest

import vaegan_tf
from vaegan_tf.runs import Run, load_model
from vaegan_tf.runs import run as run_module
from vaegan_tf.settings import (
    DataSettings,
    Experiment,
    RunSettings,
    VAESettings,
)

SETTINGS = Experiment.of(
    "vae",
    data=DataSettings(image_size=32, attributes=("Hat",)),
    model=VAESettings(latent_dim=3),
    run=RunSettings(seed=5, overwrite=True),
)
INPUTS = {"image_size": 32, "num_channels": 3, "num_attributes": 0}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "a" / "run")
    run.write(
        SETTINGS, INPUTS, flag_file="--model=vae\n", attribute_names=["Hat"]
    )
    return run


def test_the_record(run):
    record = run.read()
    assert set(record) == {
        "kind",
        "settings",
        "inputs",
        "attribute_names",
        "device",
        "versions",
        "git_commit",
        "origin",
    }
    assert record["kind"] == "vae"
    assert record["settings"]["model"]["latent_dim"] == 3
    assert record["inputs"] == INPUTS
    assert record["attribute_names"] == ["Hat"]
    assert run.flags.read_text() == "--model=vae\n"
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "run.json",
        "train.flags",
    ]


def test_settings_make_the_round_trip_but_for_those_of_one_call(run):
    kept = dataclasses.replace(SETTINGS.run, overwrite=False)
    assert run.settings == dataclasses.replace(SETTINGS, run=kept)
    assert "overwrite" not in run.read()["settings"]["run"]
    assert run.model_class is vaegan_tf.VAE


def test_places(tmp_path):
    run = Run(str(tmp_path))
    places = {
        "record": "run.json",
        "flags": "train.flags",
        "metrics": "metrics.jsonl",
        "speed": "speed.jsonl",
        "checkpoints": "checkpoints",
        "best": "best",
        "samples": "samples",
        "tensorboard": "tensorboard",
        "scores": "scores.json",
        "exports": "export",
        "evaluation": "evaluation.json",
        "mixture": "samplers/mixture.npz",
    }
    assert {name: getattr(run, name) for name in places} == {
        name: tmp_path / place for name, place in places.items()
    }


def test_the_home_folder_is_understood():
    assert Run("~/runs/a").folder == pathlib.Path.home() / "runs" / "a"


def test_runs_are_values(tmp_path):
    assert Run(str(tmp_path)) == Run(tmp_path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Run(tmp_path).folder = tmp_path


@pytest.mark.parametrize(
    "use",
    [
        Run.read,
        Run.model,
        Run.dataset,
        lambda run: run.settings,
        lambda run: run.model_class,
        lambda run: load_model(run.folder),
    ],
    ids=["read", "model", "dataset", "settings", "model_class", "load_model"],
)
def test_what_is_no_run(tmp_path, use):
    run = Run(tmp_path)
    assert not run.exists
    message = r"is no run: it holds no run\.json\. Give the folder that was"
    with pytest.raises(FileNotFoundError, match=message):
        use(run)


def test_checkpoints_that_no_run_has(run):
    message = "`checkpoint` must be one of latest, best. .*'newest'"
    for use in (run.model, run.checkpoint_step):
        with pytest.raises(ValueError, match=message):
            use("newest")


def test_a_damaged_record(run):
    run.record.write_text(run.record.read_text()[:-30])
    with pytest.raises(ValueError, match=r"run\.json is damaged: .*line"):
        run.read()


@pytest.mark.parametrize("text", ["[]", '{"kind": "vae"}', "3"])
def test_a_record_of_something_else(run, text):
    run.record.write_text(text)
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        run.read()


def test_a_record_is_written_whole_or_not_at_all(run, monkeypatch):
    def fail(*paths):
        raise OSError("no space left")

    before = {path: path.read_text() for path in run.folder.iterdir()}
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        run.write(SETTINGS, INPUTS, flag_file="--model=gan\n")
    assert before == {path: path.read_text() for path in run.folder.iterdir()}


def test_the_record_comes_last(tmp_path, monkeypatch):
    """Else a kill in between would leave a run without its flags."""
    written = []
    monkeypatch.setattr(
        run_module.files, "write_text", lambda path, text: written.append(path)
    )
    monkeypatch.setattr(
        run_module.files, "write_json", lambda path, value: written.append(path)
    )
    run = Run(tmp_path)
    run.write(SETTINGS, INPUTS, flag_file="--model=vae\n")
    assert written == [run.flags, run.record]


def test_deleting_leaves_the_folder_empty(run, tmp_path):
    (run.samples / "deep").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.folder / "link").symlink_to(outside)
    run.delete()
    assert not list(run.folder.iterdir())
    assert outside.exists()


def test_deleting_that_is_cut_short_leaves_a_run(run, monkeypatch):
    def killed(path):
        raise KeyboardInterrupt

    run.checkpoints.mkdir()
    monkeypatch.setattr(run_module.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        run.delete()
    assert run.exists
    assert run.checkpoints.exists()


def test_a_model_comes_back_in_float32(trained):
    run = Run(trained("vae"))
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, step = run.model()
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy(policy)
    assert step == 4
    assert {layer.compute_dtype for layer in model.decoder.layers} == {
        "float32"
    }


@pytest.mark.parametrize("checkpoint", ["latest", "best"])
def test_the_step_of_a_checkpoint_is_known_without_reading_it(
    trained, checkpoint
):
    run = Run(trained("vae"))
    _, step = run.model(checkpoint=checkpoint)
    assert run.checkpoint_step(checkpoint) == step


@pytest.mark.parametrize("kind", ["conditional", "predictor"])
def test_a_folder_is_enough_to_load_its_model(trained, kind):
    model = load_model(str(trained(kind)))
    expected, _ = Run(trained(kind)).model()
    assert type(model) is Run(trained(kind)).model_class
    for one, other in zip(model.weights, expected.weights):
        np.testing.assert_array_equal(one, other)
    assert model.num_attributes == 18


def test_a_checkpoint_may_be_chosen(trained, tmp_path):
    run = shutil.copytree(trained("vae"), tmp_path / "run")
    shutil.rmtree(run / "best")
    shutil.copytree(run / "checkpoints" / "step-0", run / "best" / "step-0")
    latest, best = load_model(run), load_model(run, "best")
    assert latest.decoder.layers
    kernels = [
        np.array(model.encoder.trainable_weights[0]) for model in (latest, best)
    ]
    assert (kernels[0] != kernels[1]).any()


def test_a_run_without_a_checkpoint(trained, tmp_path):
    shutil.copy(trained("vae") / "run.json", tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no checkpoint in"):
        Run(tmp_path).model()
    with pytest.raises(FileNotFoundError, match=r"no checkpoint in .*best"):
        Run(tmp_path).model(checkpoint="best")


def test_the_data_set_of_a_run(trained, tiny_dir, monkeypatch):
    run = Run(trained("vae"))
    dataset = run.dataset()
    assert (dataset.name, dataset.image_shape) == ("avatars/tiny", (32, 32, 3))
    assert list(dataset.attribute_names) == run.read()["attribute_names"]
    asked = []
    monkeypatch.setattr(
        "vaegan_tf.data.load_dataset",
        lambda name, **arguments: asked.append((name, arguments)),
    )
    run.dataset()
    run.dataset(data_dir="elsewhere")
    expected = {
        "data_dir": str(tiny_dir),
        "source_dir": None,
        "image_size": 32,
        "num_channels": 3,
        "attributes": None,
        "crop": "auto",
        "memory_limit": None,
        "seed": 0,
    }
    assert asked == [
        ("avatars/tiny", expected),
        ("avatars/tiny", {**expected, "data_dir": "elsewhere"}),
    ]


def test_the_first_examples_of_a_run(trained):
    run = Run(trained("vae"))
    examples = run.examples("test", 3)
    assert examples["image"].shape == (3, 32, 32, 3)
    assert examples["attributes"].shape == (3, 18)
    (all_of_them,) = run.dataset().batches("test", 32).as_numpy_iterator()
    np.testing.assert_array_equal(examples["image"], all_of_them["image"][:3])
    assert len(run.examples("test", 1000)["image"]) == 32
