"""Each objective's gradient on each network, derived a second way.

The networks are small enough to write their whole forward pass down again in
NumPy, in float64. An objective's gradient is then found by central finite
differences on that second implementation, all other networks being held
fixed, and compared with what the training step hands to the optimizer.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.models import GAN, VAE, VAEGAN, LearnedMetricVAE
from vaegan_tf.noise import Purpose

BATCH, SIDE, LATENT, FEATURES = 3, 2, 2, 4
PIXELS = SIDE * SIDE
STEP = 1e-6


def dense(units, name):
    return keras.layers.Dense(units, name=name)


class SmallEncoder(keras.Model):
    def __init__(self):
        super().__init__(name="encoder")
        self.image_shape = (SIDE, SIDE, 1)
        self.latent_dim, self.num_attributes = LATENT, 0
        self.mean = dense(LATENT, "mean")
        self.log_variance = dense(LATENT, "log_variance")
        for layer in (self.mean, self.log_variance):
            layer.build((None, PIXELS))

    def call(self, example, training=None):
        flat = keras.ops.reshape(example["image"], (-1, PIXELS))
        return {
            "mean": self.mean(flat),
            "log_variance": self.log_variance(flat),
        }


class SmallDecoder(keras.Model):
    def __init__(self, name="decoder"):
        super().__init__(name=name)
        self.image_shape = (SIDE, SIDE, 1)
        self.latent_dim, self.num_attributes = LATENT, 0
        self.pixels = dense(PIXELS, "pixels")
        self.pixels.build((None, LATENT))

    def call(self, codes, training=None):
        flat = keras.ops.tanh(self.pixels(codes["latent"]))
        return keras.ops.reshape(flat, (-1, SIDE, SIDE, 1))


class SmallDiscriminator(keras.Model):
    def __init__(self):
        super().__init__(name="discriminator")
        self.image_shape = (SIDE, SIDE, 1)
        self.num_attributes = 0
        self.hidden = dense(FEATURES, "hidden")
        self.logit = dense(1, "logit")
        self.hidden.build((None, PIXELS))
        self.logit.build((None, FEATURES))

    def call(self, inputs, training=None):
        flat = keras.ops.reshape(inputs["image"], (-1, PIXELS))
        features = keras.ops.tanh(self.hidden(flat))
        return {"features": features, "logit": self.logit(features)}


MAKERS = {
    "encoder": SmallEncoder,
    "decoder": SmallDecoder,
    "discriminator": SmallDiscriminator,
}


def make(model_class, **settings):
    keras.utils.set_random_seed(3)
    networks = {name: MAKERS[name]() for name in model_class.network_names}
    return model_class(**networks, ema_momentum=0, seed=5, **settings)


class Twin:
    """The same model in NumPy: weights by network, objectives by name."""

    def __init__(self, model, image):
        self.image = image.reshape(BATCH, PIXELS).astype(np.float64)
        self.weights = {
            name: [w.numpy().astype(np.float64) for w in network.weights]
            for name, network in (
                (name, getattr(model, name)) for name in model.network_names
            )
        }
        self.epsilon = model.draw(BATCH, Purpose.POSTERIOR, True).numpy()
        self.prior = model.draw(BATCH, Purpose.PRIOR, True).numpy()

    def encode(self):
        kernel_m, bias_m, kernel_v, bias_v = self.weights["encoder"]
        return (
            self.image @ kernel_m + bias_m,
            self.image @ kernel_v + bias_v,
        )

    def decode(self, latent):
        kernel, bias = self.weights["decoder"]
        return np.tanh(latent @ kernel + bias)

    def judge(self, flat):
        kernel, bias, kernel_l, bias_l = self.weights["discriminator"]
        features = np.tanh(flat @ kernel + bias)
        return features, (features @ kernel_l + bias_l)[:, 0]

    def kl(self):
        mean, log_variance = self.encode()
        each = mean**2 + np.exp(log_variance) - log_variance - 1
        return np.mean(0.5 * each.sum(axis=1))

    def reconstruction(self):
        mean, log_variance = self.encode()
        return self.decode(mean + np.exp(log_variance / 2) * self.epsilon)

    def pixel_nll(self):
        error = (self.image - self.reconstruction()) ** 2
        return np.mean(0.5 * error.sum(axis=1))

    def feature_nll(self, scale):
        real, _ = self.judge(self.image)
        fake, _ = self.judge(self.reconstruction())
        spread = np.sqrt(real.var(axis=0) + 1e-6) if scale == "batch" else 1
        return np.mean(0.5 * (((real - fake) / spread) ** 2).sum(axis=1))

    def real(self):
        return np.mean(np.log1p(np.exp(-self.judge(self.image)[1])))

    def reconstructed(self, as_real=False):
        sign = -1 if as_real else 1
        logit = self.judge(self.reconstruction())[1]
        return np.mean(np.log1p(np.exp(sign * logit)))

    def generated(self, as_real=False):
        sign = -1 if as_real else 1
        logit = self.judge(self.decode(self.prior))[1]
        return np.mean(np.log1p(np.exp(sign * logit)))

    def gradient(self, network, objective):
        """Central differences in every weight of one network."""
        gradients = []
        for weight in self.weights[network]:
            gradient = np.zeros_like(weight)
            for index in np.ndindex(weight.shape):
                before = weight[index]
                weight[index] = before + STEP
                above = objective(self)
                weight[index] = before - STEP
                below = objective(self)
                weight[index] = before
                gradient[index] = (above - below) / (2 * STEP)
            gradients.append(gradient)
        return gradients


def image_batch():
    noise = np.random.default_rng(7).uniform(-1, 1, (BATCH, SIDE, SIDE, 1))
    return noise.astype(np.float32)


def step_gradients(model, image):
    """What one training step subtracts, by plain gradient descent of rate 1."""
    model.compile(keras.optimizers.SGD(1.0))
    names = model.network_names
    before = {name: getattr(model, name).get_weights() for name in names}
    model.optimize(tf.constant(image))
    return {
        name: [
            old - new
            for old, new in zip(
                before[name], getattr(model, name).get_weights()
            )
        ]
        for name in names
    }


# Algorithm 1 and its variants, written out network by network.
CASES = {
    "vae": (
        VAE,
        {"kl_weight": 2.0},
        {
            "encoder": lambda t: 2 * t.kl() + t.pixel_nll(),
            "decoder": lambda t: t.pixel_nll(),
        },
    ),
    "gan_minimax": (
        GAN,
        {},
        {
            "decoder": lambda t: -t.generated(),
            "discriminator": lambda t: t.real() + t.generated(),
        },
    ),
    "gan_non_saturating": (
        GAN,
        {"adversarial": "non_saturating", "real_weight": 0.75},
        {
            "decoder": lambda t: t.generated(as_real=True),
            "discriminator": lambda t: 0.75 * t.real() + 0.25 * t.generated(),
        },
    ),
    "vaegan_paper": (
        VAEGAN,
        {"gamma": 0.3},
        {
            "encoder": lambda t: t.kl() + t.feature_nll("unit"),
            "decoder": lambda t: (
                0.3 * t.feature_nll("unit") - t.reconstructed() - t.generated()
            ),
            "discriminator": lambda t: (
                t.real() + t.reconstructed() + t.generated()
            ),
        },
    ),
    "vaegan_authors": (
        VAEGAN,
        {
            "reconstruction_weight": 0.1,
            "discriminate_reconstructions": False,
            "batch_statistics": "paired",
            "real_weight": 0.5,
        },
        {
            "encoder": lambda t: t.kl() + t.feature_nll("unit"),
            "decoder": lambda t: (
                0.1 * t.feature_nll("unit") - 0.9 * t.generated()
            ),
            "discriminator": lambda t: 0.5 * t.real() + 0.5 * t.generated(),
        },
    ),
    "vaegan_non_saturating": (
        VAEGAN,
        {
            "gamma": 0.2,
            "kl_weight": 3.0,
            "adversarial": "non_saturating",
            "feature_scale": "batch",
            "batch_statistics": "separate",
            "real_weight": 0.6,
        },
        {
            "encoder": lambda t: 3 * t.kl() + t.feature_nll("batch"),
            "decoder": lambda t: (
                0.2 * t.feature_nll("batch")
                + t.reconstructed(as_real=True)
                + t.generated(as_real=True)
            ),
            "discriminator": lambda t: (
                0.6 * t.real() + 0.2 * (t.reconstructed() + t.generated())
            ),
        },
    ),
    "learned_metric_vae": (
        LearnedMetricVAE,
        {},
        {
            "encoder": lambda t: t.kl() + t.feature_nll("unit"),
            "decoder": lambda t: t.feature_nll("unit"),
            "discriminator": lambda t: 0.0,
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_network_descends_its_own_objective(case):
    model_class, settings, objectives = CASES[case]
    model, image = make(model_class, **settings), image_batch()
    twin = Twin(model, image)
    expected = {
        name: twin.gradient(name, objective)
        for name, objective in objectives.items()
    }
    received = step_gradients(model, image)
    assert set(received) == set(expected)
    for name, gradients in expected.items():
        for ours, theirs in zip(received[name], gradients):
            np.testing.assert_allclose(
                ours, theirs, atol=2e-6, rtol=1e-4, err_msg=name
            )


@pytest.mark.parametrize(
    ("network", "objective"),
    [
        # Does the decoder also descend the discriminator's cost?
        ("decoder", lambda t: 0.3 * t.feature_nll("unit") + t.generated()),
        # Does L_GAN reach the encoder?
        (
            "encoder",
            lambda t: t.kl() + t.feature_nll("unit") - t.reconstructed(),
        ),
        ("encoder", lambda t: t.kl() + 2 * t.feature_nll("unit")),
        # Does the discriminator minimise the feature error?
        (
            "discriminator",
            lambda t: (
                t.real()
                + t.reconstructed()
                + t.generated()
                + t.feature_nll("unit")
            ),
        ),
    ],
)
def test_the_comparison_would_catch_a_leak_or_a_wrong_sign(network, objective):
    model, image = make(VAEGAN, gamma=0.3), image_batch()
    wrong = Twin(model, image).gradient(network, objective)
    received = step_gradients(model, image)[network]
    assert max(np.abs(a - b).max() for a, b in zip(received, wrong)) > 1e-3


def test_all_networks_step_from_the_same_weights():
    """The log's objectives are those before the step, for every network."""
    model, image = make(VAEGAN, gamma=0.3), image_batch()
    twin = Twin(model, image)
    model.compile(keras.optimizers.SGD(0.5))
    numbers = model.optimize(tf.constant(image))
    for name, objective in CASES["vaegan_paper"][2].items():
        expected = objective(twin)
        if name == "decoder":
            expected -= twin.real()  # L_GAN whole, as the paper has it.
        np.testing.assert_allclose(numbers[f"{name}_loss"], expected, rtol=1e-5)


def test_logged_gradient_norms_are_those_of_the_step():
    model, image = make(VAEGAN, gamma=0.3), image_batch()
    reference = step_gradients(make(VAEGAN, gamma=0.3), image)
    model.compile(keras.optimizers.SGD(1.0))
    numbers = model.optimize(tf.constant(image))
    for name, gradients in reference.items():
        norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
        np.testing.assert_allclose(
            numbers[f"{name}_gradient_norm"], norm, rtol=1e-4
        )
