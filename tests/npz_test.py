"""Arrays in files that are damaged, too large or something else."""

import os
import random
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from soak.mutations import mutated
from vaegan_tf import files
from vaegan_tf.evaluation.inception import Inception
from vaegan_tf.sampling import kept_mixture
from vaegan_tf.settings import GenerativeSettings


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.arange(9.0), two=np.eye(2))
    return tmp_path / "a.npz"


def test_arrays_by_name(path):
    arrays = files.read_npz(path)
    assert sorted(arrays) == ["one", "two"]
    np.testing.assert_array_equal(arrays["two"], np.eye(2))


def test_damage_is_named(path):
    valid = path.read_bytes()
    for seed in range(100):
        path.write_bytes(mutated(valid, random.Random(seed)))
        said = str(path)
        try:
            files.read_npz(path)
        except ValueError as error:
            said = str(error)
        assert str(path) in said


def test_objects_are_not_unpickled(path):
    np.savez(path, one=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match=r"a\.npz is damaged: Object arrays"):
        files.read_npz(path)


def test_what_does_not_fit_into_memory_is_not_read(path, monkeypatch):
    monkeypatch.setattr(files, "MAX_ARRAY_BYTES", 100)
    with pytest.raises(ValueError, match=r"a\.npz is damaged: its arrays have"):
        files.read_npz(path)
    header = path.parent / "one.npy"
    with header.open("wb") as file:
        claim = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
        np.lib.format.write_array_header_1_0(file, claim)
    monkeypatch.undo()
    with zipfile.ZipFile(path, "w") as file:
        file.write(header, "one.npy")
    with pytest.raises(ValueError, match=r"a\.npz is damaged"):
        files.read_npz(path)


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe", "npy"])
def test_what_is_no_such_file(tmp_path, kind):
    path = tmp_path / "x.npz"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.eye(2))
    with pytest.raises((FileNotFoundError, ValueError), match=r"x\.npz"):
        files.read_npz(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"fc.weight": np.zeros(())},
        {"fc.weight": np.zeros((3, 4))},
        {"Conv2d_1a_3x3.conv.weight": np.zeros((3, 4))},
        {
            f"Conv2d_1a_3x3.{part}": np.array(["text"])
            for part in ("bn.weight", "bn.running_var", "conv.weight")
        },
    ],
)
def test_weights_that_are_none_of_inception(path, arrays):
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"a\.npz (is|holds)"):
        Inception(path)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.zeros(())},
        {"weights": np.ones((2, 2))},
        {"means": np.zeros((2, 4))},
        {"scales": np.zeros((2, 3))},
        {"step": np.array("x")},
        {"step": np.zeros(2)},
        {"step": np.array(8)},
        {"means": np.zeros((1, 3))},
    ],
)
def test_a_mixture_of_another_form_is_fitted_anew(path, change):
    whole = {
        "step": np.array(7),
        "weights": np.full(2, 0.5),
        "means": np.zeros((2, 3)),
        "scales": np.zeros((2, 3, 3)),
    }
    run = SimpleNamespace(
        mixture=path,
        settings=SimpleNamespace(model=GenerativeSettings(latent_dim=3)),
        checkpoint_step=lambda checkpoint: 7,
    )
    np.savez(path, **whole)
    assert kept_mixture(run) is not None
    assert kept_mixture(run, num_components=2) is not None
    assert kept_mixture(run, num_components=3) is None
    np.savez(path, **whole | change)
    assert kept_mixture(run) is None


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"three": (None,)}, r"another model: three must be numbers of the sh"),
        (
            {"one": (8,)},
            r"one must be .* shape \(8,\)\. Received: \(9,\) of fl",
        ),
        ({"two": (None,)}, r"two must be numbers .*Received: \(2, 2\)"),
    ],
)
def test_arrays_of_other_shapes_are_refused(path, shapes, message):
    files.read_npz(path, {"one": (9,), "two": (None, 2)})
    with pytest.raises(ValueError, match=message):
        files.read_npz(path, shapes)
