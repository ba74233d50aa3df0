import json
import math
import shutil

import pytest

from tests.evaluation.conftest import Predictor
from vaegan_tf import evaluation
from vaegan_tf.cli import evaluate
from vaegan_tf.evaluation import Extractor
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import score_in, steps_in
from vaegan_tf.training import watching


@pytest.fixture
def run(trained, tmp_path):
    """A function that copies a finished run, to write into it."""
    return lambda kind: shutil.copytree(trained(kind), tmp_path / kind)


@pytest.fixture
def with_features(monkeypatch):
    """Gives every command the features of a small predictor."""
    for module in (evaluation, watching):
        monkeypatch.setattr(
            module, "create_extractor", lambda _: Extractor(Predictor())
        )


def call(folder, *arguments):
    arguments = [f"--model_dir={folder}", *arguments]
    *settings, _ = evaluate.command.parse(arguments)
    evaluate.main(*settings)
    return json.loads((folder / "evaluation.json").read_text("utf-8"))


def scores(record, **wanted):
    return [
        score
        for score in record["scores"]
        if all(score[key] == value for key, value in wanted.items())
    ]


def evaluated(folder):
    """Steps of `metrics.jsonl` with an evaluation, and its names."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    found = {}
    for line in map(json.loads, lines):
        names = {n for n in line if n.startswith("evaluation/")}
        if names:
            found[line["step"]] = {name: line[name] for name in names}
    return found


def test_the_record_is_whole(run, with_features, capsys):
    folder = run("vaegan")
    record = call(folder, "--seed=3")
    assert set(record) == {
        "step",
        "split",
        "dataset",
        "image_size",
        "seed",
        "created",
        "command",
        "seconds",
        "scores",
        "latent",
        "skipped",
        "notes",
    }
    assert (record["step"], record["split"], record["seed"]) == (4, "test", 3)
    assert (record["dataset"], record["image_size"]) == ("avatars/tiny", 32)
    assert record["command"].startswith("vaegan-evaluate --model_dir=")
    assert len(record["latent"]["kl"]) == 4
    (distance,) = scores(
        record, name="frechet_distance", group="samples", weights="ema"
    )
    assert distance["features"] == "predictor"
    assert distance["sampler"] == "prior"
    assert distance["num_images"] == 32
    for score in record["scores"]:
        assert math.isfinite(score["value"])
    out = capsys.readouterr().out
    assert out.startswith("Samples ")
    assert "\n\nReconstructions " in out
    assert out.endswith(f"\n\nWritten to {folder}/evaluation.json.\n")


def test_the_same_command_gives_the_same_numbers(run, with_features):
    folder = run("vae")
    first = call(folder)["scores"]
    assert call(folder)["scores"] == first
    others = call(folder, "--seed=1", "--split=validation")["scores"]
    assert others != first


def test_without_features(run, capsys):
    record = call(run("vae"), "--num_images=10")
    groups = {score["group"] for score in record["scores"]}
    assert groups == {"reconstructions", "latents"}
    assert "`inception_weights`" in record["skipped"][0]["why"]
    assert "Left out: scores of samples" in capsys.readouterr().out


def test_the_best_checkpoint(run):
    folder = run("vae")
    best = score_in(folder / "best")
    assert call(folder, "--checkpoint=best")["step"] == best["step"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samplers=posterior"], r"`samplers` must be one or .*'posterior'"),
        (["--num_images=999"], r"32 images in its split test\. Asked for: 999"),
    ],
)
def test_what_is_refused_leaves_nothing(run, arguments, message):
    folder = run("vae")
    before = sorted(folder.rglob("*"))
    with pytest.raises(ValueError, match=message):
        call(folder, *arguments)
    assert sorted(folder.rglob("*")) == before


def test_an_interrupted_evaluation_leaves_nothing(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "vaegan_tf.evaluation.evaluator.decode_uint8", interrupt
    )
    folder = run("vae")
    before = sorted(folder.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        call(folder)
    assert sorted(folder.rglob("*")) == before


def test_weights_that_are_not_there(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        call(run("vae"), f"--inception_weights={tmp_path / 'none.pth'}")


def test_a_gan_keeps_the_best_by_its_samples(
    train_tiny, tmp_path, with_features
):
    folder = tmp_path / "gan"
    arguments = ("--model=gan", "--eval_every=2", "--eval_images=24")
    train_tiny(folder, *arguments, export=False)
    found = evaluated(folder)
    assert sorted(found) == [2, 4]
    name = "evaluation/samples/frechet_distance/prior/ema"
    best = score_in(folder / "best")
    assert best["frechet_distance"] == min(f[name] for f in found.values())
    assert best["num_images"] == 24
    assert steps_in(folder / "best") == [best["step"]]
    assert Run(folder).model(checkpoint="best")[1] == best["step"]


def test_evaluations_can_begin_on_the_way(run, train_tiny, with_features):
    folder = run("vae")
    arguments = ("--model=vae", "--train_steps=6", "--eval_every=3")
    train_tiny(folder, *arguments, export=False)
    assert sorted(evaluated(folder)) == [6]
    best = score_in(folder / "best")
    assert (best["step"], best["num_images"]) == (6, 32)


def test_without_features_the_best_is_that_of_reconstructions(run, train_tiny):
    folder = run("vae")
    arguments = ("--model=vae", "--train_steps=6", "--eval_every=3")
    train_tiny(folder, *arguments, export=False)
    names = evaluated(folder)[6]
    assert "evaluation/reconstructions/psnr/ema" in names
    assert "evaluation/reconstructions/psnr/raw" in names
    best = score_in(folder / "best")
    assert "pixel_error" in best


@pytest.mark.parametrize("flag", ["predictor", "inception_weights"])
def test_features_that_nothing_would_use(train_tiny, tmp_path, flag):
    folder = tmp_path / "run"
    message = rf"`{flag}` is for evaluations while training: set `eval_every`"
    with pytest.raises(ValueError, match=message):
        train_tiny(folder, f"--{flag}=somewhere")
    assert not folder.exists()


def test_a_predictor_and_all_samplers(run, trained):
    record = call(
        run("vaegan"),
        f"--predictor={trained('predictor')}",
        "--samplers=prior,mixture,truncated",
        "--components=2",
    )
    found = scores(record, name="frechet_distance", group="samples")
    assert [(s["sampler"], s["weights"]) for s in found] == [
        (sampler, weights)
        for sampler in ("prior", "mixture", "truncated")
        for weights in ("ema", "raw")
    ]


def test_a_folder_that_is_no_predictors(run, trained):
    message = r"^A VAE/GAN cannot analyze\."
    with pytest.raises(ValueError, match=message):
        call(run("vae"), f"--predictor={trained('vaegan')}")


def test_a_predictors_folder_is_no_models(trained):
    with pytest.raises(ValueError, match=r"predictor cannot sample\."):
        call(trained("predictor"))
