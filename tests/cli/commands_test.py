"""The commands themselves, on runs of four steps."""

import importlib
import json
import os
import pathlib
import re
import resource
import runpy
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import vaegan_tf
from vaegan_tf import images as pictures

ROOT = pathlib.Path(vaegan_tf.__file__).parents[1]
COMMANDS = (
    "prepare",
    "train",
    "sample",
    "reconstruct",
    "distance",
    "evaluate",
    "attributes",
    "edit",
    "similarity",
    "explore",
    "export",
    "publish",
    "predictor",
    "report",
)


def call(name, *arguments):
    """Does in this process what a command does."""
    command = importlib.import_module(f"vaegan_tf.cli.{name}").command
    *settings, _ = command.parse([str(argument) for argument in arguments])
    command.main(*settings)


@pytest.fixture
def draw(trained, tmp_path):
    """A function that draws with `vaegan-sample` and returns the picture."""

    def run(kind, *arguments):
        output = tmp_path / "samples.png"
        call(
            "sample",
            f"--model_dir={trained(kind)}",
            f"--output={output}",
            *arguments,
        )
        return pictures.read_png(output)

    return run


@pytest.fixture
def photos(tmp_path):
    """A wide and a tall image: grey, with a white central square."""
    wide = np.full((40, 100, 3), 128, np.uint8)
    wide[:, 30:70] = 255
    tall = np.full((90, 50, 3), 128, np.uint8)
    tall[20:70] = 255
    paths = [tmp_path / "wide.png", tmp_path / "tall.jpg"]
    for path, picture in zip(paths, (wide, tall)):
        Image.fromarray(picture).save(path, quality=95)
    return paths


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_quick(name):
    code = (
        "import sys\n"
        f"from vaegan_tf.cli import {name}\n"
        f"sys.argv = ['vaegan-{name}', '--help']\n"
        "try:\n"
        f"    {name}.command()\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'keras', 'numpy'}\n"
        "    sys.exit(len(heavy & set(sys.modules)))\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: vaegan-{name} ")
    # Of the processor's time: a busy machine does not make it slow.
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 2


def test_console_scripts_exist(monkeypatch):
    setuptools = pytest.importorskip("setuptools")
    found = {}
    monkeypatch.setattr(
        setuptools, "setup", lambda **kwargs: found.update(kwargs)
    )
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    scripts = dict(
        script.split("=") for script in found["entry_points"]["console_scripts"]
    )
    assert set(scripts) == {f"vaegan-{name}" for name in COMMANDS}
    for target in scripts.values():
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_prepare_says_what_is_there(tiny_dir, monkeypatch):
    logged = []
    log = types.SimpleNamespace(info=logged.append)
    monkeypatch.setattr("vaegan_tf.cli.prepare.logging", log)
    call(
        "prepare",
        "--dataset=avatars/tiny",
        f"--data_dir={tiny_dir}",
        "--image_size=32",
        "--attributes=Hat,Bald",
    )
    assert logged[:4] == [
        "avatars/tiny: images of 32x32x3",
        "  train: 160 images",
        "  validation: 32 images",
        "  test: 32 images",
    ]
    assert len(logged) == 6
    assert logged[4].startswith("  Hat: ")
    assert logged[5].endswith("% of the training images")


def test_samples_fill_one_picture(draw):
    # Four by three of 32 pixels, with 2 around each.
    picture = draw("vaegan", "--count=10")
    assert picture.shape == (3 * 34 + 2, 4 * 34 + 2, 3)


@pytest.mark.parametrize("kind", ["vae", "gan", "learned_metric_vae"])
def test_every_model_draws(draw, kind):
    assert draw(kind, "--count=1").shape == (36, 36, 3)


def test_the_same_seed_draws_the_same(draw):
    one = draw("vaegan", "--count=4", "--seed=3")
    np.testing.assert_array_equal(one, draw("vaegan", "--count=4", "--seed=3"))
    assert (one != draw("vaegan", "--count=4", "--seed=4")).any()


