import keras
import numpy as np
import pytest

from tests.toy import make_toy, make_toy_vae
from vaegan_tf.settings import OptimisationSettings
from vaegan_tf.training.fused_optimizers import FusedAdam
from vaegan_tf.training.muon import Muon
from vaegan_tf.training.optimizers import (
    AuthorsDecay,
    compile_model,
    network_rates,
)

NETWORKS = ("encoder", "decoder")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.9),
        # (1/16)^0.75 = 1/8 of the way from 0.9 to 0.1.
        (100, 0.8),
        (1600, 0.1),
        (3200, 0.1),
    ],
)
def test_authors_decay(step, expected):
    decay = AuthorsDecay(0.9, 0.1, 1600)
    np.testing.assert_allclose(decay(step), expected, rtol=1e-6)


def test_authors_decay_between():
    # (16/81)^0.75 = 8/27, and 1 − 8/27 · (1 − 0.1) = 11/15.
    np.testing.assert_allclose(AuthorsDecay(1, 0.1, 81)(16), 11 / 15, rtol=1e-6)


def test_authors_decay_is_saved_with_what_uses_it():
    optimizer = keras.optimizers.RMSprop(AuthorsDecay(0.9, 0.1, 1600))
    config = keras.optimizers.serialize(optimizer)
    restored = keras.optimizers.deserialize(config)
    np.testing.assert_allclose(restored.learning_rate, 0.9, rtol=1e-6)


def optimizers(**settings):
    """The optimizers that a VAE is compiled with."""
    model = make_toy_vae()
    settings = {"learning_rate_decay": "none", **settings}
    schedules = compile_model(model, OptimisationSettings(**settings))
    assert not schedules
    return model.optimizers


def test_cosine_decay():
    schedules = compile_model(
        make_toy(),
        OptimisationSettings(
            train_steps=300,
            learning_rate=0.9,
            learning_rate_decay="cosine",
            final_learning_rate=0.1,
        ),
    )
    # cos(π/3) = ½, and (1 + ½) / 2 = ¾ of the way from 0.1 to 0.9.
    actual = [float(schedules["decoder"](step)) for step in (0, 100, 300, 400)]
    np.testing.assert_allclose(actual, [0.9, 0.7, 0.1, 0.1], rtol=1e-5)


def test_linear_decay_is_a_straight_line():
    settings = OptimisationSettings(
        train_steps=300,
        learning_rate=0.9,
        learning_rate_decay="linear",
        final_learning_rate=0.3,
    )
    rate = compile_model(make_toy_vae(), settings)["encoder"]
    actual = [float(rate(step)) for step in (0, 100, 300, 400)]
    np.testing.assert_allclose(actual, [0.9, 0.7, 0.3, 0.3], rtol=1e-5)


def test_each_network_decays_from_its_own_rate():
    schedules = compile_model(
        make_toy_vae(),
        OptimisationSettings(
            train_steps=1600,
            learning_rate=0.9,
            learning_rates=("encoder=0.5",),
            learning_rate_decay="authors",
            final_learning_rate=0.1,
        ),
    )
    actual = {name: float(rate(100)) for name, rate in schedules.items()}
    # 1/8 of the way to 0.1, from 0.5 and from 0.9.
    assert actual == pytest.approx({"encoder": 0.45, "decoder": 0.8})


def test_every_network_has_the_common_rate_or_its_own():
    settings = OptimisationSettings(
        learning_rate=0.1, learning_rates=("decoder=2e-1",)
    )
    rates = network_rates(NETWORKS, settings)
    assert rates == {"encoder": 0.1, "decoder": 0.2}
    common = OptimisationSettings(learning_rate=0.1)
    assert network_rates(NETWORKS, common) == {"encoder": 0.1, "decoder": 0.1}


def test_rmsprop_is_that_of_the_authors():
    made = optimizers(
        optimizer="rmsprop",
        learning_rate=3e-4,
        learning_rates=("decoder=0.5",),
    )
    assert list(made) == ["encoder", "decoder"]
    assert made["encoder"] is not made["decoder"]
    for optimizer in made.values():
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        assert (optimizer.rho, optimizer.epsilon) == (0.9, 1e-8)
        assert optimizer.momentum == 0
    actual = [float(o.learning_rate) for o in made.values()]
    np.testing.assert_allclose(actual, [3e-4, 0.5], rtol=1e-6)


@pytest.mark.parametrize(("name", "cls"), [("adam", FusedAdam), ("muon", Muon)])
def test_adam_and_muon_take_beta_1(name, cls):
    optimizer = optimizers(optimizer=name, learning_rate=0.25, beta_1=0.75)[
        "decoder"
    ]
    assert type(optimizer) is cls
    assert (optimizer.beta_1, float(optimizer.learning_rate)) == (0.75, 0.25)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("decoder=-1", r"positive rates\. Received: 'decoder=-1'"),
        ("decoder=0", r"positive rates\. Received: 'decoder=0'"),
        ("decoder=inf", r"positive rates\. Received: 'decoder=inf'"),
        ("decoder=fast", r"positive rates\. Received: 'decoder=fast'"),
        ("decoder", r"positive rates\. Received: 'decoder'"),
        (
            "discriminator=0.1",
            "may name encoder, decoder, the networks that are trained",
        ),
    ],
)
def test_rates_that_are_refused(rate, message):
    settings = OptimisationSettings(learning_rates=(rate,))
    with pytest.raises(ValueError, match=message):
        network_rates(NETWORKS, settings)
