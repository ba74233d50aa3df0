"""The other implementations compute what this project computes.

In float64: by rounding in float32 a ReLU may open here and stay closed there,
and the gradients of small networks then differ.
"""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import recipe, stock_keras
from benchmarks.ours import created

WIDTH = 0.0625
BATCH_SIZE = 4
NETWORKS = ("encoder", "decoder", "discriminator")
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra bench"
)


@pytest.fixture(scope="module", autouse=True)
def _float64():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="module")
def inputs():
    """Images and the two draws of noise."""
    generator = np.random.default_rng(3)
    noise = generator.normal(size=(2, BATCH_SIZE, 128)).astype(np.float32)
    return recipe.images(BATCH_SIZE), *noise


@pytest.fixture(scope="module")
def model():
    """VAE/GAN on the networks of the paper, weights not all alike."""
    model = created(recipe.experiment(width=WIDTH))
    generator = np.random.default_rng(1)
    for network in NETWORKS:
        for weight in getattr(model, network).trainable_weights:
            factor = generator.uniform(0.8, 1.2, weight.shape)
            shift = generator.normal(0, 0.01, weight.shape)
            weight.assign(weight * factor + shift)
    return model


@pytest.fixture(scope="module")
def expected(model, inputs):
    """Losses and gradients by network, of this project's own terms."""
    image, *draws = (tf.constant(array) for array in inputs)
    drawn = iter(draws)
    model.standard_normal = lambda *arguments: next(drawn)
    with tf.GradientTape(persistent=True) as tape:
        terms = model.terms({"image": image}, training=True)
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        losses = model.objectives(means)
    gradients = {
        name: tape.gradient(
            losses[name], getattr(model, name).trainable_weights
        )
        for name in NETWORKS
    }
    return losses, gradients


def assert_close(found, expected, scale=None):
    scale = scale or np.abs(expected).max()
    np.testing.assert_allclose(
        found / scale, expected / scale, rtol=0, atol=1e-4
    )


def scale_of(weight):
    """What a gradient is measured in; by default, its largest number.

    A constant added before a batch normalisation changes nothing: the
    gradient of `encoder_mean`'s bias is rounding.
    """
    return 1.0 if weight.path.endswith("encoder_mean/bias") else None


def test_stock_keras_has_the_same_losses_and_gradients(model, inputs, expected):
    losses, gradients = expected
    gamma = model.settings.gamma
    twin = stock_keras.VAEGAN(gamma, model.kl_weight, WIDTH)
    for name in NETWORKS:
        # Twins keep no running variance of features.
        weights = getattr(model, name).weights
        kept = [w.numpy() for w in weights if "_features_" not in w.path]
        getattr(twin, name).set_weights(kept)
    found, found_gradients = twin.gradients(*map(tf.constant, inputs))
    for number, name in enumerate(NETWORKS):
        assert_close(found[name], losses[name])
        assert len(found_gradients[number]) == len(gradients[name])
        weights = getattr(model, name).trainable_weights
        for weight, ours, theirs in zip(
            weights, gradients[name], found_gradients[number]
        ):
            assert_close(theirs, ours, scale_of(weight))


def in_torch(path, array):
    """A weight, or its gradient, in PyTorch's layout and mirrored.

    TensorFlow's "same" padding has one pixel more at the end, PyTorch's
    symmetric one in effect at the beginning.
    """
    layer = path.split("/")[-2]
    channels = round(256 * WIDTH)
    if array.ndim == 4:
        return array[::-1, ::-1].transpose(3, 2, 0, 1).copy()
    if layer in ("encoder_dense", "discriminator_dense"):
        maps = array.reshape(8, 8, channels, -1)[::-1, ::-1]
        return maps.transpose(3, 2, 0, 1).reshape(array.shape[::-1]).copy()
    if layer == "decoder_dense":
        maps = array.reshape(-1, 8, 8, channels)[:, ::-1, ::-1]
        return maps.transpose(3, 1, 2, 0).reshape(array.shape[::-1]).copy()
    if layer == "decoder_dense_norm":
        maps = array.reshape(8, 8, channels)[::-1, ::-1]
        return maps.transpose(2, 0, 1).reshape(-1).copy()
    return array.T.copy()


@needs_torch
@pytest.mark.parametrize("channels_last", [False, True])
def test_torch_has_the_same_losses_and_gradients(
    model, inputs, expected, channels_last
):
    import torch

    from benchmarks import torch_twin

    losses, gradients = expected
    gamma = model.settings.gamma
    twin = torch_twin.VAEGAN(
        gamma, model.kl_weight, WIDTH, channels_last=channels_last
    )
    for name in NETWORKS:
        twin.networks[name].double()
        weights = getattr(model, name).trainable_weights
        parameters = list(twin.networks[name].parameters())
        assert len(weights) == len(parameters)
        with torch.no_grad():
            for weight, parameter in zip(weights, parameters):
                parameter.copy_(
                    torch.from_numpy(in_torch(weight.path, weight.numpy()))
                )
    image, *draws = (torch.from_numpy(array).double() for array in inputs)
    mirrored = image.flip(1, 2).permute(0, 3, 1, 2)
    found, found_gradients = twin.gradients(mirrored, *draws)
    for name in NETWORKS:
        assert_close(found[name].item(), losses[name])
        weights = getattr(model, name).trainable_weights
        for weight, ours, theirs in zip(
            weights, gradients[name], found_gradients[name]
        ):
            ours = in_torch(weight.path, ours.numpy())
            assert_close(theirs.numpy(), ours, scale_of(weight))