@pytest.mark.parametrize("kind", ["vaegan", "conditional"])
def test_samplers_draw_other_pictures(trained, tmp_path, kind):
    run = shutil.copytree(trained(kind), tmp_path / "run")
    drawn = []
    for sampler in ("prior", "mixture", "truncated"):
        output = tmp_path / f"{sampler}.png"
        call(
            "sample",
            f"--model_dir={run}",
            f"--output={output}",
            f"--sampler={sampler}",
            "--count=4",
        )
        drawn.append(pictures.read_png(output))
    assert {picture.shape for picture in drawn} == {(70, 70, 3)}
    prior, mixture, truncated = drawn
    assert (prior != mixture).any()
    assert (prior != truncated).any()
    assert (mixture != truncated).any()


def test_a_gan_draws_from_no_mixture(draw):
    with pytest.raises(ValueError, match=r"^A GAN cannot encode\. Models that"):
        draw("gan", "--sampler=mixture")


def test_samples_in_a_folder(trained, tmp_path):
    run = trained("vaegan")
    folder = tmp_path / "drawn"
    call("sample", f"--model_dir={run}", f"--output={folder}/", "--count=3")
    paths = sorted(folder.iterdir())
    assert [p.name for p in paths] == ["00000.png", "00001.png", "00002.png"]
    shown = [pictures.read_png(path) for path in paths]
    assert {picture.shape for picture in shown} == {(32, 32, 3)}
    assert (shown[0] != shown[1]).any()


def test_the_best_checkpoint_draws(draw):
    assert draw("vaegan", "--count=1", "--checkpoint=best").shape == (36, 36, 3)


def test_conditions_change_the_picture(draw):
    none = draw("conditional", "--count=2")
    hat = draw("conditional", "--count=2", "--condition=Hat")
    assert (hat != none).any()
    same = draw("conditional", "--count=2", "--condition=Hat=1,Beard=0")
    np.testing.assert_array_equal(same, hat)
    more = draw("conditional", "--count=2", "--condition=Hat=3,Beard=-1")
    assert (more != hat).any()


@pytest.mark.parametrize(
    ("kind", "condition", "message"),
    [
        (
            "conditional",
            "Hut",
            r"--condition names 'Hut', which the model does not know\. "
            r"It knows: .*Hat, ",
        ),
        (
            "conditional",
            "Hat=much",
            r"takes name or name=number\. Received: 'Hat=much'",
        ),
        (
            "conditional",
            "Beard,Hat=nan",
            r"takes name or name=number\. Received: 'Hat=nan'",
        ),
        ("conditional", "Hat=", r"name=number\. Received: 'Hat='"),
        ("vaegan", "Hat", r"this one was trained without --conditional\."),
    ],
)
def test_conditions_that_are_refused(draw, kind, condition, message):
    with pytest.raises(ValueError, match=message):
        draw(kind, f"--condition={condition}")


def reconstruct(run, output, *arguments):
    call(
        "reconstruct",
        f"--model_dir={run}",
        f"--output={output}",
        *arguments,
    )
    return pictures.read_png(output)


@pytest.mark.parametrize("kind", ["vae", "vaegan", "conditional"])
def test_held_out_images_above_their_reconstructions(trained, tmp_path, kind):
    output = tmp_path / "out.png"
    picture = reconstruct(trained(kind), output, "--count=2")
    # Two columns of pairs: 2 × 32 pixels and 2 around each, both ways.
    assert picture.shape == (70, 70, 3)
    upper, lower = picture[2:34, 2:34], picture[36:68, 2:34]
    assert (upper != lower).any()
    validation = reconstruct(
        trained(kind), output, "--count=2", "--split=validation"
    )
    assert (validation[2:34, 2:34] != upper).any()


def test_conditions_change_a_reconstruction_but_no_original(trained, tmp_path):
    run, output = trained("conditional"), tmp_path / "out.png"
    plain = reconstruct(run, output, "--count=1")
    told = reconstruct(run, output, "--count=1", "--condition=Bald=5")
    np.testing.assert_array_equal(plain[:35], told[:35])
    assert (plain[35:] != told[35:]).any()


