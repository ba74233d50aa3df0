import io

import numpy as np
import pytest
from PIL import Image

from vaegan_tf.data import avatar_drawing as drawing
from vaegan_tf.data import avatars as pool

COUNT = 3000


@pytest.fixture(scope="module")
def attributes():
    return [drawing.sample_attributes(0, "train", i) for i in range(COUNT)]


def share(attributes, name):
    return np.mean([row[name] for row in attributes])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Eyeglasses", 0.35),
        ("Sunglasses", 0.35),
        ("Hat", 0.25),
        ("Beard", 0.35),
        ("Mustache", 0.35),
        ("Smiling", 0.5),
        ("Mouth_Open", 0.5),
        ("Black_Hair", 0.15),
        ("Blond_Hair", 0.15),
        ("Brown_Hair", 0.15),
        ("Red_Hair", 0.15),
        ("Bald", 0.15),
        ("Long_Hair", 0.3),
        ("Wavy_Hair", 0.3),
        ("Pale_Skin", 0.35),
        ("Dark_Skin", 0.35),
        ("Raised_Eyebrows", 0.5),
        ("Eyes_Closed", 0.325),
    ],
)
def test_attributes_have_their_shares(attributes, name, expected):
    # Four standard deviations of a share of 3,000 are at most 0.037.
    assert share(attributes, name) == pytest.approx(expected, abs=0.037)


def test_every_attribute_is_listed(attributes):
    assert all(tuple(row) == drawing.ATTRIBUTES for row in attributes)
    assert len(drawing.ATTRIBUTES) == 18


@pytest.mark.parametrize(
    "names",
    [
        ("Hat", "Bald", "Black_Hair", "Blond_Hair", "Brown_Hair", "Red_Hair"),
        ("Eyeglasses", "Sunglasses"),
        ("Beard", "Mustache"),
        ("Pale_Skin", "Dark_Skin"),
        ("Sunglasses", "Eyes_Closed"),
        ("Hat", "Long_Hair"),
        ("Bald", "Wavy_Hair"),
    ],
)
def test_exclusions(attributes, names):
    assert max(sum(row[name] for name in names) for row in attributes) == 1


def test_others_are_independent(attributes):
    names = ["Smiling", "Beard", "Hat", "Dark_Skin", "Eyeglasses"]
    values = np.array([[row[n] for n in names] for row in attributes], float)
    correlations = np.corrcoef(values.T) - np.eye(len(names))
    # Its standard deviation is 1/√3000 ≈ 0.018.
    assert np.abs(correlations).max() < 0.075


@pytest.mark.parametrize("index", range(60))
def test_parts_show_the_attributes(index):
    row = drawing.sample_attributes(0, "test", index)
    parts = drawing.sample_parts(0, "test", index)
    glasses, sunglasses = (
        {"PRESCRIPTION_2", "ROUND"},
        {"WAYFARERS", "SUNGLASSES"},
    )
    assert (parts["accessory"] in glasses) == row["Eyeglasses"]
    assert (parts["accessory"] in sunglasses) == row["Sunglasses"]
    assert ("HAT" in parts["top"]) == row["Hat"]
    assert (parts["top"] == "NONE") == row["Bald"]
    assert parts["facial_hair"].startswith("BEARD") == row["Beard"]
    assert parts["facial_hair"].startswith("MOUSTACHE") == row["Mustache"]
    smiles = {"SMILE", "BIG_SMILE", "TWINKLE"}
    assert (parts["mouth"] in smiles) == row["Smiling"]
    assert (parts["mouth"] in {"TWINKLE", "SERIOUS", "SAD"}) != row[
        "Mouth_Open"
    ]
    assert (parts["eyes"] == "CLOSED") == row["Eyes_Closed"]
    assert parts["eyebrows"].startswith("RAISED") == row["Raised_Eyebrows"]


def test_hair_color_is_seen_in_the_picture():
    """The pixel in the middle of the hair has the colour of the attribute."""
    expected = {"Black_Hair": (31, 26, 27), "Red_Hair": (199, 64, 27)}
    for name, color in expected.items():
        index = next(
            i
            for i in range(1000)
            if drawing.sample_attributes(0, "train", i)[name]
            and drawing.sample_parts(0, "train", i)["top"] == "SHORT_FLAT"
        )
        data = drawing.draw(0, "train", index)
        image = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        assert image.shape == (128, 128, 3)
        distances = np.abs(image[:40].astype(int) - color).sum(-1)
        assert (distances < 6).sum() > 300


def test_avatar_is_a_function_of_seed_split_and_index():
    first = drawing.draw(0, "train", 5)
    drawing.draw(0, "train", 6)
    assert drawing.draw(0, "train", 5) == first
    assert drawing.draw(1, "train", 5) != first
    assert drawing.draw(0, "test", 5) != first
    assert drawing.draw(0, "train", 6) != first


def test_pictures_do_not_depend_on_the_number_of_workers():
    here = [drawing.draw(3, "train", index) for index in range(5)]
    assert list(pool.draw_all(3, "train", 5, num_workers=1)) == here
    assert list(pool.draw_all(3, "train", 5, num_workers=3)) == here


def test_a_worker_that_dies_is_an_error(monkeypatch, tmp_path):
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit('no canvas')")
    monkeypatch.setattr(pool, "_PROGRAM", program)
    with pytest.raises(RuntimeError, match="ended early: no canvas"):
        list(pool.draw_all(0, "train", 2))


def test_prepared_avatars_are_the_drawn_ones(avatars):
    assert avatars.attribute_names == drawing.ATTRIBUTES
    sizes = {name: len(split) for name, split in avatars.splits.items()}
    assert sizes == {"train": 160, "validation": 32, "test": 32}
    row = drawing.sample_attributes(0, "test", 7)
    test = avatars.splits["test"]
    np.testing.assert_array_equal(test.attributes[7], list(row.values()))
    image = Image.open(io.BytesIO(drawing.draw(0, "test", 7))).convert("RGB")
    small = np.array(image.resize((32, 32), Image.BILINEAR), int)
    assert np.abs(test.images[7] - small).mean() < 2
