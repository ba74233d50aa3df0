import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.models import VAE, create_model
from vaegan_tf.models import chain as chain_module
from vaegan_tf.models.chain import Chain, hand_over, independent_rows

IMAGE = tf.random.stateless_uniform((2, 32, 32, 3), (1, 2), -1, 1)


class Scale(keras.Model):
    """Multiplies by its one weight."""

    def __init__(self, weight):
        super().__init__()
        self.weight = self.add_weight(shape=(), name="weight")
        self.weight.assign(weight)

    def call(self, inputs):
        return self.weight * inputs


def test_gradients_of_two_networks_by_hand():
    # y = a x, z = b y; terms s = y^2 and t = z with x = 3, a = 2, b = 5.
    # The first minimises 4 s + 2 t, its weight's gradient is
    # 4 * 2 a x^2 + 2 b x = 144 + 30; the second 10 t: 10 a x = 60.
    first, second = Scale(2.0), Scale(5.0)
    chain = Chain({"first": first, "second": second})
    with chain.recording():
        y = first(tf.constant(3.0))
        square = tf.square(y)
        (y,) = hand_over("first", [y])
        z = second(y)
    gradients = chain.gradients(
        terms={"first": {"s": square}, "second": {"t": z}},
        objectives={"first": {"s": 4.0, "t": 2.0}, "second": {"t": 10.0}},
        penalties={"first": [], "second": []},
        scales={"first": 1.0, "second": 1.0},
    )
    assert float(gradients["first"][0]) == pytest.approx(174.0)
    assert float(gradients["second"][0]) == pytest.approx(60.0)


def test_each_network_has_its_scale_and_its_penalty():
    # As above without s; the penalties are a^2 and b^2, the scales 8 and 1/2:
    # 8 * (2 b x + 2 a) = 272 and (10 a x + 2 b) / 2 = 35.
    first, second = Scale(2.0), Scale(5.0)
    chain = Chain({"first": first, "second": second})
    with chain.recording():
        (y,) = hand_over("first", [first(tf.constant(3.0))])
        z = second(y)
        penalties = {
            "first": [tf.square(first.weight)],
            "second": [tf.square(second.weight)],
        }
    gradients = chain.gradients(
        terms={"first": {}, "second": {"t": z}},
        objectives={"first": {"t": 2.0}, "second": {"t": 10.0}},
        penalties=penalties,
        scales={"first": tf.constant(8.0), "second": 0.5},
    )
    assert float(gradients["first"][0]) == pytest.approx(272.0)
    assert float(gradients["second"][0]) == pytest.approx(35.0)


def test_nothing_is_cut_unless_a_chain_records():
    tensors = [tf.constant(1.0)]
    assert hand_over("encoder", tensors) is tensors


def test_nothing_is_cut_behind_the_last_network():
    network = Scale(2.0)
    tensors = [tf.constant(1.0)]
    with Chain({"decoder": network}).recording():
        assert hand_over("decoder", tensors) is tensors
        assert hand_over("discriminator", tensors) is tensors


@pytest.mark.parametrize(
    ("rows", "kept", "shares"),
    [
        (
            {"a": [1, 2], "b": [2, 4]},
            ["a"],
            {"a": [1], "b": [2]},
        ),
        (
            {"a": [0, 1], "b": [1, 0], "c": [0.0025, -1]},
            ["a", "b"],
            {"a": [1, 0], "b": [0, 1], "c": [-1, 0.0025]},
        ),
        (
            {"a": [1, 0], "b": [0, 0], "c": [1, 1e-3]},
            ["a", "c"],
            {"a": [1, 0], "b": [0, 0], "c": [0, 1]},
        ),
        ({"a": []}, ["a"], {"a": [1]}),
    ],
)
def test_rows_become_combinations_of_few(rows, kept, shares):
    found, weights = independent_rows(rows)
    assert found == kept
    assert set(weights) == set(shares)
    for name, share in shares.items():
        np.testing.assert_allclose(weights[name], share, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "settings", "passes"),
    [
        ("vae", {}, {"encoder": 1, "decoder": 1}),
        ("gan", {}, {"decoder": 1, "discriminator": 1}),
        (
            "gan",
            {"adversarial": "non_saturating"},
            {"decoder": 1, "discriminator": 2},
        ),
        ("vaegan", {}, {"encoder": 1, "decoder": 2, "discriminator": 2}),
        (
            "vaegan",
            {"adversarial": "non_saturating"},
            {"encoder": 1, "decoder": 2, "discriminator": 3},
        ),
    ],
)
def test_no_network_is_passed_back_through_needlessly(
    monkeypatch, model, settings, passes
):
    counts = collections.Counter()
    pass_back = Chain._pass_back

    def counted(self, name, *args):
        counts[name] += 1
        return pass_back(self, name, *args)

    monkeypatch.setattr(chain_module.Chain, "_pass_back", counted)
    model = create_model(model, image_size=32, width=0.05, **settings)
    model.compile(keras.optimizers.SGD(0.1))
    model.optimize({"image": IMAGE})
    assert counts == passes


def test_objectives_that_are_no_weighted_sums_are_refused():
    class Squared(VAE):
        def objectives(self, terms):
            return {"encoder": terms["kl"] ** 2, "decoder": terms["kl"]}

    vae = create_model("vae", image_size=32, width=0.05)
    model = Squared(vae.encoder, vae.decoder)
    model.compile(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match=r"weighted sums.*the encoder"):
        model.optimize({"image": IMAGE})


def test_a_network_that_hands_nothing_over_is_named():
    first, second = Scale(2.0), Scale(5.0)
    chain = Chain({"first": first, "second": second})
    with chain.recording():
        z = second(first(tf.constant(3.0)))
    with pytest.raises(ValueError, match=r"the first .* must `hand_over`"):
        chain.gradients(
            terms={"first": {}, "second": {"t": z}},
            objectives={"first": {"t": 2.0}, "second": {"t": 10.0}},
            penalties={"first": [], "second": []},
            scales={"first": 1.0, "second": 1.0},
        )