@pytest.mark.parametrize("kind", ["vaegan", "conditional"])
def test_image_files_are_cut_to_their_central_square(
    trained, tmp_path, photos, kind
):
    output = tmp_path / "out.png"
    picture = reconstruct(trained(kind), output, *photos)
    assert picture.shape == (70, 70, 3)
    # Only the white square of either is seen; resizing and JPEG blur a little.
    for left in (2, 36):
        original = picture[2:34, left : left + 32]
        assert (original[4:-4, 4:-4] > 250).all()
    assert (picture[36:68, 2:34] < 250).any()


def test_reconstructions_in_a_folder(trained, tmp_path, photos):
    call(
        "reconstruct",
        f"--model_dir={trained('vae')}",
        f"--output={tmp_path / 'out'}/",
        *photos,
    )
    paths = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in paths] == ["00000.png", "00001.png"]
    assert pictures.read_png(paths[0]).shape == (32, 32, 3)


def test_more_images_than_a_batch_are_the_same(trained, tmp_path, monkeypatch):
    whole = reconstruct(trained("vae"), tmp_path / "whole.png", "--count=5")
    module = importlib.import_module("vaegan_tf.cli.reconstruct")
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    parts = reconstruct(trained("vae"), tmp_path / "parts.png", "--count=5")
    levels = np.abs(whole.astype(int) - parts)
    assert levels.max() <= 1  # Sums of another order round to another level.


def test_images_that_are_none(trained, tmp_path):
    (tmp_path / "note.png").write_text("not an image")
    with pytest.raises(ValueError, match=r"Not an image: .*note\.png"):
        reconstruct(trained("vae"), tmp_path / "o.png", tmp_path / "note.png")
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        reconstruct(trained("vae"), tmp_path / "o.png", tmp_path / "none.png")


def test_a_gan_cannot_reconstruct(trained, tmp_path):
    message = r"^A GAN cannot reconstruct\. Models that can: VAE, VAE/GAN"
    with pytest.raises(ValueError, match=message):
        reconstruct(trained("gan"), tmp_path / "out.png")


def test_export_goes_where_it_is_told(trained, tmp_path):
    folder = tmp_path / "model" / "1"
    for _ in range(2):  # The second replaces the first.
        call("export", f"--model_dir={trained('vaegan')}", f"--output={folder}")
        served = tf.saved_model.load(str(folder)).signatures
        assert {"encode", "decode", "sample"} < set(served)
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_export_goes_to_the_runs_folder(trained, tmp_path):
    run = shutil.copytree(trained("vaegan"), tmp_path / "run")
    shutil.rmtree(run / "export")
    call("export", f"--model_dir={run}")
    assert (run / "export" / "4" / "saved_model.pb").exists()


