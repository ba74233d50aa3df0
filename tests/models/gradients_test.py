"""Each objective's gradient on each network, derived a second way.

The objectives are those of the package's models; `objectives_test.py` has the
forms that no model of the package uses.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.small import (
    Twin,
    assert_close,
    distance,
    image_batch,
    make,
    step_gradients,
)
from vaegan_tf.models import GAN, VAE, VAEGAN, LearnedMetricVAE

# Algorithm 1 and its variants, written out network by network.
PAPER = {"gamma": 0.3, "feature_scale": "unit", "adversarial": "minimax"}
CASES = {
    "vae": (
        VAE,
        {"kl_weight": 2.0, "uniformity_weight": 0.7},
        {
            "encoder": lambda t: (
                2 * (t.kl() + 0.7 * t.uniformity()) + t.pixel_nll()
            ),
            "decoder": lambda t: t.pixel_nll(),
        },
    ),
    "gan_minimax": (
        GAN,
        {"adversarial": "minimax"},
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
        PAPER,
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
            "feature_scale": "unit",
            "adversarial": "minimax",
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
            "uniformity_weight": 2.0,
        },
        {
            "encoder": lambda t: (
                3 * (t.kl() + 2 * t.uniformity()) + t.feature_nll("batch")
            ),
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
        {"feature_scale": "unit"},
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
    expected = Twin(model, image).gradients(objectives)
    assert_close(step_gradients(model, image), expected)


def test_gamma_follows_the_gradients_at_the_decoders_images():
    settings = {"gradient_ratio": 1.5, "kl_weight": 3.0}
    model, image = make(VAEGAN, **settings), image_batch()
    twin = Twin(model, image)
    fakes = [twin.reconstruction(), twin.decode(twin.prior)]
    fooling = np.linalg.norm([twin.fooling_pull(flat) for flat in fakes])
    gamma = 1.5 * fooling / np.linalg.norm(twin.feature_pull())
    assert gamma > 0.01
    expected = twin.gradients(
        {
            "encoder": lambda t: 3 * t.kl() + t.feature_nll("batch"),
            "decoder": lambda t: (
                gamma * t.feature_nll("batch") - t.mean_logit()
            ),
            "discriminator": lambda t: (
                t.hinge(t.image, 1)
                + 0.5 * t.hinge(t.reconstruction(), -1)
                + 0.5 * t.hinge(t.decode(t.prior), -1)
            ),
        }
    )
    assert_close(step_gradients(model, image), expected)
    terms = model.terms({"image": tf.constant(image)}, training=False)
    assert terms["gamma"].shape == (len(image),)


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
    model, image = make(VAEGAN, **PAPER), image_batch()
    wrong = Twin(model, image).gradient(network, objective)
    received = step_gradients(model, image)[network]
    assert distance(received, wrong) > 1e-3


def test_all_networks_step_from_the_same_weights():
    """The log's objectives are those before the step, for every network."""
    model, image = make(VAEGAN, **PAPER), image_batch()
    twin = Twin(model, image)
    model.compile(keras.optimizers.SGD(0.5))
    numbers = model.optimize(tf.constant(image))
    for name, objective in CASES["vaegan_paper"][2].items():
        expected = objective(twin)
        if name == "decoder":
            expected -= twin.real()  # L_GAN whole, as the paper has it.
        np.testing.assert_allclose(numbers[f"{name}_loss"], expected, rtol=1e-5)


def test_logged_gradient_norms_are_those_of_the_step():
    model, image = make(VAEGAN, **PAPER), image_batch()
    reference = step_gradients(make(VAEGAN, **PAPER), image)
    model.compile(keras.optimizers.SGD(1.0))
    numbers = model.optimize(tf.constant(image))
    for name, gradients in reference.items():
        norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
        np.testing.assert_allclose(
            numbers[f"{name}_gradient_norm"], norm, rtol=1e-4
        )
