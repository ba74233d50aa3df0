"""Terms and gradients beside the same model in NumPy, and closed forms."""

import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.small import central_differences
from vaegan_tf import losses
from vaegan_tf.models import kinds, model_class
from vaegan_tf.noise import Purpose
from vaegan_tf.training.fused_optimizers import FusedAdam

D, A, Z, UNITS, BATCH = 4, 3, 2, 5, 6
OFFSET, UNIT = [0.5, 0.0, -1.0, 2.0], [2.0, 1.0, 4.0, 0.5]
KINDS = ("f_vae", "f_wgan", "f_vaegan", "f_vaegan_d2")
every_kind = pytest.mark.parametrize("kind", KINDS)
every_way = pytest.mark.parametrize("observation", ["bernoulli", "gaussian"])


def make(kind, **settings):
    keras.utils.set_random_seed(1)
    cls = model_class(kind)
    group = cls.Settings(latent_dim=Z, hidden_units=UNITS, **settings)
    widths = {"num_features": D, "num_attributes": A}
    return cls.create(group, seed=4, offset=OFFSET, unit=UNIT, **widths)


def batch(count=BATCH, seed=0):
    draw = np.random.default_rng(seed)

    def features():
        scaled = draw.uniform(0, 1, (count, D))
        return np.float32(scaled * UNIT + OFFSET)

    return {
        "feature": features(),
        "attributes": np.float32(draw.normal(size=(count, A))),
        "novel_feature": features(),
        "novel_attributes": np.float32(draw.normal(size=(count, A))),
    }


LAYERS = {
    "encoder": ("hidden", "mean", "log_variance"),
    "decoder": ("hidden", "output"),
    "critic": ("hidden", "score"),
    "novel_critic": ("hidden", "score"),
}


def weights_of(model):
    """Kernel and bias of each layer in turn, by network."""
    return {
        name: [
            weight.astype(float)
            for layer in LAYERS[name]
            for weight in getattr(model, name)
            .get_layer(f"{name}_{layer}")
            .get_weights()
        ]
        for name in model.networks
    }


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Twin:
    """The model in NumPy, in float64."""

    def __init__(self, model, example):
        self.weights, self.settings = weights_of(model), model.settings
        self.c, self.novel_c = (
            example["attributes"],
            example["novel_attributes"],
        )
        self.x, self.novel_x = (
            (np.float64(example[key]) - OFFSET) / UNIT
            for key in ("feature", "novel_feature")
        )
        normal = functools.partial(model._normal, tf.constant(self.c))
        self.codes = {
            purpose: normal(purpose, True).numpy().astype(float)
            for purpose in (Purpose.POSTERIOR, Purpose.PRIOR, Purpose.NOVEL)
        }
        seed, step = model.noise_of(True)
        self.mixing = {
            purpose: model_noise(seed, step, purpose)
            for purpose in (Purpose.INTERPOLATION, Purpose.NOVEL_INTERPOLATION)
        }

    def posterior(self):
        kernel, bias, kernel_m, bias_m, kernel_v, bias_v = self.weights[
            "encoder"
        ]
        inputs = np.concatenate([self.x, self.c], 1)
        hidden = np.maximum(inputs @ kernel + bias, 0)
        return hidden @ kernel_m + bias_m, hidden @ kernel_v + bias_v

    def outputs(self, code, attributes):
        kernel, bias, kernel_x, bias_x = self.weights["decoder"]
        hidden = np.concatenate([code, attributes], 1) @ kernel + bias
        return np.maximum(hidden, 0) @ kernel_x + bias_x

    def mean(self, code, attributes):
        outputs = self.outputs(code, attributes)
        is_unit = self.settings.observation == "bernoulli"
        return sigmoid(outputs) if is_unit else outputs

    def score(self, x, attributes, name="critic"):
        kernel, bias, kernel_s, bias_s = self.weights[name]
        inputs = x if attributes is None else np.concatenate([x, attributes], 1)
        hidden = inputs @ kernel + bias
        return (np.where(hidden > 0, 1, 0.2) * hidden @ kernel_s + bias_s)[:, 0]

    def penalty(self, real, fake, mixing, attributes, name):
        """(‖∇ₓD‖ − 1)², the slope of a network of one hidden layer."""
        kernel, bias, kernel_s, _ = self.weights[name]
        between = mixing * real + (1 - mixing) * fake
        inputs = (
            between
            if attributes is None
            else np.concatenate([between, attributes], 1)
        )
        slopes = np.where(inputs @ kernel + bias > 0, 1, 0.2)
        gradient = (slopes * kernel_s[:, 0]) @ kernel[:D].T
        return (np.sqrt((gradient**2).sum(1)) - 1) ** 2

    def code(self):
        mean, log_variance = self.posterior()
        return mean + np.exp(log_variance / 2) * self.codes[Purpose.POSTERIOR]

    def kl(self):
        mean, log_variance = self.posterior()
        each = mean**2 + np.exp(log_variance) - log_variance - 1
        return 0.5 * each.sum(1)

    def reconstruction_nll(self):
        outputs = self.outputs(self.code(), self.c)
        if self.settings.observation == "gaussian":
            return 0.5 * ((self.x - outputs) ** 2).sum(1)
        p = sigmoid(outputs)
        each = self.x * np.log(p) + (1 - self.x) * np.log(1 - p)
        return -each.sum(1)

    def reconstructed(self):
        return self.score(self.mean(self.code(), self.c), self.c)

    def generated(self):
        fake = self.mean(self.codes[Purpose.PRIOR], self.c)
        return self.score(fake, self.c)

    def real(self):
        return self.score(self.x, self.c)

    def critic_penalty(self):
        fake = self.mean(self.codes[Purpose.PRIOR], self.c)
        mixing = self.mixing[Purpose.INTERPOLATION]
        return self.penalty(self.x, fake, mixing, self.c, "critic")

    def novel_real(self):
        return self.score(self.novel_x, None, "novel_critic")

    def novel_generated(self):
        fake = self.mean(self.codes[Purpose.NOVEL], self.novel_c)
        return self.score(fake, None, "novel_critic")

    def novel_penalty(self):
        fake = self.mean(self.codes[Purpose.NOVEL], self.novel_c)
        mixing = self.mixing[Purpose.NOVEL_INTERPOLATION]
        return self.penalty(self.novel_x, fake, mixing, None, "novel_critic")

    def term(self, name):
        return getattr(self, "critic_penalty" if name == "penalty" else name)()


