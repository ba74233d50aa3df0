"""The weights that come with the package."""

import hashlib
import json
import pathlib

import numpy as np
import pytest

import vaegan_tf.pretrained
from vaegan_tf.attributes import attribute_vectors
from vaegan_tf.pretrained import (
    find_run,
    load_pretrained,
    names,
    pretrained_run,
)

HOME = pathlib.Path(vaegan_tf.pretrained.__file__).parent


@pytest.fixture(scope="module")
def run():
    return pretrained_run("avatars64")


@pytest.fixture(scope="module")
def model():
    return load_pretrained("avatars64")


def test_the_package_brings_avatars():
    assert names() == ["avatars64"]
    sizes = [p.stat().st_size for p in (HOME / "avatars64").rglob("*.*")]
    assert sum(sizes) <= 6_000_000


def test_its_card_is_of_these_files(run):
    card = json.loads((run.folder / "card.json").read_text())
    assert card["licence"] == "Apache-2.0"
    assert card["commit"]
    assert card["scores"]
    for name, file in card["files"].items():
        content = (run.folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_it_reconstructs_avatars(run, model):
    image = run.examples("test", 32)["image"]
    error = np.mean((model.reconstruct(image).numpy() - image) ** 2)
    assert error < np.mean((image - image.mean(axis=0)) ** 2) / 4


def test_a_run_is_found_by_folder_and_weights_by_name(tmp_path, monkeypatch):
    assert find_run("avatars64") == pretrained_run("avatars64")
    assert find_run("avatars64", "photos").source_dir == "photos"
    assert not find_run(tmp_path / "nothing").exists
    monkeypatch.chdir(tmp_path)
    (tmp_path / "avatars64").mkdir()
    assert find_run("avatars64").folder.resolve() == tmp_path / "avatars64"


def test_its_vectors_are_of_its_codes(run, model):
    """Added to codes without the attribute, they lead to those with it."""
    example = run.examples("test", 32)
    known = run.read()["attribute_names"]
    vectors = attribute_vectors(run)
    codes = model.encode(example["image"])["mean"].numpy()
    present = example["attributes"][:, known.index("Sunglasses")] > 0.5
    row = vectors.names.index("Sunglasses")
    shares = codes @ vectors.vectors["balanced"][row]
    assert shares[present].mean() > shares[~present].mean()


def test_unknown_names_are_refused(tmp_path):
    for name in ("avatars65", tmp_path, "../avatars64"):
        with pytest.raises(
            ValueError, match=r"no pretrained weights .*avatars"
        ):
            load_pretrained(name)
