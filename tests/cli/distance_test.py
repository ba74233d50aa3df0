"""`vaegan-distance` on runs of four steps."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from vaegan_tf import images as pictures
from vaegan_tf.cli import distance
from vaegan_tf.runs import load_model
from vaegan_tf.similarity import LearnedMetric
from vaegan_tf.similarity.metric import NUMBERS


def call(run, *arguments):
    arguments = [f"--model_dir={run}", *map(str, arguments)]
    *settings, _ = distance.command.parse(arguments)
    distance.main(*settings)


def picture(seed, size=32):
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3))
    return noise.astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of images; equal seeds, equal images."""

    def make(name, **seeds):
        for stem, seed in seeds.items():
            path = tmp_path / name / f"{stem.replace('_', '/')}.png"
            pictures.write_png(path, picture(seed))
        return tmp_path / name

    return make


def scaled(*seeds):
    return np.stack([picture(seed) / 127.5 - 1 for seed in seeds]).astype(
        np.float32
    )


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "kind", ["gan", "vaegan", "conditional", "learned_metric_vae"]
)
def test_two_images(trained, folder, tmp_path, capsys, kind):
    place, output = folder("a", one=1, two=2), tmp_path / "d.json"
    call(
        trained(kind),
        place / "one.png",
        place / "two.png",
        f"--output={output}",
    )
    model = load_model(trained(kind))
    expected = LearnedMetric(model)(scaled(1), scaled(2))
    content = json.loads(output.read_text(encoding="utf-8"))
    (row,) = content.pop("rows")
    assert row.pop("image") == "one.png two.png"
    assert row == pytest.approx(
        {name: float(values[0]) for name, values in expected.items()}, rel=1e-4
    )
    assert content["step"] == 4
    assert content["feature_layers"] == [0, 1, 2]
    assert content["feature_scale"] == "batch"
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == ["image", *NUMBERS]
    assert line.startswith("one.png two.png  ")


def test_features_as_they_are(trained, folder, tmp_path):
    place, output = folder("a", one=1, two=2), tmp_path / "d.csv"
    files = [place / "one.png", place / "two.png", f"--output={output}"]
    call(trained("vaegan"), *files, "--feature_scale=unit")
    model = load_model(trained("vaegan"))
    expected = LearnedMetric(model, "unit")(scaled(1), scaled(2))
    (row,) = rows_of(output)
    assert float(row["feature_nll"]) == pytest.approx(
        float(expected["feature_nll"][0]), rel=1e-4
    )


def test_two_folders_are_compared_by_name(trained, folder, tmp_path, capsys):
    one = folder("a", x=1, in_y=2, z=3)
    other = folder("b", z=3, x=5, in_y=2)
    output = tmp_path / "d.json"
    call(trained("gan"), one, other, f"--output={output}")
    content = json.loads(output.read_text(encoding="utf-8"))
    rows = {row["image"]: row for row in content["rows"]}
    assert list(rows) == ["in/y.png", "x.png", "z.png"]
    for number in NUMBERS:
        values = [rows[name][number] for name in rows]
        assert values[0] == values[2] == 0.0
        assert values[1] > 0.01
        summary = content["summary"][number]
        assert summary["mean"] == pytest.approx(values[1] / 3)
        assert (summary["median"], summary["least"]) == (0.0, 0.0)
        assert summary["largest"] == values[1]
    assert "mean  median  least  largest" in capsys.readouterr().out


def test_a_folder_is_compared_with_its_reconstructions(
    trained, folder, tmp_path
):
    place = folder("a", **{f"i{seed}": seed for seed in range(5)})
    output = tmp_path / "d.csv"
    call(trained("vaegan"), place, f"--output={output}")
    model = load_model(trained("vaegan"))
    expected = LearnedMetric(model).from_reconstruction(scaled(*range(5)))
    scores = dict(zip(range(5), expected["feature_distance"].numpy()))
    rows = rows_of(output)
    order = sorted(scores, key=lambda seed: -scores[seed])
    assert [row["image"] for row in rows] == [f"i{s}.png" for s in order]
    assert [float(row["feature_distance"]) for row in rows] == pytest.approx(
        [scores[seed] for seed in order], rel=1e-4
    )
    assert list(rows[0]) == ["image", *NUMBERS]


