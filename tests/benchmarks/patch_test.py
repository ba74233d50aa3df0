"""The benchmark of HP-VAE-GAN: the same computation, and its table."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import patch
from tests.patch.conftest import example, make, tiny_settings
from vaegan_tf import noise
from vaegan_tf.noise import Purpose

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs the extra bench"
)


def first(tensor):
    """Channels first, (..., channels) to PyTorch's order."""
    import torch

    order = np.moveaxis(np.array(tensor), -1, 1)
    return torch.from_numpy(order.copy())


def pairs(network, module):
    """Layers of ours and of PyTorch's that are one."""
    from torch import nn

    kinds = (nn.Conv2d, nn.InstanceNorm2d)
    theirs = [each for each in module.modules() if isinstance(each, kinds)]
    ours = [layer for layer in network.layers if layer.weights]
    ours.sort(key=lambda layer: layer.name.endswith("log_variance"))
    return zip(ours, theirs, strict=True)


def weights_of(layer, module):
    """Pairs of weights that are one: a kernel or scale, and an offset."""
    if hasattr(layer, "gamma"):
        yield layer.gamma, module.weight
        yield layer.beta, module.bias
        return
    is_spectral = hasattr(module, "parametrizations")
    own = module.parametrizations.weight if is_spectral else None
    yield layer.kernel, own.original if is_spectral else module.weight
    yield layer.bias, module.bias


def transposed(array):
    """A kernel in PyTorch's order."""
    array = np.array(array)
    return array.transpose(3, 2, 0, 1).copy() if array.ndim == 4 else array


def copy(network, module):
    """Gives a module our weights, and both forms the true singular vectors."""
    import torch

    for layer, theirs in pairs(network, module):
        for ours, weight in weights_of(layer, theirs):
            weight.data = torch.from_numpy(transposed(ours))
        if hasattr(theirs, "parametrizations"):
            norm = theirs.parametrizations.weight[0]
            matrix = theirs.parametrizations.weight.original.data.flatten(1)
            left, _, right = torch.linalg.svd(matrix, full_matrices=False)
            norm._u.copy_(left[:, 0])
            norm._v.copy_(right[0])
            layer.vector.assign(left[:, 0].numpy())


def drawn(model, count, scale):
    """The noise of a step of ours, for PyTorch."""
    seed, step = model.noise_of(True)
    shapes = model.pyramid.shapes
    code = [count, *shapes[0], model.settings.latent_channels]
    posterior = noise.normal(code, seed, step, Purpose.POSTERIOR)
    mixing = noise.uniform([count, 1, 1, 1], seed, step, Purpose.INTERPOLATION)
    seed = noise.fold(seed, step)
    prior = noise.normal(code, seed, 0, Purpose.PRIOR)
    own = noise.normal(
        [count, *shapes[scale], 3], seed, scale, Purpose.REFINEMENT
    )
    found = {"posterior": posterior, "prior": prior, "mixing": mixing}
    return {k: first(v) for k, v in {**found, scale: own}.items()}


@needs_torch
@pytest.mark.parametrize("scale", [0, 1, 2])
def test_torch_has_the_same_losses_and_gradients(scale):
    """At the scales of the VAE, and at that of the GAN above them."""
    from benchmarks.torch_patch import HPVAEGAN

    changes = {"vae_scales": 2, "channels": 4, "layers": 2}
    model = make(**changes)
    twin = HPVAEGAN(model.pyramid.shapes, tiny_settings(**changes))
    for name in ("encoder", "decoder", "critic"):
        copy(getattr(model, name), getattr(twin, name))
    for number, block in enumerate(twin.blocks):
        copy(model.refiner.blocks[number], block)
    for each in range(1, scale + 1):
        model.prepare_step(2 * each)
        twin.begin(each)
    image = tf.constant(example(count=2))
    names = model.stepping_networks()
    with tf.GradientTape(persistent=True) as tape:
        terms = model.terms({"image": image}, training=True)
        means = {name: tf.reduce_mean(term) for name, term in terms.items()}
        expected = model.objectives(means)
    images = [first(model.pyramid.at(image, each)) for each in range(3)]
    losses = twin.losses(images, drawn(model, 2, scale))
    for group, loss in losses.items():
        for name in group:
            np.testing.assert_allclose(loss.item(), expected[name], rtol=1e-4)
    found = twin.gradients(losses)
    assert set(found) == set(names)
    for name in names:
        network = getattr(model, name)
        network = model.refiner.block(scale) if name == "refiner" else network
        module = twin.networks()[name]
        gradients = dict(zip(module.parameters(), found[name], strict=True))
        largest = 0.0
        for layer, theirs in pairs(network, module):
            for ours, weight in weights_of(layer, theirs):
                own = transposed(tape.gradient(expected[name], ours.value))
                np.testing.assert_allclose(
                    gradients[weight], own, rtol=1e-3, atol=2e-5
                )
                largest = max(largest, np.abs(own).max())
        assert largest > 1e-3


def test_steps_of_each_scale_are_timed():
    found = patch.train(warm_up=1, timed=2, **patch.QUICK)["scales"]
    assert [scale["shape"] for scale in found] == [[6, 12], [9, 17], [12, 24]]
    assert [scale["is_vae"] for scale in found] == [True, False, False]
    assert all(len(scale["seconds"]) == 2 for scale in found)
    peaks = [scale["bytes"] for scale in found]
    assert peaks == sorted(peaks)


def test_steps_and_peaks_are_cut_by_scale():
    """Of two scales of three steps, the first of which do not count."""
    seconds, peaks = [9.0, 1.0, 2.0, 9.0, 3.0, 4.0], [100, *range(101, 107)]
    found = patch.by_scale(seconds, peaks, [(3, 4), (6, 8)], 1, warm_up=1)
    assert found["scales"] == [
        {"shape": [3, 4], "is_vae": True, "seconds": [1.0, 2.0], "bytes": 3},
        {"shape": [6, 8], "is_vae": False, "seconds": [3.0, 4.0], "bytes": 6},
    ]


def fake(function, shapes=None, **arguments):
    assert function.startswith("patch") or shapes == [[3, 4], [6, 8]]
    seconds = 0.5 if function.startswith("patch") else 2.0
    return patch.by_scale(
        [seconds] * 2, [0, 2**29, 2**30], [(3, 4), (6, 8)], 1, 0
    )


@pytest.mark.parametrize("has_torch", [True, False])
def test_the_table_compares_with_torch(monkeypatch, has_torch):
    monkeypatch.setattr(
        patch.importlib.util, "find_spec", lambda _: has_torch or None
    )
    text = patch.report(patch.measure(fake))
    assert ("4.00 ×" in text) == has_torch
    assert (patch.NO_TORCH in text) != has_torch
    (line,) = [line for line in text.splitlines() if line.startswith("| 6 × 8")]
    assert "GAN" in line
    assert line.count("1.00 GiB") == 1 + has_torch
