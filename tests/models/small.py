"""Networks small enough to write down again in NumPy, and their twin.

An objective's gradient is found a second way: by central finite differences
on the NumPy twin, in float64, all other networks being held fixed.
"""

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf.noise import Purpose

BATCH, SIDE, LATENT, FEATURES = 3, 2, 2, 4
PIXELS = SIDE * SIDE
STEP = 1e-6


def dense(units, inputs, name):
    layer = keras.layers.Dense(units, name=name)
    layer.build((None, inputs))
    return layer


def central_differences(weights, objective, step=STEP):
    """The gradient of a function of no arguments, in arrays that it reads."""
    gradients = []
    for weight in weights:
        gradient = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            before = weight[index]
            weight[index] = before + step
            above = objective()
            weight[index] = before - step
            gradient[index] = (above - objective()) / (2 * step)
            weight[index] = before
        gradients.append(gradient)
    return gradients


class SmallEncoder(keras.Model):
    def __init__(self):
        super().__init__(name="encoder")
        self.image_shape = (SIDE, SIDE, 1)
        self.latent_dim, self.num_attributes = LATENT, 0
        self.mean = dense(LATENT, PIXELS, "mean")
        self.log_variance = dense(LATENT, PIXELS, "log_variance")

    def call(self, example, training=None):
        flat = keras.ops.reshape(example["image"], (-1, PIXELS))
        return {
            "mean": self.mean(flat),
            "log_variance": self.log_variance(flat),
        }


class SmallDecoder(keras.Model):
    def __init__(self):
        super().__init__(name="decoder")
        self.image_shape = (SIDE, SIDE, 1)
        self.latent_dim, self.num_attributes = LATENT, 0
        self.pixels = dense(PIXELS, LATENT, "pixels")

    def call(self, codes, training=None):
        flat = keras.ops.tanh(self.pixels(codes["latent"]))
        return keras.ops.reshape(flat, (-1, SIDE, SIDE, 1))


class SmallDiscriminator(keras.Model):
    def __init__(self):
        super().__init__(name="discriminator")
        self.image_shape = (SIDE, SIDE, 1)
        self.num_attributes = 0
        self.hidden = dense(FEATURES, PIXELS, "hidden")
        self.logit = dense(1, FEATURES, "logit")

    def call(self, inputs, training=None):
        flat = keras.ops.reshape(inputs["image"], (-1, PIXELS))
        features = keras.ops.tanh(self.hidden(flat))
        return {"features": [features], "logit": self.logit(features)}

    def update_variances(self, features):
        """It has no running variances."""


class SmallCritic(keras.Model):
    """A discriminator of codes."""

    def __init__(self):
        super().__init__(name="critic")
        self.logit = dense(1, LATENT, "logit")

    def call(self, latent, training=None):
        return self.logit(keras.ops.tanh(latent))


MAKERS = {
    "encoder": SmallEncoder,
    "decoder": SmallDecoder,
    "discriminator": SmallDiscriminator,
    "critic": SmallCritic,
}


def make(model_class, **settings):
    """A model on small networks, the same whenever it is made."""
    keras.utils.set_random_seed(3)
    networks = {name: MAKERS[name]() for name in model_class.networks}
    group = model_class.Settings(ema_momentum=0, **settings)
    return model_class(networks, group, seed=5)


def image_batch(count=BATCH):
    noise = np.random.default_rng(7).uniform(-1, 1, (count, SIDE, SIDE, 1))
    return noise.astype(np.float32)


