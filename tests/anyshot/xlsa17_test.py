import numpy as np
import pytest
import scipy.io

from tests.anyshot.conftest import ATTRIBUTES, toy_arrays, write_shots
from vaegan_tf.anyshot.dataset import load_features
from vaegan_tf.anyshot.features import LOCATIONS
from vaegan_tf.anyshot.xlsa17 import read_xlsa17


def test_everything_is_read_and_counts_from_0(toy):
    table = read_xlsa17(toy)
    features, splits = toy_arrays()
    assert table.features.dtype == np.float32
    np.testing.assert_allclose(table.features, features["features"].T, 1e-6)
    assert (table.labels[0], table.labels[-1]) == (0, 5)
    np.testing.assert_array_equal(table.class_attributes, ATTRIBUTES)
    for name in LOCATIONS:
        expected = splits[f"{name}_loc"].ravel() - 1
        np.testing.assert_array_equal(table.locations[name], expected)
    assert table.name == "toy"
    assert table.class_names[0] == "class 1"


def test_names_of_classes_are_those_of_the_file(write):
    folder = write()
    arrays = scipy.io.loadmat(folder / "att_splits.mat")
    names = np.empty((6, 1), object)
    names[:, 0] = ["ant", "bee", "cow", "dog", "elk", "fox"]
    arrays["allclasses_names"] = names
    scipy.io.savemat(folder / "att_splits.mat", arrays)
    assert read_xlsa17(folder).class_names[4:] == ("elk", "fox")


def changed(name, change):
    for arrays in toy_arrays():
        if name in arrays:
            array = np.array(arrays[name], float)
            return {name: change(array)}
    raise LookupError(name)


def put(row, column, value):
    def change(array):
        array[row, column] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "features",
            put(2, 4, np.nan),
            r"1 of 120 features hold NaN or infinity, the first .* number 5",
        ),
        (
            "labels",
            lambda array: array[:-1],
            "there are 120 features and 119 labels",
        ),
        (
            "labels",
            put(0, 0, 9),
            "class 9 has no attributes: `att` has columns for classes 1 to 6",
        ),
        ("labels", put(0, 0, 0), "class 0 has no attributes"),
        (
            "att",
            put(slice(None), 1, 0),
            "all attributes of class 2 are 0",
        ),
        ("att", put(0, 0, np.inf), "attributes in `att` are NaN or infinite"),
        (
            "val_loc",
            put(0, 0, 121),
            "`val_loc` holds the index 121, and there are 120 features",
        ),
        ("train_loc", put(0, 0, 0), "`train_loc` holds the index 0"),
        ("labels", put(3, 0, 1.5), "`labels` of .* must hold whole numbers"),
        ("val_loc", put(3, 0, np.nan), "`val_loc` of .*hold whole numbers"),
        ("test_seen_loc", lambda array: array[:0], "`test_seen_loc` is empty"),
        (
            "trainval_loc",
            put(0, 0, 120),
            "class 6 is in `trainval_loc` and in `test_unseen_loc`",
        ),
        (
            "train_loc",
            put(0, 0, 41),
            "class 3 is in `train_loc` and in `val_loc`",
        ),
        ("att", lambda array: None, "att_splits.mat lacks `att`"),
        ("features", lambda array: "text", "`features` .*no matrix of numbers"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(write, name, change, message):
    with pytest.raises(ValueError, match=message) as raised:
        read_xlsa17(write(**changed(name, change)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {(4, 9): 80},
            r"row 5 of `sample_idx_split` holds the index 80, which",
        ),
        ({(5, 0): 0}, r"row 6 .* index 0, which is no example of class 6"),
        ({(5, 0): 121}, r"row 6 of `sample_idx_split` holds the index 121"),
    ],
)
def test_bad_shots_are_refused(write, changes, message):
    folder = write_shots(write(), changes)
    with pytest.raises(ValueError, match=message):
        read_xlsa17(folder, shots_file="shots.mat")


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            {"train_base_loc": [[121]]},
            "`train_base_loc` holds the index 121, and there are 120 features",
        ),
        ({"test_novel_loc": np.zeros((0, 1))}, "`test_novel_loc` is empty"),
        (
            {"test_base_loc": [[81]]},
            "class 5 is in `test_base_loc` and in `test_novel_loc`",
        ),
        ({"val_loc": [[0]]}, "`val_loc` holds the index 0"),
    ],
)
def test_a_bad_few_shot_split_is_told_by_its_own_names(write, split, message):
    folder = write_shots(write(), **split)
    with pytest.raises(ValueError, match=message):
        read_xlsa17(folder, shots_file="shots.mat")


def test_what_a_file_of_shots_lacks_is_named(write):
    folder = write()
    with pytest.raises(FileNotFoundError, match=r"lacks shots\.mat.*holds"):
        read_xlsa17(folder, shots_file="shots.mat")
    with pytest.raises(ValueError, match=r"lacks `sample_idx_split`.*features"):
        read_xlsa17(folder, shots_file="res101.mat")
    rows = {"sample_idx_split": np.ones((5, 3))}
    scipy.io.savemat(folder / "shots.mat", rows)
    with pytest.raises(ValueError, match=r"att_splits.mat lacks `train_base_"):
        read_xlsa17(folder, shots_file="shots.mat")
    write_shots(folder)
    scipy.io.savemat(folder / "shots.mat", rows)
    with pytest.raises(ValueError, match="5 rows, and there are 6 classes"):
        read_xlsa17(folder, shots_file="shots.mat")
    with pytest.raises(
        ValueError, match="must be left out for avatars_anyshot"
    ):
        load_features(shots_file="shots.mat")


def test_version_73_is_named(write):
    folder = write()
    content = b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + b"0"
    (folder / "res101.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"version 7\.3.*option -v7"):
        read_xlsa17(folder)


@pytest.mark.parametrize("content", [b"", b"no such file", b"\0" * 300])
def test_damaged_files_are_named(write, content):
    folder = write()
    (folder / "res101.mat").write_bytes(content)
    with pytest.raises(ValueError, match=r"res101\.mat (is damaged|lacks)"):
        read_xlsa17(folder)


def test_what_is_missing_is_named(write, tmp_path):
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        read_xlsa17(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"lacks base\.mat"):
        read_xlsa17(write(), "base.mat")
    with pytest.raises(ValueError, match="needs `source_dir`"):
        load_features("xlsa17")
    with pytest.raises(ValueError, match="must be avatars_anyshot or xlsa17"):
        load_features("imagenet")
