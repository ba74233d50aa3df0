import keras
import numpy as np
import pytest

from vaegan_tf.training.optimizers import (
    AuthorsDecay,
    compile_model,
    create_optimizers,
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


def test_cosine_decay(make_toy):
    schedules = compile_model(
        make_toy(),
        300,
        learning_rate=0.9,
        learning_rate_decay="cosine",
        final_learning_rate=0.1,
    )
    # cos(π/3) = ½, and (1 + ½) / 2 = ¾ of the way from 0.1 to 0.9.
    found = [float(schedules["decoder"](step)) for step in (0, 100, 300, 400)]
    np.testing.assert_allclose(found, [0.9, 0.7, 0.1, 0.1], rtol=1e-5)


def test_a_decay_that_is_unknown(make_toy):
    message = r"one of \('none', 'authors', 'cosine'\)\. Received: .*'linear'"
    with pytest.raises(ValueError, match=message):
        compile_model(make_toy(), 300, learning_rate_decay="linear")


def test_every_network_has_the_common_rate_or_its_own():
    rates = network_rates(NETWORKS, 0.1, {"decoder": 0.2, "encoder": None})
    assert rates == {"encoder": 0.1, "decoder": 0.2}
    assert network_rates(NETWORKS, 0.1) == {"encoder": 0.1, "decoder": 0.1}


def test_rmsprop_is_that_of_the_authors():
    optimizers = create_optimizers(NETWORKS, learning_rates={"decoder": 0.5})
    assert list(optimizers) == ["encoder", "decoder"]
    assert optimizers["encoder"] is not optimizers["decoder"]
    for optimizer in optimizers.values():
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        assert (optimizer.rho, optimizer.epsilon) == (0.9, 1e-8)
        assert optimizer.momentum == 0
    found = [float(o.learning_rate) for o in optimizers.values()]
    np.testing.assert_allclose(found, [3e-4, 0.5], rtol=1e-6)


def test_adam_takes_beta_1():
    optimizer = create_optimizers(
        ["decoder"], optimizer="adam", learning_rate=0.25, beta_1=0.75
    )["decoder"]
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert (optimizer.beta_1, float(optimizer.learning_rate)) == (0.75, 0.25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"optimizer": "sgd"},
            r"must be one of \('rmsprop', 'adam'\)\. Received: optimizer='sgd'",
        ),
        (
            {"learning_rate": 0},
            r"rate of the encoder must be positive\. Received: 0",
        ),
        (
            {"learning_rates": {"decoder": -1.0}},
            r"rate of the decoder must be positive\. Received: -1\.0",
        ),
        (
            {"learning_rates": {"discriminator": 0.1}},
            r"The discriminator is given .* only these .*: encoder, decoder\.",
        ),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_optimizers(NETWORKS, **arguments)
