"""The commands on what the package draws: train, resume, draw, score."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageSequence

from tests.conftest import call_train
from tests.patch.conftest import draw_pictures
from vaegan_tf.cli import app, evaluate, sample
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import steps_in

# Three scales of four steps.
TINY = (
    "--model=hp_vae_gan",
    "--dataset=avatar_clip",
    "--image_size=16",
    "--frames=3",
    "--smallest_size=10",
    "--sampling_rates=2,1",
    "--scale_factor=0.5",
    "--vae_scales=1",
    "--channels=2",
    "--layers=1",
    "--latent_channels=2",
    "--scale_steps=4",
    "--penalty_crop=8",
    "--log_every=2",
    "--checkpoint_every=2",
    "--keep_checkpoints=9",
    "--sample_every=100",
)


def train(folder, *arguments, **options):
    call_train(*TINY, f"--model_dir={folder}", *arguments, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of all twelve steps; leave its checkpoints as they are."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(folder)
    return folder


def lines(folder):
    text = (folder / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_one_run_trains_all_scales_and_shows_each(finished):
    assert steps_in(finished / "checkpoints") == list(range(0, 13, 2))
    shown = sorted(p.name for p in (finished / "samples").glob("*.png"))
    steps = ["00000000", "00000004", "00000008", "00000012"]
    assert shown == [
        f"{name}-{step}.png"
        for name in ("reconstructions", "samples")
        for step in steps
    ]
    for name in ("samples", "reconstructions"):
        with Image.open(finished / "samples" / f"{name}.gif") as film:
            assert film.n_frames == 3
    last = Image.open(finished / "samples" / "samples-00000012.png")
    # Four samples of three frames of 16 × 9.
    assert last.size == (2 + 3 * 18, 2 + 4 * 11)
    numbers = lines(finished)
    assert [line["step"] for line in numbers] == [2, 4, 6, 8, 10, 12]
    assert "kl" in numbers[0]
    assert "penalty" not in numbers[0]
    assert "penalty" in numbers[-1]
    assert "kl" not in numbers[-1]


def test_a_run_resumes_in_the_middle_of_a_scale_bit_for_bit(finished, tmp_path):
    """As after a kill in the second step of the four of the first GAN."""
    folder = shutil.copytree(finished, tmp_path / "run")
    for step in (8, 10, 12):
        shutil.rmtree(folder / "checkpoints" / f"step-{step}")
    train(folder, export=False)
    assert steps_in(folder / "checkpoints") == list(range(0, 13, 2))
    ours, theirs = (Run(f).model()[0].get_weights() for f in (folder, finished))
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(own, other)
    assert lines(folder) == lines(finished)


def test_the_export_draws_what_the_model_does(finished):
    model, _ = Run(finished).model()
    served = tf.saved_model.load(str(finished / "export" / "12")).signatures
    seed = tf.constant([3, 1])
    count = tf.constant(2)
    drawn = served["sample"](count=count, seed=seed)["image"]
    np.testing.assert_allclose(drawn, model.draw(2, seed), atol=1e-5)
    size = tf.constant([4, 9, 32])
    wide = served["sample_sized"](count=count, seed=seed, size=size)["image"]
    np.testing.assert_allclose(wide, model.draw(2, seed, (4, 9, 32)), atol=1e-5)
    image = Run(finished).dataset().batch
    own = served["reconstruct"](image=tf.constant(image))["image"]
    np.testing.assert_allclose(own, model.reconstruct(image), atol=1e-5)


def draw(folder, *arguments):
    *settings, _ = sample.command.parse([f"--model_dir={folder}", *arguments])
    sample.main(*settings)


def test_samples_are_drawn_at_any_size(finished, tmp_path):
    moving = tmp_path / "wide.gif"
    draw(
        finished, "--size=32x9", "--frames=5", "--count=1", f"--output={moving}"
    )
    with Image.open(moving) as film:
        assert (film.size, film.n_frames) == ((36, 13), 5)
    folder = f"{tmp_path / 'each'}/"
    draw(finished, "--first_scale=2", "--count=2", f"--output={folder}")
    assert sorted(p.name for p in (tmp_path / "each").iterdir()) == [
        "00000.gif",
        "00001.gif",
    ]
    painted = tmp_path / "paint.png"
    Image.new("RGB", (20, 20), "red").save(painted)
    drawn = tmp_path / "drawn.png"
    draw(
        finished,
        "--first_scale=1",
        f"--start={painted}",
        "--count=1",
        f"--output={drawn}",
    )
    assert Image.open(drawn).size == (2 + 3 * 18, 13)


def test_pictures_move_in_a_loop(tmp_path):
    path = tmp_path / "loop.gif"
    draw_pictures("--animate=5", "--count=2", f"--output={path}")
    with Image.open(path) as film:
        assert (film.size, film.n_frames) == ((2 + 2 * 14, 2 + 8), 5)
        frames = [
            np.array(f.convert("RGB")) for f in ImageSequence.Iterator(film)
        ]
    assert len({frame.tobytes() for frame in frames}) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output=a.jpg"], r"must end in \.png, \.gif, \.mp4, / for clips"),
        (["--first_scale=3"], "from 1 to 2, the newest scale"),
        (["--animate=5"], "--animate is for models of pictures"),
        (
            ["--first_scale=1", "--start=a.png", "--mask=b.png"],
            "--mask is for models of pictures",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(finished, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(finished, *arguments)


def test_evaluation_scores_patches(finished, capsys):
    *settings, _ = evaluate.command.parse(
        [
            f"--model_dir={finished}",
            "--patch_samples=2",
            "--patch_size=3",
            "--patch_frames=2",
        ]
    )
    evaluate.main(*settings)
    record = json.loads((finished / "evaluation.json").read_text())
    assert (record["step"], record["scale"]) == (12, 2)
    names = {score["name"] for score in record["scores"]}
    assert names == {
        "patch_frechet_distance",
        "nearest_patch",
        "field_diversity",
        "pixel_diversity",
    }
    assert "Samples of one example" in capsys.readouterr().out


def test_another_example_does_not_resume_a_run(finished):
    with pytest.raises(ValueError, match="frames: 3 -> 4"):
        train(finished, "--frames=4")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--size=0x9", "--size takes width and height.*'0x9'"),
        ("--size=wide", "--size takes width and height.*'wide'"),
        ("--start=a.png", "--start is for --first_scale=1 or higher"),
        ("--mask=a.png", "--mask is for --start, your own picture"),
    ],
)
def test_flags_of_drawings_that_cannot_be(argument, message):
    with pytest.raises(app.UsageError, match=message):
        sample.command.parse(["--model_dir=run", argument])


def test_shapes_of_drawings_are_the_examples_but_for_what_is_given():
    drawing = sample.DrawingSettings(size="32x9")
    assert drawing.shape_for((13, 40, 50)) == (13, 9, 32)
    assert sample.DrawingSettings().shape_for((40, 50)) == (40, 50)
    with pytest.raises(ValueError, match="--frames is for models of clips"):
        sample.DrawingSettings(frames=3).shape_for((40, 50))
