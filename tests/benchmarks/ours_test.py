"""The measurements themselves, on small networks."""

import keras
import pytest

from benchmarks import ceilings, ours, recipe
from vaegan_tf.networks import Discriminator

SMALL = {"batch_size": 4, "width": 0.05, "image_size": 32}


@pytest.fixture(autouse=True)
def _same_precision_after():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def test_train_times_the_steps_that_count():
    answer = ours.train(precision="float32", timed=2, **SMALL)
    assert len(answer["seconds"]) == 2
    assert all(0 < s < answer["first_step_seconds"] for s in answer["seconds"])
    assert answer["precision"] == "float32"


@pytest.fixture
def tiny(tiny_dir):
    """Arguments of `load_dataset`."""
    return {
        "name": "avatars/tiny",
        "data_dir": str(tiny_dir),
        "image_size": 32,
    }


def test_wait_is_part_of_the_step(tiny):
    answer = ours.train_on(tiny, "flip", **SMALL)
    assert len(answer["waiting_seconds"]) == len(answer["seconds"]) == 3
    for waited, second in zip(answer["waiting_seconds"], answer["seconds"]):
        assert 0 < waited < second


def test_curves_have_a_number_for_each_step(tiny):
    first, other = (
        ours.curves(tiny, 3, precision="float32", noise_seed=seed, **SMALL)[
            "numbers"
        ]
        for seed in (0, 1)
    )
    assert {"kl", "generated", "encoder_loss"} <= first.keys()
    assert {len(values) for values in first.values()} == {3}
    # Weights and images are the same, and noise is not.
    assert first["kl"][0] == other["kl"][0]
    assert first["real"][0] == other["real"][0]
    assert first["generated"][0] != other["generated"][0]


def test_ceilings_are_speeds():
    found = ceilings.measure(repeats=1, sizes=(64,))
    assert set(found) == {"float32", "bfloat16"}
    assert min(found.values()) > 0


def test_experiment_refuses_unknown_settings():
    with pytest.raises(ValueError, match="A vae has no setting adversarial"):
        recipe.experiment("vae", adversarial="minimax")


def test_loss_weights_are_for_the_features_that_there_are():
    features = Discriminator(feature_layers=(3,)).num_features
    assert recipe.LOSS_WEIGHTS["gamma"] == 41 / features
    assert recipe.LOSS_WEIGHTS["kl_weight"] == features / 820
