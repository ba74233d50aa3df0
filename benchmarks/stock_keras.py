"""The same step written with stock Keras, as its guides show it.

Networks, objectives, optimizers and running average are those of
`benchmarks.recipe` at 64×64; no network, loss or optimizer of
`vaegan_tf` is used.
"""

import time

import keras
import tensorflow as tf
from keras import layers

from benchmarks import recipe


def encoder(width=1.0, latent_dim=128):
    """Posterior mean, centred on the prior, and log-variance."""
    image = x = keras.Input((64, 64, 3))
    for filters in (64, 128, 256):
        x = layers.Conv2D(
            round(filters * width), 5, strides=2, padding="same", use_bias=False
        )(x)
        x = norm_relu(x)
    x = layers.Flatten()(x)
    x = layers.Dense(round(2048 * width), use_bias=False)(x)
    x = norm_relu(x)
    mean = layers.Dense(latent_dim, dtype="float32")(x)
    log_variance = layers.Dense(latent_dim, dtype="float32")(x)
    mean = norm(center=False, dtype="float32")(mean)
    posterior = {"mean": mean, "log_variance": log_variance}
    return keras.Model(image, posterior, name="encoder")


def decoder(width=1.0, latent_dim=128):
    """Images in [−1, 1]."""
    channels = round(256 * width)
    latent = x = keras.Input((latent_dim,))
    x = layers.Dense(8 * 8 * channels, use_bias=False)(x)
    x = norm_relu(x)
    x = layers.Reshape((8, 8, channels))(x)
    for filters in (256, 128, 32):
        x = layers.Conv2DTranspose(
            round(filters * width), 5, strides=2, padding="same", use_bias=False
        )(x)
        x = norm_relu(x)
    x = layers.Conv2D(3, 5, padding="same")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")


def discriminator(width=1.0):
    """Logit, and the features of the third strided convolution."""
    image = x = keras.Input((64, 64, 3))
    x = layers.Conv2D(round(32 * width), 5, padding="same")(x)
    x = layers.ReLU()(x)
    for filters in (128, 256, 256):
        x = features = layers.Conv2D(
            round(filters * width), 5, strides=2, padding="same", use_bias=False
        )(x)
        x = norm_relu(x)
    x = layers.Flatten()(x)
    x = layers.Dense(round(512 * width), use_bias=False)(x)
    x = norm_relu(x)
    logit = layers.Dense(1, dtype="float32")(x)
    features = layers.Activation("linear", dtype="float32")(features)
    return keras.Model(image, [logit, features], name="discriminator")


def norm(**options):
    """Batch normalisation with the constants of the authors' code."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-6, **options)


def norm_relu(x):
    """Batch normalisation, then ReLU."""
    return layers.ReLU()(norm()(x))


class VAEGAN(keras.Model):
    """VAE/GAN with one persistent tape.

    Args:
        gamma: Weight of the feature error in the decoder.
        kl_weight: Weight of the divergence in the encoder.
        width: Multiplies the channels and units of every layer.
    """

    def __init__(self, gamma, kl_weight, width=1.0):
        super().__init__()
        self.encoder = encoder(width)
        self.decoder = decoder(width)
        self.discriminator = discriminator(width)
        self.decoder_ema = decoder(width)
        self.decoder_ema.set_weights(self.decoder.get_weights())
        self.decoder_ema.trainable = False
        self.gamma = gamma
        self.kl_weight = kl_weight
        self.steps = tf.Variable(0.0, trainable=False)
        self.networks = (self.encoder, self.decoder, self.discriminator)
        self.rules = [
            keras.optimizers.RMSprop(3e-4, rho=0.9, epsilon=1e-8)
            for _ in self.networks
        ]
        for rule, network in zip(self.rules, self.networks):
            rule.build(network.trainable_variables)

    def train_step(self, images):
        """One step of all networks from the same weights."""
        shape = (tf.shape(images)[0], self.decoder.input_shape[-1])
        noise, prior = tf.random.normal(shape), tf.random.normal(shape)
        losses, gradients = self.gradients(images, noise, prior)
        for rule, network, gradient in zip(
            self.rules, self.networks, gradients
        ):
            rule.apply(gradient, network.trainable_variables)
        self.steps.assign_add(1.0)
        momentum = tf.minimum(0.999, self.steps / (9.0 + self.steps))
        for mean, weight in zip(self.decoder_ema.weights, self.decoder.weights):
            mean.assign(mean + (1.0 - momentum) * (weight - mean))
        return losses

    def gradients(self, images, noise, prior):
        """Losses by name, and each network's gradients of its own."""
        with tf.GradientTape(persistent=True) as tape:
            losses = self.losses_of(images, noise, prior)
        gradients = [
            tape.gradient(losses[network.name], network.trainable_variables)
            for network in self.networks
        ]
        return losses, gradients

    def losses_of(self, images, noise, prior):
        """What each network minimises, by its name."""
        posterior = self.encoder(images, training=True)
        mean, log_variance = posterior["mean"], posterior["log_variance"]
        latent = mean + tf.exp(0.5 * log_variance) * noise
        reconstructed = self.decoder(latent, training=True)
        generated = self.decoder(prior, training=True)
        outputs = [
            self.discriminator(image, training=True)
            for image in (images, reconstructed, generated)
        ]
        (real, target), (remade, features), (made, _) = outputs
        kl = 0.5 * tf.reduce_sum(
            mean**2 + tf.exp(log_variance) - log_variance - 1.0, axis=1
        )
        spread = tf.math.reduce_variance(target, axis=[0, 1, 2])
        scale = tf.stop_gradient(tf.math.rsqrt(spread + 1e-6))
        error = tf.square((target - features) * scale)
        error = tf.reduce_mean(0.5 * tf.reduce_sum(error, axis=[1, 2, 3]))
        telling = tf.reduce_mean(
            tf.nn.softplus(-real)
            + tf.nn.softplus(remade)
            + tf.nn.softplus(made)
        )
        return {
            "encoder": self.kl_weight * tf.reduce_mean(kl) + error,
            "decoder": self.gamma * error - telling,
            "discriminator": telling,
        }


class Clock(keras.callbacks.Callback):
    """Notes how long each batch took."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        """Starts the clock."""
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Stops the clock when the batch's numbers are there."""
        float(logs["discriminator"])
        self.seconds.append(time.perf_counter() - self.start)


def train(
    width=1.0,
    batch_size=64,
    warm_up=1,
    timed=2,
    jit_compile=False,
):
    """Trains on images in memory by `fit`, in float32.

    Args:
        width: Multiplies the channels and units of every layer.
        batch_size: Images in a step.
        warm_up: Steps before those that count.
        timed: Steps that count.
        jit_compile: Whether XLA compiles the step.

    Returns:
        `seconds` of each step that counts, and `first_step_seconds`.
    """
    model = VAEGAN(**recipe.LOSS_WEIGHTS, width=width)
    model.compile(jit_compile=jit_compile)
    images = tf.data.Dataset.from_tensors(recipe.images(batch_size)).repeat()
    clock = Clock()
    model.fit(
        images, steps_per_epoch=warm_up + timed, verbose=0, callbacks=[clock]
    )
    return {
        "seconds": clock.seconds[warm_up:],
        "first_step_seconds": clock.seconds[0],
    }