def test_many_images_go_through_in_batches(
    trained, folder, tmp_path, monkeypatch
):
    place = folder("a", **{f"i{seed}": seed for seed in range(5)})
    outputs = [tmp_path / "whole.csv", tmp_path / "parts.csv"]
    for output, size in zip(outputs, (64, 2)):
        monkeypatch.setattr(distance, "BATCH_SIZE", size)
        call(trained("vaegan"), place, f"--output={output}")
    whole, parts = (rows_of(output) for output in outputs)
    assert len(whole) == 5
    for one, other in zip(whole, parts):
        assert one["image"] == other["image"]
        for name in NUMBERS:
            assert float(one[name]) == pytest.approx(
                float(other[name]), rel=1e-4
            )


def test_folders_normal_and_anomalous_give_a_curve(
    trained, folder, tmp_path, capsys
):
    place = folder("a", normal_1=1, normal_2=2, anomalous_3=3, anomalous_4=4)
    roc, output = tmp_path / "in" / "roc.png", tmp_path / "d.json"
    call(trained("vaegan"), place, f"--roc={roc}", f"--output={output}")
    assert pictures.read_png(roc).shape == (480, 480, 3)
    content = json.loads(output.read_text(encoding="utf-8"))
    for name, area in content["auc"].items():
        scores = {0: [], 1: []}
        for row in content["rows"]:
            assert row["image"].startswith(row["label"] + "/")
            scores[int(row["label"] == "anomalous")].append(row[name])
        pairs = [a > n for a in scores[1] for n in scores[0]]
        assert area == pytest.approx(np.mean(pairs))
    assert set(content["auc"]) == {"feature_distance", "pixel_distance"}
    assert "ROC area" in capsys.readouterr().out


def test_labels_come_from_a_file_too(trained, folder, tmp_path):
    place = folder("a", x=1, y=2)
    labels, roc = tmp_path / "labels.csv", tmp_path / "roc.png"
    labels.write_text("file,label\nx.png,normal\ny.png,anomalous\n")
    output = tmp_path / "d.csv"
    call(
        trained("vaegan"),
        place,
        f"--labels={labels}",
        f"--roc={roc}",
        f"--output={output}",
    )
    found = {row["image"]: row["label"] for row in rows_of(output)}
    assert found == {"x.png": "normal", "y.png": "anomalous"}
    assert roc.exists()


def test_conditions_change_reconstructions(trained, folder, tmp_path):
    place, output = folder("a", x=1, y=2), tmp_path / "d.csv"
    found = []
    for condition in ([], ["--condition=Bald=5"]):
        call(trained("conditional"), place, f"--output={output}", *condition)
        found.append(sorted(r["pixel_distance"] for r in rows_of(output)))
    assert found[0] != found[1]


def test_images_of_other_sizes_are_cropped_as_for_training(trained, tmp_path):
    wide = np.full((32, 80, 3), 9, np.uint8)
    wide[:, 24:56] = picture(1)
    paths = [tmp_path / "wide.png", tmp_path / "square.png"]
    for path, pixels in zip(paths, (wide, picture(1))):
        Image.fromarray(pixels).save(path)
    output = tmp_path / "d.csv"
    call(trained("gan"), *paths, f"--output={output}")
    (row,) = rows_of(output)
    assert float(row["feature_distance"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "names", "message"),
    [
        ("vae", ["a/x.png", "a/y.png"], "A VAE cannot discriminate"),
        ("vae", ["a"], "A VAE cannot discriminate"),
        ("gan", ["a"], "A GAN cannot reconstruct"),
        ("gan", ["a", "b"], r"same names\. .*b lacks 1: y\.png"),
        ("gan", ["a", "empty"], "empty holds no images"),
        ("gan", ["a", "a/x.png"], "two images, two folders, one folder or one"),
        ("gan", ["a", "a", "a"], "two images, two folders, one folder or one"),
        ("gan", [], r"Give two images.*Received: nothing\."),
        ("gan", ["a/x.png", "b/note.png"], r"Not an image: .*note\.png"),
    ],
)
def test_what_cannot_be_compared(
    trained, folder, tmp_path, kind, names, message
):
    folder("a", x=1, y=2)
    folder("b", x=1)
    (tmp_path / "b" / "note.png").write_text("not an image")
    if names == ["a", "b"]:
        (tmp_path / "b" / "note.png").unlink()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        call(trained(kind), *[tmp_path / name for name in names])


