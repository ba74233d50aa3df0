"""vaegan-attributes, vaegan-edit and vaegan-similarity on tiny runs."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from vaegan_tf.attributes import attribute_vectors
from vaegan_tf.cli import app, attributes, edit, similarity
from vaegan_tf.images import read_png


@pytest.fixture(scope="module")
def copies(trained, tmp_path_factory):
    """Copies of finished runs, vectors of few examples with that of VAE/GAN."""
    folder = tmp_path_factory.mktemp("runs")
    for kind in ("vaegan", "conditional", "gan"):
        shutil.copytree(trained(kind), folder / kind)
    attribute_vectors(folder / "vaegan", min_examples=3)
    return folder


def call(command, *arguments):
    *settings, _ = command.parse(arguments)
    command.main(*settings)


def call_edit(copies, *arguments):
    call(edit.command, f"--model_dir={copies / 'vaegan'}", *arguments)


def test_vectors_are_shown_and_drawn(copies, tmp_path, capsys):
    folder = shutil.copytree(copies / "vaegan", tmp_path / "run")
    call(attributes.command, f"--model_dir={folder}", "--min_examples=5")
    shown = capsys.readouterr().out
    head, *lines = shown.splitlines()
    assert head.split()[:4] == ["attribute", "with", "without", "plain:"]
    vectors = attribute_vectors(folder)
    assert [line.split()[0] for line in lines[: len(vectors.names)]] == list(
        vectors.names
    )
    assert vectors.counts.min() >= 5
    if vectors.left_out:
        assert f"Too few examples: {vectors.left_out[0]}" in shown
    for kind in ("plain", "balanced", "orthogonal"):
        chart = read_png(folder / "attributes" / f"cosines-{kind}.png")
        assert chart.shape[0] > 31 * len(vectors.names)


def test_a_figure_has_a_row_for_each_file(copies, tmp_path):
    files = []
    for level in (0, 128):
        file = tmp_path / f"{level}.png"
        Image.fromarray(np.full((40, 40, 3), level, np.uint8)).save(file)
        files.append(str(file))
    output = tmp_path / "figure.png"
    flags = ["--attribute=Hat,-Smiling=2", f"--output={output}"]
    call_edit(copies, *files, *flags)
    body = read_png(output)[-(2 * 36 + 4) :]
    assert body.shape[1] == 4 * 36 + 4
    assert (body[4:36, 4:36] == 0).all()
    assert (body[40:72, 4:36] == 128).all()


def test_a_folder_gets_a_file_for_each_image(copies, tmp_path):
    arguments = ["--count=3", "--strength=0", "--keep=residual"]
    call_edit(copies, *arguments, f"--output={tmp_path}/out/")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["00000.png", "00001.png", "00002.png"]


@pytest.mark.parametrize("show", ["strip", "interpolation", "walk"])
def test_frames_lie_side_by_side(copies, tmp_path, show):
    output = tmp_path / "rows.png"
    arguments = [f"--show={show}", "--frames=5", "--count=3", "--attribute=Hat"]
    call_edit(copies, *arguments, f"--output={output}")
    height, width, _ = read_png(output).shape
    rows = 2 if show == "interpolation" else 3
    assert height >= rows * 36 + 4
    assert width >= 5 * 36 + 4


def test_a_gif_goes_there_and_back(copies, tmp_path):
    output = tmp_path / "film.gif"
    arguments = ["--show=interpolation", "--frames=4", "--count=2"]
    call_edit(copies, *arguments, f"--output={output}")
    with Image.open(output) as film:
        assert film.n_frames == 6


def test_paths_need_no_attributes(copies, tmp_path, monkeypatch):
    def refused(*arguments, **settings):
        raise ValueError("This data set has no attributes.")

    monkeypatch.setattr("vaegan_tf.attributes.attribute_vectors", refused)
    output = tmp_path / "walk.png"
    arguments = ["--show=walk", "--count=1", "--frames=2"]
    call_edit(copies, *arguments, f"--output={output}")
    assert output.exists()


def test_more_frames_than_a_grid_holds_are_refused(copies, tmp_path):
    arguments = ["--show=walk", "--count=100", "--frames=101"]
    with pytest.raises(ValueError, match="at most 10,000 images"):
        call_edit(copies, *arguments, f"--output={tmp_path / 'walk.png'}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--attribute=Hat=much"], "-100 and 100. Received: 'Hat=much'"),
        (["--attribute=Hat=nan"], "Received: 'Hat=nan'"),
        (["--output=edits.jpg"], r"end in .png, / for --show=figure"),
        (["--output=x.gif"], "for --show=figure. Received: 'x.gif'"),
        (["--show=walk", "--output=x/"], "end in .png, .gif, .mp4 for"),
        (["--strength=inf"], "strength"),
    ],
)
def test_flags_that_are_refused(arguments, message):
    with pytest.raises(app.UsageError, match=message):
        edit.command.parse(["--model_dir=run", *arguments])


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("vaegan", ["--attribute=Tail"], "no attribute 'Tail'. There are: "),
        ("gan", [], "cannot encode"),
        ("conditional", [], "is conditional"),
        ("vaegan", ["missing.png"], "missing.png"),
    ],
)
def test_edits_that_are_refused(copies, tmp_path, kind, arguments, message):
    output = tmp_path / "none.png"
    common = [f"--model_dir={copies / kind}", f"--output={output}"]
    with pytest.raises((ValueError, OSError), match=message):
        call(edit.command, *common, *arguments)
    assert not output.exists()


@pytest.fixture(scope="module")
def scored(copies, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    call(
        similarity.command,
        str(copies / "vaegan"),
        str(copies / "conditional"),
        f"--predictor={trained('predictor')}",
        "--num_images=20",
        "--num_samples=3",
        "--strengths=0,1",
        "--vectors=plain,balanced",
        f"--output={folder}",
    )
    return folder


def test_edits_have_a_row_for_each_way(copies, scored):
    record = json.loads((copies / "vaegan" / "similarity.json").read_text())
    assert (record["step"], record["split"]) == (4, "test")
    names = attribute_vectors(copies / "vaegan").names
    rows = record["edits"]
    assert {row["attribute"] for row in rows} <= set(names)
    same = [r for r in rows if (r["strength"], r["keep"]) == (0, "residual")]
    # Two ways to keep, without an edit and with either kind of vectors.
    assert len(rows) == 2 * 3 * len(same)
    for row in same:  # No edit, and all of the residual: the image itself.
        assert row["leak"] == [0, 0]
        assert row["flips"] == [0, 0]
        np.testing.assert_allclose(row["identity"][0], 1, atol=1e-6)


def test_orders_are_scored_beside_the_test_set(copies, scored):
    path = copies / "conditional" / "similarity.json"
    scores = {s["name"]: s for s in json.loads(path.read_text())["scores"]}
    assert {score["group"] for score in scores.values()} == {"orders"}
    for key in ("value", "floor"):
        numbers = {name: score[key] for name, score in scores.items()}
        assert numbers["best_cosine"] >= numbers["cosine"]
        assert numbers["best_mse"] <= numbers["mse"]
    # There is one image for each query.
    assert scores["best_cosine"]["floor"] == scores["cosine"]["floor"]
    assert scores["best_cosine"]["num_images"] == 20


def test_figures_of_conditional_models_are_drawn(scored):
    # Eight test images beside three samples each.
    body = read_png(scored / "orders.png")[-(8 * 36 + 4) :]
    assert body.shape[1] == 4 * 36 + 4
    turned = read_png(scored / "turned-conditional.png")
    assert turned.shape[0] > 18 * 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "A run is needed"),
        (
            ["run", "--vectors=best"],
            "`vectors` must be one or more of plain, balanced",
        ),
        (["run", "--strengths=1,x"], "`strengths` must be a list of numbers"),
        (["run", "--strengths="], "numbers, each at least -100 and at most"),
        (["run", "--strengths=1,101"], "each at least -100 and at most 100"),
        (["run", "--strengths=nan"], "`strengths` must be finite"),
    ],
)
def test_similarity_flags_that_are_refused(arguments, message):
    with pytest.raises(app.UsageError, match=message):
        similarity.command.parse([*arguments, "--predictor=p"])


def test_an_attribute_without_a_vector_is_refused(copies, trained):
    arguments = ["--attributes=Tail", "--num_images=10"]
    predictor = f"--predictor={trained('predictor')}"
    with pytest.raises(ValueError, match="no attribute 'Tail'"):
        call(similarity.command, str(copies / "vaegan"), predictor, *arguments)


def test_a_gan_without_conditions_has_no_edits(copies, trained):
    predictor = f"--predictor={trained('predictor')}"
    with pytest.raises(ValueError, match="cannot encode"):
        call(similarity.command, str(copies / "gan"), predictor)
