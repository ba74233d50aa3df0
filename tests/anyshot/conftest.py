"""A folder in the layout xlsa17 that tests write themselves."""

import numpy as np
import pytest
import scipy.io

# Of six classes; 1 to 4 are seen, 3 and 4 of them for validation.
ATTRIBUTES = np.array(
    [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1]], float
)
PER_CLASS = 20
WIDTH = 8


def toy_arrays(noise=0.05):
    """Features that are a linear map of attributes and a little noise."""
    draw = np.random.default_rng(3)
    linear = draw.normal(size=(3, WIDTH))
    labels = np.repeat(np.arange(6), PER_CLASS)
    features = ATTRIBUTES[labels] @ linear
    features += noise * draw.normal(size=features.shape)
    rows = np.arange(len(labels)) + 1
    within = (rows - 1) % PER_CLASS
    seen, is_test = labels < 4, within >= 15
    splits = {
        "trainval_loc": rows[seen & ~is_test],
        "train_loc": rows[labels < 2],
        "val_loc": rows[seen & (labels >= 2)],
        "test_seen_loc": rows[seen & is_test],
        "test_unseen_loc": rows[labels >= 4],
    }
    return (
        {"features": features.T, "labels": labels[:, None] + 1},
        {"att": ATTRIBUTES.T, **{k: v[:, None] for k, v in splits.items()}},
    )


def write_toy(folder, noise=0.05, **changes):
    """Writes the folder; `changes` replace arrays by name, `None` drops one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, arrays in zip(("res101", "att_splits"), toy_arrays(noise)):
        arrays |= {k: v for k, v in changes.items() if k in arrays}
        arrays = {k: v for k, v in arrays.items() if v is not None}
        scipy.io.savemat(folder / f"{name}.mat", arrays)
    return folder


def write_shots(folder, changes=None, **split):
    """Writes `shots.mat`, the last ten of each class, and its split beside it.

    `changes` replace indices by (row, column); `split` arrays of the split.
    """
    rows = np.arange(6 * PER_CLASS).reshape(6, PER_CLASS)[:, :9:-1] + 1
    for place, value in (changes or {}).items():
        rows[place] = value
    scipy.io.savemat(folder / "shots.mat", {"sample_idx_split": rows})
    _, splits = toy_arrays()
    novel = np.arange(80, 120).reshape(2, PER_CLASS)[:, :10] + 1
    splits |= {
        "train_base_loc": splits["trainval_loc"],
        "test_base_loc": splits["test_seen_loc"],
        "test_novel_loc": novel.reshape(-1, 1),
        **split,
    }
    scipy.io.savemat(folder / "att_splits.mat", splits)
    return folder


@pytest.fixture
def write(tmp_path):
    """A function that writes the folder with some arrays changed."""

    def make(**changes):
        return write_toy(tmp_path / "toy", **changes)

    return make


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """The folder as it is."""
    return write_toy(tmp_path_factory.mktemp("xlsa17") / "toy")