def test_export_does_not_delete_what_is_no_model(trained, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    message = "holds something that is not a SavedModel. Choose another"
    with pytest.raises(ValueError, match=message):
        call("export", f"--model_dir={trained('vae')}", f"--output={tmp_path}")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_export_with_a_mixture(trained, tmp_path):
    run = shutil.copytree(trained("vaegan"), tmp_path / "run")
    folder = tmp_path / "1"
    call(
        "export",
        f"--model_dir={run}",
        f"--output={folder}",
        "--mixture",
        "--components=2",
    )
    served = tf.saved_model.load(str(folder)).signatures
    image = served["sample_mixture"](
        count=tf.constant(3), seed=tf.constant([0, 1])
    )["image"]
    assert image.shape == (3, 32, 32, 3)
    assert (run / "samplers" / "mixture.npz").exists()
    # A page takes what is there.
    runtime = tmp_path / "tf.js"
    runtime.write_text("loadGraphModel")
    call(
        "export",
        f"--model_dir={run}",
        f"--output={tmp_path / 'page'}",
        "--format=web",
        f"--runtime={runtime}",
    )
    page = (tmp_path / "page" / "index.html").read_text()
    facts = json.loads(re.search(r"const facts = (.*);\n", page)[1])
    assert sum(facts["mixture"]["weights"]) == pytest.approx(1)
    assert [len(row) for row in facts["mixture"]["scales"][1]] == [1, 2, 3, 4]


def test_components_belong_to_a_mixture(trained):
    with pytest.raises(ValueError, match=r"^--components is for --mixture\.$"):
        call("export", f"--model_dir={trained('vaegan')}", "--components=2")


@pytest.mark.parametrize(
    "name", ["sample", "reconstruct", "evaluate", "export"]
)
def test_what_is_no_run_is_refused(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no run: it holds no run\.j"):
        call(name, f"--model_dir={tmp_path}")


@pytest.mark.parametrize(
    "name", ["sample", "reconstruct", "evaluate", "export"]
)
def test_a_run_without_a_checkpoint_is_refused(name, trained, tmp_path):
    shutil.copy(trained("vae") / "run.json", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no checkpoint in .*Train f"):
        call(name, f"--model_dir={tmp_path}")


def test_a_report_compares_all_kinds_of_models(trained, tmp_path):
    kinds = ("vae", "gan", "vaegan", "conditional", "learned_metric_vae")
    output = tmp_path / "out" / "report.html"
    runs = [trained(kind) for kind in kinds]
    call("report", *runs, f"--output={output}", "--num_samples=4")
    assert list(output.parent.iterdir()) == [output]
    text = output.read_text(encoding="utf-8")
    assert "5 models compared" in text
    assert "gan has no encoder, so it reconstructs nothing." in text
    # Originals and four models in each of two blocks, and five grids.
    assert text.count("data:image/webp;base64,") == 15
    assert all(f"4 samples of {kind}" in text for kind in kinds)


def test_published_weights_are_reported_by_name(tmp_path):
    output = tmp_path / "report.html"
    call("report", "avatars64", f"--output={output}", "--num_samples=4")
    text = output.read_text(encoding="utf-8")
    assert "4 samples of avatars64" in text
    assert "8 test images, the originals" in text
    assert "finished, 4,500 steps" in text
    assert "12.41" in text  # The Fréchet distance on its card.
    assert "train.flags" not in text


def test_a_report_finds_data_that_were_moved(trained, tmp_path, tiny_dir):
    run = shutil.copytree(trained("vae"), tmp_path / "run")
    record = run / "run.json"
    moved = record.read_text().replace(str(tiny_dir), str(tmp_path / "gone"))
    record.write_text(moved)
    output = tmp_path / "report.html"
    call("report", run, f"--output={output}", f"--data_dir={tiny_dir}")
    assert "16 test images" not in output.read_text()
    assert "8 test images, the originals" in output.read_text()
    assert not (tmp_path / "gone").exists()


def test_what_is_no_run_is_not_reported(trained, tmp_path):
    output = tmp_path / "report.html"
    with pytest.raises(FileNotFoundError, match=r"no run: it holds no run\.j"):
        call("report", trained("vae"), tmp_path, f"--output={output}")
    with pytest.raises(ValueError, match="A run is needed"):
        call("report", f"--output={output}")
    assert not output.exists()


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "train",
            ["--model=vae", "--gamma=1"],
            "--gamma does not apply to --model=vae",
        ),
        (
            "train",
            ["--model=vae", "--learning_rates=discriminator=1e-3"],
            "`learning_rates` may name encoder, decoder, the networks that",
        ),
        (
            "train",
            ["--learning_rates=decoder=-1"],
            "`learning_rates` must hold network=rate with positive rates",
        ),
        (
            "predictor",
            ["--backbone_weights=x"],
            "`backbone_weights` does not apply to backbone='small'",
        ),
    ],
)
def test_what_is_refused_is_refused_before_data_is_prepared(
    tmp_path, name, arguments, message
):
    with pytest.raises(ValueError, match=message):
        call(
            name,
            f"--model_dir={tmp_path / 'run'}",
            f"--data_dir={tmp_path / 'data'}",
            *arguments,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gamma=7"], "holds a run with other settings"),
        (
            ["--overwrite", "--steps_per_execution=7"],
            "must be a multiple of `steps_per_execution`",
        ),
        (
            ["--overwrite", "--model=learned_metric_vae"],
            "give its folder as `discriminator_from`",
        ),
    ],
)
def test_what_contradicts_a_run_is_refused_before_data_is_loaded(
    trained, tmp_path, monkeypatch, arguments, message
):
    def load(*arguments, **options):
        pytest.fail("The data set is loaded.")

    monkeypatch.setattr("vaegan_tf.data.load_dataset", load)
    run = shutil.copytree(trained("vaegan"), tmp_path / "run")
    with pytest.raises(ValueError, match=message):
        call("train", f"--model_dir={run}", *arguments)
    assert (run / "run.json").exists()