def model_noise(seed, step, purpose):
    from vaegan_tf import noise

    return noise.uniform([BATCH, 1], seed, step, purpose).numpy().astype(float)


@every_kind
@every_way
def test_terms_are_those_of_the_twin(kind, observation):
    model = make(kind, observation=observation)
    example = batch()
    twin = Twin(model, example)
    terms = model.terms(model.as_example(example), training=True)
    assert set(terms) == set(model.term_names)
    for name, term in terms.items():
        np.testing.assert_allclose(
            term, twin.term(name), rtol=1e-4, atol=1e-5, err_msg=name
        )


def objectives(twin, kind):
    """What each network of a kind minimises, with γ 2, γ' 3, β ½ and λ 4."""

    def mean(name):
        return np.mean(twin.term(name))

    def encoder():
        value = 0.5 * mean("kl") + mean("reconstruction_nll")
        return value - (2 * mean("reconstructed") if "gan" in kind else 0)

    def decoder():
        value = 0.0
        if kind != "f_wgan":
            value += mean("reconstruction_nll")
        if kind != "f_vae":
            value -= 2 * mean("generated")
        if kind in ("f_vaegan", "f_vaegan_d2"):
            value -= 2 * mean("reconstructed")
        if kind == "f_vaegan_d2":
            value -= 3 * mean("novel_generated")
        return value

    def critic():
        return mean("generated") - mean("real") + 4 * mean("penalty")

    def novel_critic():
        gap = mean("novel_generated") - mean("novel_real")
        return gap + 4 * mean("novel_penalty")

    return {
        "encoder": encoder,
        "decoder": decoder,
        "critic": critic,
        "novel_critic": novel_critic,
    }


WEIGHTS = {
    "f_vae": {"kl_weight": 0.5},
    "f_wgan": {"gamma": 2.0, "penalty_weight": 4.0, "critic_steps": 1},
}
WEIGHTS["f_vaegan"] = {**WEIGHTS["f_vae"], **WEIGHTS["f_wgan"]}
WEIGHTS["f_vaegan_d2"] = {**WEIGHTS["f_vaegan"], "novel_gamma": 3.0}


@every_kind
@every_way
def test_a_step_goes_against_the_gradients_of_the_twin(kind, observation):
    model = make(
        kind, observation=observation, ema_momentum=0.0, **WEIGHTS[kind]
    )
    example = batch()
    twin = Twin(model, example)
    expected = {
        name: central_differences(twin.weights[name], objective)
        for name, objective in objectives(twin, kind).items()
        if name in model.networks
    }
    before = weights_of(model)
    model.compile(keras.optimizers.SGD(1.0))
    model.optimize(example)
    after = weights_of(model)
    for name, gradients in expected.items():
        for old, new, gradient in zip(before[name], after[name], gradients):
            np.testing.assert_allclose(
                old - new, gradient, rtol=2e-3, atol=2e-5, err_msg=name
            )
        assert any(np.abs(g).max() > 1e-3 for g in gradients)


@pytest.mark.parametrize(("length", "expected"), [(0.5, 0.25), (3.0, 4.0)])
def test_the_penalty_of_a_linear_critic(length, expected):
    # D(x) = w·x has the slope w everywhere: (‖w‖ − 1)².
    direction = tf.constant([[0.6], [-0.8]]) * length
    draw = np.random.default_rng(0)
    real, fake = tf.constant(np.float32(draw.normal(size=(2, 5, 2))))
    mixing = tf.constant(np.float32(draw.uniform(size=(5, 1))))
    penalty = losses.gradient_penalty(
        lambda x: tf.squeeze(x @ direction, -1), real, fake, mixing
    )
    np.testing.assert_allclose(penalty, [expected] * 5, rtol=1e-5)


