"""The commands on a toy folder: train, resume, export, evaluate."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import call_train
from vaegan_tf.anyshot.dataset import load_features
from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.cli import evaluate, export
from vaegan_tf.report import write_report
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import steps_in

TINY = (
    "--dataset=xlsa17",
    "--hidden_units=16",
    "--latent_dim=2",
    "--batch_size=8",
    "--log_every=2",
    "--checkpoint_every=2",
    "--ema_momentum=0.5",
)


def train(folder, toy, *arguments, model="f_vaegan_d2", **options):
    few = () if model == "f_vae" else ("--critic_steps=2",)
    call_train(
        *(*TINY, *few),
        f"--model_dir={folder}",
        f"--source_dir={toy}",
        f"--model={model}",
        *arguments,
        **options,
    )


@pytest.fixture(scope="module")
def finished(toy, tmp_path_factory):
    """A run of six steps; leave it as it is."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(folder, toy, "--train_steps=6")
    return folder


def lines(folder):
    text = (folder / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def weights(folder):
    model, _ = Run(folder).model()
    return model.get_weights()


def test_what_a_run_leaves(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"run.json", "train.flags", "metrics.jsonl", "export"} <= names
    assert steps_in(finished / "checkpoints") == [2, 4, 6]
    training = [line for line in lines(finished) if "critic_loss" in line]
    assert [line["step"] for line in training] == [2, 4, 6]
    assert {"kl", "novel_penalty", "encoder_gradient_norm"} <= set(training[0])
    assert any("validation/kl" in line for line in lines(finished))
    assert list((finished / "tensorboard").glob("events.*"))


def test_a_resumed_run_is_one_never_stopped(finished, toy, tmp_path):
    folder = tmp_path / "run"
    for steps in (2, 6):
        train(folder, toy, f"--train_steps={steps}", export=False)
    for ours, theirs in zip(weights(folder), weights(finished)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
    assert [line["step"] for line in lines(folder)] == [
        line["step"] for line in lines(finished)
    ]


def test_each_step_of_a_critic_has_a_batch_of_its_own(
    toy, tmp_path, monkeypatch
):
    taken = []

    def optimize(self, *examples):
        taken.append(len({id(example["feature"]) for example in examples}))
        return step(self, *examples)

    step = FeatureModel.optimize
    monkeypatch.setattr(FeatureModel, "optimize", optimize)
    arguments = ("--train_steps=2", "--critic_steps=3")
    train(tmp_path / "run", toy, *arguments, export=False)
    assert taken == [3]  # While it is traced.


def test_other_features_do_not_resume_a_run(finished, write, toy, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    other = write(features=np.ones((8, 120)))
    with pytest.raises(ValueError, match="source_dir: "):
        train(folder, other, "--train_steps=8")
    with pytest.raises(ValueError, match="stage: 'test' -> 'validation'"):
        train(folder, toy, "--train_steps=8", "--stage=validation")


def test_the_scale_is_that_of_the_training_examples(finished, toy):
    task = load_features("xlsa17", source_dir=toy).task
    model, _ = Run(finished).model()
    low = task.train.features.min(0)
    np.testing.assert_allclose(model.offset, low)
    np.testing.assert_allclose(model.unit, task.train.features.max(0) - low)
    assert (task.test_novel.features.max(0) > low + model.unit).any()


def test_the_export_generates_what_the_model_does(finished, tmp_path):
    *settings, _ = export.command.parse(
        [f"--model_dir={finished}", f"--output={tmp_path / 'served'}"]
    )
    export.main(*settings)
    model, _ = Run(finished).model()
    attributes = tf.constant(np.eye(3, dtype=np.float32))
    seed = tf.constant([3, 1])
    for folder in (finished / "export" / "6", tmp_path / "served"):
        served = tf.saved_model.load(str(folder)).signatures["generate"]
        drawn = served(attributes=attributes, seed=seed)["feature"]
        expected = model.generate(attributes, seed)
        np.testing.assert_allclose(drawn, expected, rtol=1e-5, atol=1e-6)


def evaluated(folder, *arguments):
    *settings, _ = evaluate.command.parse(
        [f"--model_dir={folder}", "--epochs=3", *arguments]
    )
    evaluate.main(*settings)
    return json.loads((folder / "evaluation.json").read_text())


def test_evaluation_is_the_protocol(finished, tmp_path, capsys):
    folder = shutil.copytree(finished, tmp_path / "run")
    record = evaluated(folder, "--every_checkpoint")
    assert (record["step"], record["stage"], record["shots"]) == (6, "test", 0)
    scores = record["any_shot"]
    names = ["softmax on labelled examples", "ESZSL", "f-VAEGAN-D2"]
    assert list(scores) == names
    assert scores[names[0]]["last"]["u"] == 0
    own = scores["f-VAEGAN-D2"]
    for name in ("t1", "h"):
        assert own["best_on_test"][name] >= own["last"][name]
    assert "T1, best on test" in capsys.readouterr().out
    # The weights that are scored are those of the newest checkpoint.
    assert evaluated(folder)["any_shot"]["ESZSL"] == scores["ESZSL"]
    assert evaluated(folder)["any_shot"][names[2]]["last"] == own["last"]


def test_copies_of_the_shots_are_a_baseline(toy, tmp_path):
    shots = "--shots=5", "--train_steps=2"
    folder = tmp_path / "run"
    train(folder, toy, *shots, model="f_vae", export=False)
    quick = "--epochs=20", "--classifier_rate=0.05"
    found = evaluated(folder, *quick, "--synthetic_beside_seen=15")["any_shot"]
    copies = found["softmax on copies of the shots"]
    # Five examples of classes that a map of little noise makes are enough.
    assert copies == {"last": {"t1": 1.0, "u": 1.0, "s": 1.0, "h": 1.0}}


def test_a_report_shows_it(finished, tmp_path):
    page = tmp_path / "report.html"
    assert write_report([finished], page, num_samples=1) == []
    text = page.read_text()
    assert "finished, 6 steps" in text
    assert "<dt>Novel critic</dt>" in text
    assert "Critic of novel features: gradient penalty" in text
    assert "No run has been evaluated." in " ".join(text.split())


@pytest.mark.parametrize("model", ["f_wgan", "f_vaegan"])
def test_every_part_trains_by_the_command(toy, tmp_path, model):
    train(tmp_path / model, toy, "--train_steps=2", model=model)
    assert steps_in(tmp_path / model / "checkpoints")[-1] == 2


def test_a_model_that_learns_tells_novel_classes(toy, tmp_path):
    """The toy's features are linear in attributes, so that it can."""
    train(
        tmp_path / "run",
        toy,
        "--train_steps=600",
        "--log_every=600",
        "--checkpoint_every=600",
        "--learning_rate=0.01",
        "--observation=gaussian",
        "--hidden_units=64",
        model="f_vae",
    )
    record = evaluated(
        tmp_path / "run", "--classifier_rate=0.02", "--classifier_decay=0"
    )
    assert record["any_shot"]["f-VAE"]["last"]["t1"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shots=20"], "`shots` must leave something to test"),
        (["--features_file=none.mat"], r"lacks none\.mat"),
        (["--eval_every=2"], "cannot sample"),
    ],
)
def test_what_cannot_be_is_refused(toy, tmp_path, arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train(tmp_path / "run", toy, "--train_steps=2", *arguments)


def test_batches_depend_on_seed_and_step_alone(toy):
    dataset = load_features("xlsa17", source_dir=toy, novel_prior="known")

    def batches(**options):
        found = dataset.train_batches(8, **options).take(3)
        return list(found.as_numpy_iterator())

    first, again = batches(seed=1), batches(seed=1)
    later, other = batches(seed=1, start_step=1), batches(seed=2)
    for key, value in first[1].items():
        np.testing.assert_array_equal(value, again[1][key])
        np.testing.assert_array_equal(value, later[0][key])
        assert (value != other[1][key]).any()
    parts = dataset.train_batches(8, seed=1, parts=(0, 1), num_parts=2)
    halves = list(parts.take(2).as_numpy_iterator())
    for key, value in first[0].items():
        both = np.concatenate([half[key] for half in halves])
        np.testing.assert_array_equal(both, value)


def test_novel_labels_are_not_known(toy):
    """Attributes beside novel features are drawn independently of them."""
    dataset = load_features("xlsa17", source_dir=toy, novel_prior="known")
    (batch,) = dataset.train_batches(4000, seed=1).take(1).as_numpy_iterator()
    novel = dataset.task.test_novel
    own = {f.tobytes(): label for f, label in zip(novel.features, novel.labels)}
    truth = np.array([own[f.tobytes()] for f in batch["novel_feature"]])
    is_first = batch["novel_attributes"] == dataset.task.class_attributes[4]
    agrees = (truth == 4) == is_first.all(axis=1)
    # Half of 4,000 agree by chance; six deviations of √1,000 are 190.
    assert abs(agrees.sum() - 2000) < 190


def test_balanced_batches_draw_classes_uniformly(toy):
    dataset = load_features(
        "xlsa17", source_dir=toy, shots=1, class_balanced=True
    )
    (batch,) = dataset.train_batches(6000, seed=1).take(1).as_numpy_iterator()
    train = dataset.task.train
    own = {f.tobytes(): label for f, label in zip(train.features, train.labels)}
    drawn = np.bincount([own[f.tobytes()] for f in batch["feature"]])
    # A sixth of 6,000 each; six deviations of √(6,000 · 5/36) are 173.
    assert np.abs(drawn - 1000).max() < 173


def test_features_are_not_augmented(toy):
    dataset = load_features("xlsa17", source_dir=toy)
    with pytest.raises(ValueError, match=r"must be one of none\. Received"):
        dataset.train_batches(4, seed=0, augmentation="flip")