OTHER_MODEL = """
from vaegan_tf.models.registry import register
from vaegan_tf.models.vae import VAE
from vaegan_tf.settings import VAESettings, setting


class FreeBitsSettings(VAESettings):
    free_nats: float = setting(8.0, "Divergence that costs nothing.", low=0)


@register("free_bits_vae")
class FreeBitsVAE(VAE):
    title = "Free-bits VAE"
    Settings = FreeBitsSettings
"""


def test_a_model_of_another_module(trained, tmp_path):
    run = shutil.copytree(trained("vae"), tmp_path / "run")
    record = (run / "run.json").read_text()
    (run / "run.json").write_text(record.replace('"vae"', '"free_bits_vae"'))
    (tmp_path / "free_bits_vae.py").write_text(OTHER_MODEL)
    # The registry of this process stays as it is.
    code = (
        "from vaegan_tf.cli import sample, train\n"
        "common = ['--import=free_bits_vae', '--model_dir=run']\n"
        "choice, _, model, *_ = train.command.parse(\n"
        "    [*common, '--model=free_bits_vae', '--free_nats=3']\n"
        ")\n"
        "assert (choice.model, model.free_nats) == ('free_bits_vae', 3.0)\n"
        "sample.command(['vaegan-sample', *common, '--count=1'])\n"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", code],  # as console scripts are
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert pictures.read_png(tmp_path / "samples.png").shape == (36, 36, 3)
    message = r"importing its module \(--import\)\. .*'free_bits_vae'"
    with pytest.raises(ValueError, match=message):
        call("sample", f"--model_dir={run}")


def test_published_weights_need_no_data_set(tmp_path, monkeypatch):
    def refuse(*arguments, **others):
        raise AssertionError("The data set is not needed.")

    monkeypatch.setattr("vaegan_tf.data.load_dataset", refuse)
    for name, *arguments in (
        ("sample", "--count=4"),
        ("reconstruct", "--count=4"),
        ("edit", "--count=2", "--attribute=Hat"),
    ):
        output = tmp_path / f"{name}.png"
        call(name, "--pretrained=avatars64", f"--output={output}", *arguments)
        assert pictures.read_png(output).std() > 10


def test_published_weights_stay_as_they_are(
    trained, draw, tiny_dir, tmp_path, capsys
):
    run, folder = trained("vae"), tmp_path / "published"
    call("publish", f"--model_dir={run}", f"--output={folder}", "--examples=2")
    output = tmp_path / "samples.png"
    call("sample", f"--pretrained={folder}", f"--output={output}", "--count=4")
    drawn = pictures.read_png(output).astype(int)
    assert np.abs(drawn - draw("vae", "--count=4")).max() <= 2
    before = sorted(folder.rglob("*"))
    weights = f"--pretrained={folder}", f"--data_dir={tiny_dir}"
    call("evaluate", *weights, "--num_images=8")
    assert capsys.readouterr().out.endswith("to published weights.\n")
    with pytest.raises(ValueError, match="nothing is added to them"):
        call("attributes", *weights)
    with pytest.raises(ValueError, match="--output is needed"):
        call("export", *weights)
    assert sorted(folder.rglob("*")) == before


def test_models_are_exported_for_telephones(trained, tmp_path):
    folder = tmp_path / "litert"
    call(
        "export",
        f"--model_dir={trained('vae')}",
        "--format=litert",
        f"--output={folder}",
    )
    assert [path.name for path in folder.iterdir()] == ["model.tflite"]


def test_a_mixture_is_for_what_draws_codes():
    with pytest.raises(ValueError, match="--mixture is for"):
        call("export", "--model_dir=run", "--mixture", "--format=onnx")