def test_files_that_are_not_there(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*none"):
        call(trained("gan"), tmp_path / "none")


@pytest.mark.parametrize(
    "flag", ["--labels=l.csv", "--roc=roc.png", "--condition=Hat"]
)
def test_flags_of_one_folder(trained, folder, flag):
    place = folder("a", x=1, y=2)
    message = rf"^{flag.partition('=')[0]} is for one folder, whose images"
    with pytest.raises(ValueError, match=message):
        call(trained("gan"), place / "x.png", place / "y.png", flag)


def test_a_curve_needs_labels(trained, folder):
    message = r"^--roc needs to know which images are anomalous: give --labels"
    with pytest.raises(ValueError, match=message):
        call(trained("vaegan"), folder("a", x=1), "--roc=roc.png")


def test_an_output_of_another_kind_is_refused_at_once(trained, tmp_path):
    with pytest.raises(ValueError, match=r"--output must end in \.json or"):
        call(trained("gan"), tmp_path / "none", "--output=d.xls")


ROWS = [
    {"image": "a.png", "score": 0.123456, "label": "normal"},
    {"image": "long, name.png", "score": 12.0, "label": "anomalous"},
]


def test_columns_are_aligned():
    assert distance.table(ROWS).splitlines() == [
        "image            score  label",
        "a.png           0.1235  normal",
        "long, name.png      12  anomalous",
    ]


def test_long_tables_are_cut():
    lines = distance.table(ROWS * 1000, shown=3).splitlines()
    assert len(lines) == 5
    assert lines[-1] == "... and 1,997 more"


def test_csv_holds_every_digit(tmp_path):
    distance.write(tmp_path / "in" / "t.csv", ROWS, {"step": 4})
    with open(tmp_path / "in" / "t.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{k: str(v) for k, v in row.items()} for row in ROWS]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["t.csv"]


def test_json_holds_more(tmp_path):
    distance.write(tmp_path / "t.json", ROWS, {"step": 4})
    content = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert content == {"step": 4, "rows": ROWS}


@pytest.mark.parametrize("path", [None, "a.csv", "b/c.json"])
def test_outputs_that_can_be_written(path):
    distance.DistanceSettings(output=path)


@pytest.mark.parametrize("path", ["a.txt", "csv", "out/"])
def test_outputs_that_are_refused(path):
    message = r"^--output must end in \.json or \.csv\. Received: "
    with pytest.raises(ValueError, match=message):
        distance.DistanceSettings(output=path)


def test_maps_stand_below_the_images(trained, folder, tmp_path):
    place, output = folder("a", one=1, two=2), tmp_path / "map.png"
    call(trained("vaegan"), place / "one.png", f"--map={output}")
    figure = pictures.read_png(output)
    # Image, reconstruction and map, with two pixels around each.
    assert figure.shape == (3 * 32 + 8, 32 + 4, 3)
    np.testing.assert_array_equal(figure[2:34, 2:34], picture(1))


def test_maps_that_would_be_too_large_are_refused(folder, monkeypatch):
    monkeypatch.setattr(distance, "MOST_IN_MAP", 5)
    place = folder("a", one=1, two=2)
    with pytest.raises(ValueError, match=r"at most 1 images\. Received: 2"):
        call("none", place, "--map=map.png")
