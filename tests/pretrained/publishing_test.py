"""What is published of a run, and what loading it gives."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from vaegan_tf.attributes import attribute_vectors
from vaegan_tf.models import create_model
from vaegan_tf.pretrained import load_pretrained, pretrained_run, publish
from vaegan_tf.runs import Run, published
from vaegan_tf.runs.checkpoints import network_groups


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory):
    """A trained run with attribute vectors and scores."""
    folder = tmp_path_factory.mktemp("published") / "run"
    shutil.copytree(trained("vaegan"), folder)
    run = Run(folder)
    attribute_vectors(run, min_examples=2)
    score = {
        "label": "PSNR",
        "name": "psnr",
        "weights": "ema",
        "group": "reconstructions",
        "sampler": None,
        "value": 12.5,
        "floor": None,
        "better": "higher",
        "num_images": 32,
    }
    command = "vaegan-evaluate --predictor=/home/ada/predictor --seed=0"
    raw = {**score, "weights": "raw", "value": 13.0}  # Not published.
    drawn = {"label": "Recall", "name": "recall", "group": "samples"}
    drawn = {**score, **drawn, "sampler": "prior", "value": 0.5}
    scores = [score, raw, drawn]
    record = {"step": 4, "scores": scores, "command": command}
    run.evaluation.write_text(json.dumps(record))
    return run


@pytest.fixture(scope="module")
def folder(run):
    """What was published of it."""
    folder = run.folder.with_name("faces32")
    publish(run, folder, num_examples=5, licence="CC0-1.0")
    return folder


@pytest.fixture(scope="module")
def models(run, folder):
    """The model before and after."""
    return run.model()[0], load_pretrained(folder)


def values(model):
    return {
        f"{network}/{name}": variable.numpy()
        for network, group in network_groups(model).items()
        for name, variable in group.items()
    }


def test_kernels_are_rounded_to_half_and_all_else_is_kept(models):
    before, after = map(values, models)
    assert set(before) == set(after)
    for name, value in before.items():
        network = name.partition("/")[0]
        name_of_average = name.replace(network, f"{network}_ema", 1)
        used = before.get(name_of_average, value)
        if name.endswith("kernel"):
            np.testing.assert_array_equal(
                after[name], used.astype(np.float16).astype(np.float32)
            )
        else:
            np.testing.assert_array_equal(after[name], used)


def test_images_hardly_differ(run, models):
    model, loaded = models
    image = run.examples("test", 4)["image"]
    for one, other in (
        (model.sample(4, 1), loaded.sample(4, 1)),
        (model.reconstruct(image), loaded.reconstruct(image)),
        (model.discriminate(image), loaded.discriminate(image)),
    ):
        np.testing.assert_allclose(one, other, atol=0.02)


def test_vectors_and_examples_need_no_data_set(run, folder):
    record = json.loads((folder / "run.json").read_text())
    assert record["settings"]["data"]["data_dir"] is None
    loaded = pretrained_run(folder)
    one, other = attribute_vectors(run), attribute_vectors(loaded)
    assert one.names == other.names
    np.testing.assert_array_equal(
        one.vectors["balanced"], other.vectors["balanced"]
    )
    for name, rows in run.examples("test", 5).items():
        kept = loaded.examples("test", 5)[name]
        np.testing.assert_allclose(kept, rows, atol=1e-6)
    assert len(loaded.examples("test", 2)["image"]) == 2
    assert not loaded.keeps("test", 6)
    assert not loaded.keeps("train", 1)


def test_the_card_says_what_was_published(run, folder):
    card = json.loads((folder / "card.json").read_text())
    assert card["name"] == "faces32"
    assert card["licence"] == "CC0-1.0"
    assert card["training"]["steps"] == 4
    assert card["training"]["images"] == 4 * 8
    assert card["dataset"] == "avatars/tiny"
    assert card["image_shape"] == [32, 32, 3]
    assert [score["value"] for score in card["scores"]] == [12.5, 0.5]
    readme = (folder / "README.md").read_text("utf-8")
    assert "| PSNR (reconstructions) | 12.5 |" in readme
    assert "| Recall (samples, prior codes) | 0.5 |" in readme
    assert card["scored_by"] == "vaegan-evaluate --predictor=predictor --seed=0"
    assert set(card["attributes"]) == set(attribute_vectors(run).names)
    assert card["not_for"]
    files = sorted(path for path in folder.rglob("*.npz"))
    assert [*card["files"]] == [str(f.relative_to(folder)) for f in files]
    for path, file in zip(files, card["files"].values()):
        content = path.read_bytes()
        assert file["bytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
    readme = (folder / "README.md").read_text()
    assert "| PSNR (reconstructions) | 12.5 |  | higher | 32 |" in readme
    for text in ("CC0-1.0", "avatars/tiny", *card["not_for"]):
        assert text in readme


def test_no_path_of_this_machine_is_published(run, folder):
    data_dir = run.read()["settings"]["data"]["data_dir"]
    assert data_dir in run.record.read_text()
    for path in folder.rglob("*"):
        if path.suffix in (".json", ".md"):
            text = path.read_text()
            assert data_dir not in text
            assert "/home/ada" not in text


def test_nothing_is_pickled_and_nothing_is_added(folder):
    for path in folder.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype.kind in "fiuU" for name in arrays)
    run = pretrained_run(folder)
    with pytest.raises(ValueError, match="nothing is added to them"):
        run.check_writable()
    with pytest.raises(ValueError, match="nothing is added to them"):
        publish(run, folder.with_name("again"))
    assert not folder.with_name("again").exists()


def test_other_folders_are_not_replaced(run, tmp_path):
    (tmp_path / "ada.txt").touch()
    with pytest.raises(ValueError, match="not published weights"):
        publish(run, tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        publish(run, tmp_path / "ada.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["ada.txt"]


def test_vectors_and_scores_of_another_checkpoint_stay_behind(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "run")
    other = Run(tmp_path / "run")
    (other.checkpoints / "step-4").rename(other.checkpoints / "step-5")
    card = publish(other, tmp_path / "out")
    assert (card["attributes"], card["scores"]) == ({}, [])
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "README.md",
        "card.json",
        "run.json",
        "weights.npz",
    ]


@pytest.fixture(scope="module")
def small():
    return create_model("vae", image_size=32, width=0.05, latent_dim=4)


def test_weights_too_large_for_half_are_refused(small, tmp_path):
    kernel = small.decoder_ema.get_layer("decoder_dense").kernel
    before = kernel.numpy()
    kernel.assign(before + 1e5)
    with pytest.raises(ValueError, match="decoder/decoder_dense/kernel is not"):
        published.write_weights(tmp_path / "weights.npz", small, 1)
    kernel.assign(before)
    assert not any(tmp_path.iterdir())


def changed(arrays, **changes):
    arrays = {**arrays, **changes}
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"step": None}, "step must be"),
        ({"step": np.array(["4"])}, "step must be"),
        ({"encoder/encoder_mean/bias": None}, "encoder_mean/bias must be"),
        ({"encoder/encoder_mean/bias": np.zeros(5)}, r"the shape \(4,\)"),
        ({"encoder/encoder_mean/bias": np.array([{}] * 4)}, "Object arrays"),
    ],
)
def test_damaged_weights_are_named(small, tmp_path, change, problem):
    path = tmp_path / "weights.npz"
    published.write_weights(path, small, 4)
    with np.load(path) as arrays:
        arrays = changed(dict(arrays), **change)
    np.savez(path, **arrays)
    with pytest.raises(
        ValueError, match=rf"weights\.npz is damaged.*{problem}"
    ):
        published.read_weights(path, small)


def test_examples_of_another_size_are_refused(tmp_path):
    path = tmp_path / "examples.npz"
    published.write_examples(path, {"image": np.zeros((2, 8, 8, 3), "f4")})
    assert published.read_examples(path, (8, 8, 3))["image"].shape[0] == 2
    with pytest.raises(ValueError, match="image must be numbers of the shape"):
        published.read_examples(path, (4, 4, 3))
