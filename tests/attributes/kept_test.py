import logging
import shutil

import numpy as np
import pytest

from vaegan_tf.attributes import attribute_vectors
from vaegan_tf.runs import Run


@pytest.fixture
def run(trained, tmp_path):
    """A function that copies a finished run, to write into it."""
    return lambda kind: Run(shutil.copytree(trained(kind), tmp_path / kind))


def computed(caplog):
    return [m for m in caplog.messages if m.startswith("Computed vectors")]


def test_vectors_are_computed_once_and_kept(run, caplog):
    run = run("vaegan")
    caplog.set_level(logging.INFO, logger="absl")
    first = attribute_vectors(run, min_examples=3)
    assert len(computed(caplog)) == 1
    again = attribute_vectors(run, min_examples=3)
    assert len(computed(caplog)) == 1
    assert (first.names, first.left_out) == (again.names, again.left_out)
    np.testing.assert_array_equal(first.counts, again.counts)
    for kind, rows in first.vectors.items():
        assert rows.shape == (len(first.names), 4)
        np.testing.assert_array_equal(rows, again.vectors[kind])
        np.testing.assert_array_equal(
            first.accuracies[kind], again.accuracies[kind]
        )
    attribute_vectors(run, min_examples=3, anew=True)
    assert len(computed(caplog)) == 2


@pytest.mark.parametrize("change", ["step", "counts", "damage"])
def test_stale_or_damaged_vectors_are_computed_again(run, caplog, change):
    run = run("vaegan")
    caplog.set_level(logging.INFO, logger="absl")
    vectors = attribute_vectors(run, min_examples=3)
    if change == "damage":
        run.vectors.write_bytes(run.vectors.read_bytes()[:100])
    else:
        arrays = dict(np.load(run.vectors))
        arrays["step"] += change == "step"
        arrays["counts"] = arrays["counts"][: None if change == "step" else 1]
        np.savez(run.vectors, **arrays)
    again = attribute_vectors(run, min_examples=3)
    assert len(computed(caplog)) == 2
    np.testing.assert_array_equal(
        vectors.vectors["plain"], again.vectors["plain"]
    )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gan", "A GAN cannot encode"),
        ("conditional", "is conditional: .* Vectors are for models trained"),
    ],
)
def test_models_without_vectors(run, kind, message):
    with pytest.raises(ValueError, match=message):
        attribute_vectors(run(kind))
