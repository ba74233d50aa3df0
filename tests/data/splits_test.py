import numpy as np
import pytest

from vaegan_tf.data import splits


def counts(assigned):
    targets = np.concatenate(list(assigned.values()))
    return np.bincount(targets, minlength=3).tolist()


def test_complete_sources_are_kept():
    sources = {"train": 5, "validation": 2, "test": 3}
    assert splits.is_complete(sources)
    assigned = splits.assign(sources, seed=0)
    assert {name: set(values) for name, values in assigned.items()} == {
        "train": {0},
        "validation": {1},
        "test": {2},
    }


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"train": 100}, [80, 10, 10]),
        ({"train": 100, "test": 40}, [90, 10, 40]),
        ({"train": 100, "val": 7}, [90, 7, 10]),
        ({"train": 3}, [1, 1, 1]),
        ({"train": 50, "unlabelled": 900, "test": 8}, [45, 5, 8]),
    ],
)
def test_missing_splits_are_carved(sources, expected):
    assert counts(splits.assign(sources, seed=0)) == expected


def test_seed_determines_the_lot():
    def lot(seed):
        return splits.assign({"train": 100}, seed)["train"].tolist()

    assert lot(1) == lot(1)
    assert lot(1) != lot(2)


def test_refusals():
    with pytest.raises(ValueError, match=r"split `train`. Received: test"):
        splits.assign({"test": 9}, seed=0)
    with pytest.raises(ValueError, match=r"at least 3 images.*Received: 2"):
        splits.assign({"train": 2}, seed=0)
