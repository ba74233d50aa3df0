"""The measurements themselves, on small networks."""

import keras
import pytest

from benchmarks import ceilings, kernels, ours


@pytest.fixture(autouse=True)
def _same_precision_after():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def test_train_times_the_steps_that_count():
    answer = ours.train(
        "float32", image_size=32, width=0.05, batch_size=4, timed=2
    )
    assert len(answer["seconds"]) == 2
    assert all(0 < s < answer["first_step_seconds"] for s in answer["seconds"])
    assert answer["precision"] == "float32"


def test_wait_is_part_of_the_step(tiny_dir):
    data = {"name": "avatars/tiny", "data_dir": str(tiny_dir)}
    answer = ours.train_on(
        {**data, "image_size": 64}, "flip", width=0.05, batch_size=4
    )
    assert len(answer["waiting_seconds"]) == len(answer["seconds"]) == 3
    for waited, second in zip(answer["waiting_seconds"], answer["seconds"]):
        assert 0 < waited < second


def test_curves_have_a_number_for_each_step(tiny_dir):
    data = {"name": "avatars/tiny", "data_dir": str(tiny_dir)}
    arguments = {"batch_size": 4, "width": 0.05, "image_size": 32}
    first, second, other = (
        ours.curves(
            {**data, "image_size": 32},
            "float32",
            3,
            noise_seed=seed,
            **arguments,
        )["numbers"]
        for seed in (0, 0, 1)
    )
    assert len(first["kl"]) == 3
    assert first["kl"] == second["kl"]
    assert first["generated"] != other["generated"]


def test_ceilings_are_speeds(monkeypatch):
    monkeypatch.setattr(ceilings, "SIZES", (64,))
    found = ceilings.measure(repeats=1)
    assert set(found) == {"float32", "bfloat16"}
    assert min(found.values()) > 0


def test_kernels_are_timed_in_both_forms(monkeypatch):
    monkeypatch.setattr(kernels, "BATCH_SIZE", 1)
    names = ("convolution from images", "fully connected")
    layers = {name: kernels.LAYERS[name] for name in names}
    monkeypatch.setattr(kernels, "LAYERS", layers)
    rows = kernels.time_layers(repeats=1)["rows"]
    assert len(rows) == len(kernels.PRECISIONS) * len(names)
    for row in rows:
        assert all(min(row[column]) > 0 for column in kernels.COLUMNS)
