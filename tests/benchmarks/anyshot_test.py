"""The benchmark of f-VAEGAN-D2: the same computation, and its table."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import anyshot
from vaegan_tf import noise
from vaegan_tf.noise import Purpose

SIZES = {"num_features": 5, "num_attributes": 3, "hidden_units": 4}
MIXING = {
    "prior_mixing": Purpose.INTERPOLATION,
    "novel_mixing": Purpose.NOVEL_INTERPOLATION,
}
CODES = {
    "posterior": Purpose.POSTERIOR,
    "prior": Purpose.PRIOR,
    "novel": Purpose.NOVEL,
}
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra bench"
)


@needs_torch
def test_torch_has_the_same_losses_and_gradients():
    import torch

    from benchmarks.torch_features import FVAEGAND2

    model, _ = anyshot.create(**SIZES)
    (batch,) = anyshot.batches(1, batch_size=6, **SIZES)
    names = list(model.networks)
    with tf.GradientTape(persistent=True) as tape:
        terms = model.terms(
            {k: tf.constant(v) for k, v in batch.items()}, training=True
        )
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        expected = model.objectives(means)
    seed, step = model.noise_of(True)
    draws = {
        name: noise.normal([6, model.latent_dim], seed, step, purpose)
        for name, purpose in CODES.items()
    } | {
        name: noise.uniform([6, 1], seed, step, purpose)
        for name, purpose in MIXING.items()
    }
    twin = FVAEGAND2(*SIZES.values(), {"gamma": 10.0, "novel_gamma": 10.0})
    for name in names:
        weights = getattr(model, name).trainable_weights
        parameters = list(twin.networks[name].parameters())
        assert len(weights) == len(parameters)
        for weight, parameter in zip(weights, parameters):
            parameter.data = torch.from_numpy(weight.numpy().T.copy())
    found = twin.losses(
        tuple(map(torch.from_numpy, batch.values())),
        {k: torch.from_numpy(v.numpy()) for k, v in draws.items()},
    )
    gradients = twin.gradients(found, names)
    for name in names:
        np.testing.assert_allclose(
            found[name].item(), expected[name], rtol=1e-5
        )
        weights = getattr(model, name).trainable_weights
        ours = tape.gradient(expected[name], weights)
        for one, other in zip(ours, gradients[name]):
            np.testing.assert_allclose(
                other.numpy(), one.numpy().T, rtol=1e-3, atol=1e-5
            )
        assert max(np.abs(one).max() for one in ours) > 1e-3


def test_a_step_and_an_epoch_are_timed():
    sizes = {**SIZES, "batch_size": 2}
    found = anyshot.train(warm_up=1, timed=2, **sizes)
    assert len(found["seconds"]) == 2
    assert 0 < max(found["seconds"]) < found["first_step_seconds"]
    found = anyshot.classify(epochs=2, count=8, num_features=3)
    assert len(found["seconds"]) == 2


def fake(function, **arguments):
    seconds = {"anyshot": 0.5, "torch_features": 2.0}
    return {"seconds": [seconds[function.split(":")[0]]]}


@pytest.mark.parametrize("has_torch", [True, False])
def test_the_table_compares_with_torch(monkeypatch, has_torch):
    monkeypatch.setattr(
        anyshot.importlib.util, "find_spec", lambda _: has_torch or None
    )
    text = anyshot.report(anyshot.measure(fake))
    assert ("4.00 ×" in text) == has_torch
    assert (anyshot.NO_TORCH in text) != has_torch
