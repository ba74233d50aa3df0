"""What an objective may be, beyond sums of terms along a chain of networks.

Codes that go to two networks, functions of terms that are not linear, a
critic that steps several times a batch, a gradient in a term: each against
finite differences, with a fault that the comparison must catch.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.small import (
    SmallCritic,
    Twin,
    assert_close,
    distance,
    image_batch,
    make,
    mean_softplus,
    step_gradients,
    weights_of,
)
from vaegan_tf import losses
from vaegan_tf.models import GAN, VAE


class TwoConsumers(VAE):
    """Codes go to the decoder and to a critic, which takes them for fakes."""

    networks = {**VAE.networks, "critic": SmallCritic}
    term_names = ("pixel_nll", "fake", "fake_as_real")

    def terms(self, example, training):
        posterior = self.encoder(example, training=training)
        latent = self.sample_posterior(posterior, training)
        (image,) = self.decode_batches([latent], None, training)
        logit = self.critic(latent, training=training)
        return {
            "pixel_nll": losses.gaussian_nll(example["image"], image),
            "fake": losses.generated_nll(logit),
            "fake_as_real": losses.real_nll(logit),
        }

    def objectives(self, terms):
        return {
            "encoder": terms["pixel_nll"] + 2 * terms["fake_as_real"],
            "decoder": terms["pixel_nll"],
            "critic": terms["fake"],
        }


def test_both_consumers_of_a_code_send_their_gradient():
    model, image = make(TwoConsumers), image_batch()
    twin = Twin(model, image)

    def fooling(twin):
        return 2 * mean_softplus(-twin.critic_logit())

    expected = twin.gradients(
        {
            "encoder": lambda t: t.pixel_nll() + fooling(t),
            "decoder": Twin.pixel_nll,
            "critic": lambda t: mean_softplus(t.critic_logit()),
        }
    )
    received = step_gradients(model, image)
    assert_close(received, expected)
    # Either consumer's gradient alone is not enough.
    for one in (Twin.pixel_nll, fooling):
        wrong = twin.gradient("encoder", one)
        assert distance(received["encoder"], wrong) > 1e-3


# What a VAE's networks minimise, of its terms and of its twin's.
NON_LINEAR = {
    "a product": (
        lambda t: t["kl"] * t["pixel_nll"],
        lambda t: t.kl() * t.pixel_nll(),
    ),
    "a maximum": (
        lambda t: tf.maximum(t["kl"], t["pixel_nll"]),
        lambda t: max(t.kl(), t.pixel_nll()),
    ),
    "a ratio and a root": (
        lambda t: t["kl"] / t["pixel_nll"] + tf.sqrt(t["pixel_nll"]),
        lambda t: t.kl() / t.pixel_nll() + np.sqrt(t.pixel_nll()),
    ),
    "free bits, used up": (
        lambda t: tf.maximum(t["kl"], 0.1) + t["pixel_nll"],
        lambda t: max(t.kl(), 0.1) + t.pixel_nll(),
    ),
    "free bits, left": (
        lambda t: tf.maximum(t["kl"], 50.0) + t["pixel_nll"],
        lambda t: max(t.kl(), 50.0) + t.pixel_nll(),
    ),
}
every_form = pytest.mark.parametrize(
    ("ours", "theirs"), NON_LINEAR.values(), ids=NON_LINEAR
)


def vae_that_minimises(encoder_objective):
    class Minimiser(VAE):
        def objectives(self, terms):
            return {
                "encoder": encoder_objective(terms),
                "decoder": terms["pixel_nll"] ** 2,
            }

    return make(Minimiser)


@every_form
def test_an_objective_may_be_any_function_of_the_terms(ours, theirs):
    model, image = vae_that_minimises(ours), image_batch()
    twin = Twin(model, image)
    expected = twin.gradients(
        {"encoder": theirs, "decoder": lambda t: t.pixel_nll() ** 2}
    )
    received = step_gradients(model, image)
    assert_close(received, expected)
    wrong = twin.gradient("encoder", lambda t: t.kl() + t.pixel_nll())
    if theirs is not NON_LINEAR["free bits, used up"][1]:
        assert distance(received["encoder"], wrong) > 1e-3


@every_form
def test_on_two_replicas_it_is_that_function_of_global_means(
    ours, theirs, two_replicas, on_both
):
    image = image_batch(5)
    expected = step_gradients(vae_that_minimises(ours), image)
    with two_replicas.scope():
        model = vae_that_minimises(ours)
        model.compile(keras.optimizers.SGD(1.0))
    before = weights_of(model)
    on_both(model.optimize, image[:3], image[3:])
    received = {
        name: [old - new for old, new in zip(before[name], weights)]
        for name, weights in weights_of(model).items()
    }
    assert_close(received, expected)


@pytest.fixture
def five_steps():
    """A GAN whose discriminator steps five times, and what it draws."""
    drawn = []

    class FiveSteps(GAN):
        updates_per_step = {"discriminator": 5}

        def standard_normal(self, count, purpose, training):
            drawn.append(super().standard_normal(count, purpose, training))
            return drawn[-1]

    model = make(FiveSteps, adversarial="non_saturating")
    model.compile(keras.optimizers.SGD(0.5))
    return model, drawn


def test_a_critic_may_step_five_times_a_step(five_steps):
    model, _ = five_steps
    for batch in (1, 2):
        model.optimize(tf.constant(image_batch()))
        iterations = {
            name: int(optimizer.iterations)
            for name, optimizer in model.optimizers.items()
        }
        assert iterations == {"discriminator": 5 * batch, "decoder": batch}
        assert int(model.step) == batch


def test_each_of_its_steps_sees_other_noise(five_steps):
    model, drawn = five_steps
    for _ in range(2):
        model.optimize(tf.constant(image_batch()))
    assert len(drawn) == 10
    for place, noise in enumerate(drawn):
        for other in drawn[:place]:
            assert np.abs(noise - other).min() > 0


def test_all_networks_step_from_the_same_weights_in_the_last_round(five_steps):
    model, drawn = five_steps
    images = image_batch(20).reshape(5, 4, *image_batch().shape[1:])
    image = images[-1]
    twin = Twin(model, image)
    drawn.clear()
    model.optimize(*map(tf.constant, images))
    objectives = {
        "decoder": lambda t: t.generated(as_real=True),
        "discriminator": lambda t: t.real() + t.generated(),
    }
    *early, last = drawn
    critic = {"discriminator": objectives["discriminator"]}
    for twin.image, twin.prior in zip(images.reshape(5, 4, -1), early):
        twin.descend(twin.gradients(critic), rate=0.5)
    twin.image, twin.prior = image.reshape(4, -1), last
    gradients = twin.gradients(objectives)
    twin.descend(gradients, rate=0.5)
    assert_close(weights_of(model), twin.weights)
    # From weights before or after the last round the decoder steps elsewhere.
    first = Twin(make(GAN, adversarial="non_saturating"), image)
    first.prior = last
    for other in (first, twin):
        wrong = other.gradient("decoder", objectives["decoder"])
        assert distance(gradients["decoder"], wrong) > 1e-3


def test_a_step_takes_a_batch_for_each_round_or_one_for_all(five_steps):
    model, _ = five_steps
    with pytest.raises(ValueError, match=r"takes 5 batches, or 1.*Received: 2"):
        model.optimize(*[tf.constant(image_batch())] * 2)


class Penalized(GAN):
    """A GAN with a penalty on the slope of its discriminator."""

    term_names = (*GAN.term_names, "penalty")

    def terms(self, example, training):
        image = example["image"]
        with tf.GradientTape() as tape:
            tape.watch(image)
            logit = self.discriminator({"image": image})["logit"]
        slope = tape.gradient(logit, image)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=[1, 2, 3]))
        return {
            **super().terms(example, training),
            "penalty": tf.square(norm - 1),
        }

    def objectives(self, terms):
        objectives = super().objectives(terms)
        objectives["discriminator"] += 10 * terms["penalty"]
        return objectives


def test_a_term_may_hold_a_gradient():
    model, image = make(Penalized, adversarial="non_saturating"), image_batch()
    twin = Twin(model, image)
    expected = twin.gradients(
        {
            "decoder": lambda t: t.generated(as_real=True),
            "discriminator": lambda t: (
                t.real() + t.generated() + 10 * t.penalty()
            ),
        }
    )
    value = twin.penalty()
    received = step_gradients(model, image)
    assert_close(received, expected)
    # A slope taken for a constant would leave the penalty's gradient out.
    wrong = twin.gradient("discriminator", lambda t: t.real() + t.generated())
    assert distance(received["discriminator"], wrong) > 1e-3
    again = make(Penalized, adversarial="non_saturating")
    terms = again.terms({"image": tf.constant(image)}, training=True)
    np.testing.assert_allclose(np.mean(terms["penalty"]), value, rtol=1e-5)


def test_an_objective_that_does_not_depend_on_its_network_is_refused():
    class Blind(VAE):
        def objectives(self, terms):
            return {"encoder": terms["pixel_nll"], "decoder": terms["kl"]}

    model = make(Blind)
    model.compile("sgd")
    with pytest.raises(ValueError, match="objective of the decoder does not"):
        model.optimize(tf.constant(image_batch()))
