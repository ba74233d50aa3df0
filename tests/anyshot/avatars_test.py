import contextlib
import shutil

import numpy as np
import pytest

from vaegan_tf import locks
from vaegan_tf.anyshot import avatars
from vaegan_tf.data import load_dataset

SIZE = avatars.IMAGE_SIZE


@pytest.fixture(scope="module")
def folder(tiny_dir, tmp_path_factory):
    """Prepared images of this module's own, beside which features are kept."""
    place = tmp_path_factory.mktemp("data") / "tiny"
    return shutil.copytree(tiny_dir, place)


@pytest.fixture(scope="module")
def table(folder):
    return avatars.read_avatars_anyshot(folder, "avatars/tiny")


def test_classes_are_fifty_different_combinations(table):
    rows = {tuple(row) for row in table.class_attributes}
    assert len(rows) == len(table.class_names) == 50
    # Each face has one of each of the four groups.
    assert (table.class_attributes.sum(axis=1) == 4).all()
    seen, novel = table.class_attributes[:40], table.class_attributes[40:]
    assert (novel.max(axis=0) <= seen[:30].max(axis=0)).all()


def test_examples_show_what_their_class_says(table, folder):
    dataset = load_dataset("avatars/tiny", data_dir=folder, image_size=SIZE)
    shown = np.concatenate([s.attributes for s in dataset.splits.values()])
    images = avatars.images_of(folder, "avatars/tiny")
    everything = np.concatenate([s.images for s in dataset.splits.values()])
    assert len(images) == len(table.labels) == len(table.features)
    rows = {image.tobytes(): row for image, row in zip(everything, shown)}
    names = dataset.attribute_names
    for image, label in zip(images, table.labels):
        row = rows[image.tobytes()]
        told = set(table.class_names[label].split("+")) - {"none"}
        groups = {m for group in avatars.GROUPS for m in group if m}
        present = {names[n] for n in np.flatnonzero(row > 0.5)}
        assert present & groups == told


def test_the_split_keeps_classes_and_tests_apart(table):
    labels = {key: set(table.labels[r]) for key, r in table.locations.items()}
    assert max(labels["train"]) < 30 <= min(labels["val"])
    assert max(labels["val"]) < 40 <= min(labels["test_unseen"])
    rows = {key: set(r.tolist()) for key, r in table.locations.items()}
    assert rows["trainval"] == rows["train"] | rows["val"]
    assert not rows["trainval"] & rows["test_seen"]


def test_features_are_computed_once(table, folder, monkeypatch):
    monkeypatch.setattr(avatars, "_features", lambda *_: pytest.fail("again"))
    again = avatars.read_avatars_anyshot(folder, "avatars/tiny")
    np.testing.assert_array_equal(again.features, table.features)


def test_features_are_not_computed_beside_another_process(
    table, folder, monkeypatch
):
    (path,) = folder.rglob("anyshot-*.npz")
    moved = path.rename(path.with_suffix(".moved"))

    @contextlib.contextmanager
    def exclusive(lock):
        moved.rename(path)  # What is waited for.
        yield

    monkeypatch.setattr(locks, "exclusive", exclusive)
    monkeypatch.setattr(avatars, "_features", lambda *_: pytest.fail("again"))
    again = avatars.read_avatars_anyshot(folder, "avatars/tiny")
    np.testing.assert_array_equal(again.features, table.features)


def test_the_network_learns_from_training_classes_alone(folder, monkeypatch):
    dataset = load_dataset("avatars/tiny", data_dir=folder, image_size=SIZE)
    labels, origins = avatars._labels(dataset)
    train = avatars._locations(labels, origins)["train"]
    images, hidden = avatars._images(dataset), labels.copy()
    monkeypatch.setattr(avatars, "EPOCHS", 2)
    first = avatars._features(images, labels, train)
    changed = images.copy()
    others = np.setdiff1d(np.arange(len(images)), train)
    changed[others], hidden[others] = 0, 0
    second = avatars._features(changed, hidden, train)
    np.testing.assert_allclose(
        second[train], first[train], rtol=1e-3, atol=1e-3
    )
    assert np.abs(second[others] - first[others]).max() > 0.1