class Twin:
    """The same model in NumPy: weights by network, terms by method."""

    def __init__(self, model, image):
        self.image = image.reshape(-1, PIXELS).astype(np.float64)
        self.weights = {
            name: [w.astype(np.float64) for w in weights]
            for name, weights in weights_of(model).items()
        }
        count = len(image)
        self.epsilon = model.standard_normal(count, Purpose.POSTERIOR, True)
        self.prior = model.standard_normal(count, Purpose.PRIOR, True)

    def encode(self):
        kernel_m, bias_m, kernel_v, bias_v = self.weights["encoder"]
        return (
            self.image @ kernel_m + bias_m,
            self.image @ kernel_v + bias_v,
        )

    def code(self):
        mean, log_variance = self.encode()
        return mean + np.exp(log_variance / 2) * np.asarray(self.epsilon)

    def decode(self, latent):
        kernel, bias = self.weights["decoder"]
        return np.tanh(np.asarray(latent) @ kernel + bias)

    def discriminate(self, flat):
        kernel, bias, kernel_l, bias_l = self.weights["discriminator"]
        features = np.tanh(flat @ kernel + bias)
        return features, (features @ kernel_l + bias_l)[:, 0]

    def kl(self):
        mean, log_variance = self.encode()
        each = mean**2 + np.exp(log_variance) - log_variance - 1
        return np.mean(0.5 * each.sum(axis=1))

    def uniformity(self):
        mean, _ = self.encode()
        lengths = np.sqrt((mean**2).sum(axis=1))
        cosines = mean @ mean.T / np.outer(lengths, lengths)
        closeness = np.exp(np.sqrt(LATENT) * cosines)
        others = closeness.sum(axis=1) - np.diag(closeness)
        return np.mean(np.log(others / (len(mean) - 1)))

    def reconstruction(self):
        return self.decode(self.code())

    def pixel_nll(self):
        error = (self.image - self.reconstruction()) ** 2
        return np.mean(0.5 * error.sum(axis=1))

    def feature_nll(self, scale):
        real, _ = self.discriminate(self.image)
        fake, _ = self.discriminate(self.reconstruction())
        unit = np.sqrt(real.var(axis=0) + 1e-6) if scale == "batch" else 1
        return np.mean(0.5 * (((real - fake) / unit) ** 2).sum(axis=1))

    def real(self):
        return mean_softplus(-self.discriminate(self.image)[1])

    def reconstructed(self, as_real=False):
        logit = self.discriminate(self.reconstruction())[1]
        return mean_softplus(-logit if as_real else logit)

    def generated(self, as_real=False):
        logit = self.discriminate(self.decode(self.prior))[1]
        return mean_softplus(-logit if as_real else logit)

    def hinge(self, flat, sign):
        """Mean of max(0, 1 − logit), or of max(0, 1 + logit) for fakes."""
        _, logit = self.discriminate(flat)
        return np.mean(np.maximum(0, 1 - sign * logit))

    def mean_logit(self):
        """That of reconstructions and generated images."""
        fakes = [self.reconstruction(), self.decode(self.prior)]
        return np.mean([self.discriminate(flat)[1] for flat in fakes])

    def feature_pull(self):
        """∂/∂image of the sum of feature errors, at the reconstructions."""
        kernel = self.weights["discriminator"][0]
        real, _ = self.discriminate(self.image)
        fake, _ = self.discriminate(self.reconstruction())
        error = (fake - real) / (real.var(axis=0) + 1e-6)
        return (error * (1 - fake**2)) @ kernel.T

    def fooling_pull(self, flat):
        """∂/∂image of the sum of −logit / 2, at some images."""
        kernel, _, kernel_l, _ = self.weights["discriminator"]
        features, _ = self.discriminate(flat)
        return -0.5 * ((1 - features**2) * kernel_l[:, 0]) @ kernel.T

    def penalty(self):
        """(‖∂logit/∂image‖ − 1)² at the real images."""
        kernel, bias, kernel_l, _ = self.weights["discriminator"]
        features = np.tanh(self.image @ kernel + bias)
        slope = ((1 - features**2) * kernel_l[:, 0]) @ kernel.T
        return np.mean((np.sqrt((slope**2).sum(axis=1)) - 1) ** 2)

    def critic_logit(self):
        kernel, bias = self.weights["critic"]
        return (np.tanh(self.code()) @ kernel + bias)[:, 0]

    def gradient(self, network, objective):
        """Central differences in every weight of one network."""
        weights = self.weights[network]
        return central_differences(weights, lambda: objective(self))

    def gradients(self, objectives):
        return {
            name: self.gradient(name, objective)
            for name, objective in objectives.items()
        }

    def descend(self, gradients, rate):
        """Steps against gradients, all of them found before."""
        for name, values in gradients.items():
            for weight, gradient in zip(self.weights[name], values):
                weight -= rate * gradient


def mean_softplus(logit):
    return np.mean(np.log1p(np.exp(logit)))


def weights_of(model):
    return {name: getattr(model, name).get_weights() for name in model.networks}


def step_gradients(model, image):
    """What one training step subtracts, by plain gradient descent of rate 1."""
    model.compile(keras.optimizers.SGD(1.0))
    before = weights_of(model)
    model.optimize(tf.constant(image))
    after = weights_of(model)
    return {
        name: [old - new for old, new in zip(before[name], after[name])]
        for name in before
    }


def assert_close(received, expected):
    """Compares gradients, or weights, by network."""
    assert set(received) == set(expected)
    for name, arrays in expected.items():
        for ours, theirs in zip(received[name], arrays):
            np.testing.assert_allclose(
                ours, theirs, atol=2e-6, rtol=1e-4, err_msg=name
            )


def distance(ours, theirs):
    """The greatest difference between two lists of arrays."""
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs))