def test_the_penalty_is_measured_between_real_and_generated():
    # D(x) = ½‖x‖² has the slope x: at mixing · (4, 0) it is 4 · mixing.
    real, fake = tf.constant([[4.0, 0.0]] * 3), tf.zeros((3, 2))
    mixing = tf.constant([[0.0], [0.25], [1.0]])
    penalty = losses.gradient_penalty(
        lambda x: 0.5 * tf.reduce_sum(x**2, -1), real, fake, mixing
    )
    np.testing.assert_allclose(penalty, [1.0, 0.0, 9.0], atol=1e-5)


def test_bernoulli_nll_of_known_numbers():
    # Of p = ½ it is log 2 for any target; of logit log 3, p = ¾.
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), 0.0]])
    target = tf.constant([[0.2, 1.0], [1.0, 0.0]])
    expected = [2 * np.log(2), np.log(4 / 3) + np.log(2)]
    nll = losses.bernoulli_nll(target, tf.cast(logits, tf.float32))
    np.testing.assert_allclose(nll, expected, rtol=1e-6)


def test_critics_step_five_times_and_the_others_once():
    model = make("f_vaegan_d2")
    model.compile(keras.optimizers.SGD(0.01))
    model.optimize(batch())
    steps = {n: int(o.iterations) for n, o in model.optimizers.items()}
    expected = {"encoder": 1, "decoder": 1, "critic": 5, "novel_critic": 5}
    assert steps == expected
    assert int(model.step) == 1


@every_kind
def test_generated_features_are_in_the_units_of_the_data(kind):
    model = make(kind)
    attributes = batch()["attributes"]
    drawn = model.generate(attributes, 3).numpy()
    low, high = np.array(OFFSET), np.add(OFFSET, UNIT)
    assert (drawn > low).all()
    assert (drawn < high).all()
    np.testing.assert_array_equal(drawn, model.generate(attributes, 3))
    assert np.abs(drawn - model.generate(attributes, 4)).max() > 1e-4
    others = model.generate(attributes + 1, 3)
    assert np.abs(drawn - others).max() > 1e-4


@every_kind
def test_a_saved_model_resumes_as_if_never_saved(kind, tmp_path):
    has_critic = "critic" in model_class(kind).networks
    model = make(kind, **({"critic_steps": 2} if has_critic else {}))
    model.compile(FusedAdam(1e-3, beta_1=0.5))
    model.fit(batch(), batch_size=3, epochs=2, shuffle=False, verbose=0)
    assert int(model.step) == 4
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    for one in (model, loaded):
        one.optimize(batch())
    for ours, theirs in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_features_are_drawn_by_the_average():
    model = make("f_vae", ema_momentum=0.9)
    model.compile(keras.optimizers.SGD(0.1))
    first = model.decoder.get_weights()
    model.optimize(batch())
    # At the first step the momentum is (1 + 0) / (10 + 0).
    for average, old, new in zip(
        model.decoder_ema.get_weights(), first, model.decoder.get_weights()
    ):
        np.testing.assert_allclose(average, 0.1 * old + 0.9 * new, atol=1e-6)
    assert model.in_use("decoder") is model.decoder_ema
    bare = make("f_vae", ema_momentum=0.0)
    assert bare.in_use("decoder") is bare.decoder


def test_two_replicas_step_as_one(two_replicas, on_both):
    def compiled():
        model = make("f_vaegan_d2", critic_steps=2)
        model.compile(keras.optimizers.SGD(1e-2))
        return model

    data = batch(5)
    one = compiled()
    expected = one.train_step(data)
    with two_replicas.scope():
        two = compiled()
    halves = [
        {k: v[rows] for k, v in data.items()} for rows in (np.s_[:3], np.s_[3:])
    ]
    for received in on_both(two.train_step, *halves):
        for name, value in expected.items():
            np.testing.assert_allclose(
                received[name], value, rtol=1e-3, atol=1e-5, err_msg=name
            )


def test_they_generate_and_do_not_sample():
    assert set(kinds("generate")) == set(KINDS)
    assert not set(kinds("sample")) & set(KINDS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"feature": np.zeros((2, 5))}, r"`feature` .*\(batch, 4\).*\(2, 5\)"),
        ({"attributes": np.zeros((2, 2))}, r"`attributes` .*\(batch, 3\)"),
        ({"novel_feature": None}, r"`novel_feature` .*Received: None"),
    ],
)
def test_bad_examples_are_refused(change, message):
    example = {k: v for k, v in (batch() | change).items() if v is not None}
    with pytest.raises(ValueError, match=message):
        make("f_vaegan_d2").optimize(example)


def test_a_scale_of_another_width_is_refused():
    cls = model_class("f_vae")
    with pytest.raises(ValueError, match=r"`offset` and `unit` must hold 4"):
        cls.create(
            cls.Settings(hidden_units=3),
            num_features=4,
            num_attributes=2,
            offset=[0.0],
            unit=[1.0],
        )
