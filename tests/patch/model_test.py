"""Who trains at which scale, towards what, and what is drawn then."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.patch.conftest import example, make
from vaegan_tf import hardware, losses, noise
from vaegan_tf.models import kinds, require
from vaegan_tf.noise import Purpose
from vaegan_tf.patch import HPVAEGAN
from vaegan_tf.patch.networks import PatchCritic
from vaegan_tf.patch.pyramid import enlarged
from vaegan_tf.training.fused_optimizers import FusedAdam

CLIP = (3, 6, 12)
NETWORKS = ("encoder", "decoder", "refiner", "critic")


def weights(model):
    """Copies by path; what the refiner knows of itself is left out."""
    return {
        f"{name}/{number}": np.array(weight)
        for name in NETWORKS
        for number, weight in enumerate(getattr(model, name).weights)
        if weight.name not in ("newest", "amplitudes")
    }


def trained(model, steps, first=0):
    """A model after steps from one on, and what changed in the last."""
    if not model.optimizers:
        model.compile(FusedAdam(0.01, beta_1=0.5))
    for step in range(first, first + steps):
        model.prepare_step(step)
        before = weights(model)
        numbers = model.optimize({"image": example(model.shape)})
    after = weights(model)
    changed = {k for k in before if not np.array_equal(before[k], after[k])}
    return numbers, changed


def of_block(model, scale):
    count = len(model.refiner.block(1).weights)
    # `newest` and `amplitudes` come first or last, never between blocks.
    names = [w.path for w in model.refiner.weights]
    own = [w.path for w in model.refiner.block(scale).weights]
    assert len(own) == count
    return {f"refiner/{names.index(path)}" for path in own}


def networks_of(changed):
    return {name.partition("/")[0] for name in changed}


@pytest.mark.parametrize("shape", [(6, 12), CLIP])
def test_vae_scales_train_the_vae_and_the_newest_block(shape):
    model = make(shape, vae_scales=2)
    _, changed = trained(model, 1)
    assert networks_of(changed) == {"encoder", "decoder"}
    numbers, changed = trained(model, 1, first=2)
    assert model.newest_scale == 1
    assert networks_of(changed) == {"encoder", "decoder", "refiner"}
    own = {name for name in changed if name.startswith("refiner")}
    assert own == of_block(model, 1)
    assert set(numbers) >= {"kl", "error", "coarse_error", "encoder_loss"}


@pytest.mark.parametrize("shape", [(6, 12), CLIP])
def test_nothing_flows_from_gan_scales_into_the_vae(shape):
    """Nor do the singular vectors of the VAE move."""
    model = make(shape)
    trained(model, 2)
    numbers, changed = trained(model, 2, first=2)
    assert networks_of(changed) == {"refiner", "critic"}
    _, changed = trained(model, 1, first=4)
    own = {name for name in changed if name.startswith("refiner")}
    assert own == of_block(model, 2)
    assert set(numbers) >= {"error", "real", "generated", "penalty"}


def test_singan_trains_no_encoder_and_a_patch_vae_no_critic():
    singan = make(vae_scales=0)
    _, changed = trained(singan, 1)
    assert networks_of(changed) == {"decoder", "critic"}
    _, changed = trained(singan, 1, first=2)
    assert networks_of(changed) == {"refiner", "critic"}
    vae = make(vae_scales=99)
    trained(vae, 2)
    _, changed = trained(vae, 1, first=4)
    assert networks_of(changed) == {"encoder", "decoder", "refiner"}


def test_a_new_block_begins_as_a_copy_and_optimizers_anew():
    model = make()
    trained(model, 4)
    model.prepare_step(4)
    blocks = [model.refiner.block(scale).get_weights() for scale in (1, 2)]
    for old, new in zip(*blocks):
        np.testing.assert_array_equal(old, new)
    for optimizer in model.optimizers.values():
        assert int(optimizer.iterations.numpy()) == 0
        for slot in optimizer._momentums + optimizer._velocities:
            assert not np.any(slot)


def test_rates_of_the_vae_fall_with_the_scale():
    model = make(vae_scales=2, encoder_rate_factor=0.5)
    model.compile(FusedAdam(0.01))

    def rates(step):
        model.prepare_step(step)
        found = model.optimizers.items()
        return {name: float(o.learning_rate.numpy()) for name, o in found}

    expected = dict.fromkeys(NETWORKS, 0.01)
    assert rates(0) == pytest.approx(expected)
    halves = {"encoder": 0.005, "decoder": 0.005}
    assert rates(2) == pytest.approx({**expected, **halves})
    assert rates(4) == pytest.approx(expected)


def test_the_noise_of_a_scale_is_measured_as_it_begins():
    model = make(vae_scales=0, noise_weight=0.3)
    trained(model, 2)
    image = example()
    below = enlarged(model.reconstruct(image), model.pyramid.shapes[1])
    error = np.square(below - model.pyramid.at(image, 1)).mean()
    trained(model, 1, first=2)
    measured = model.refiner.amplitudes.numpy()
    np.testing.assert_allclose(measured, [0, 0.3 * error**0.5, 0], rtol=1e-4)
    trained(model, 1, first=3)
    np.testing.assert_array_equal(model.refiner.amplitudes, measured)


def test_terms_of_the_vae_are_its_errors_and_divergence():
    model = make()
    image = example()
    terms = model.terms({"image": image}, training=False)
    coarse = model.pyramid.at(image, 0)
    posterior = model.encoder(coarse)
    mean, log_variance = (posterior[k].numpy() for k in posterior)
    expected = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1)
    np.testing.assert_allclose(terms["kl"], [expected.mean()], rtol=1e-4)
    drawn = model.decoder(model._code_of(posterior, False))
    error = np.square(drawn - coarse).mean()
    np.testing.assert_allclose(terms["coarse_error"], [error], rtol=1e-5)
    np.testing.assert_allclose(terms["error"], [error], rtol=1e-5)


def test_objectives_are_the_papers():
    terms = {"kl": 3.0, "coarse_error": 0.5, "error": 0.25}
    vae = make(vae_scales=3, reconstruction_weight=10.0, kl_weight=2.0)
    vae.scale = 1
    found = vae.objectives(terms)
    assert set(found) == {"encoder", "decoder", "refiner"}
    assert set(found.values()) == {10 * 0.75 + 2 * 3}
    gan = make(penalty_weight=0.5)
    gan.scale = 1
    terms = {"error": 0.25, "real": 4.0, "generated": 1.5, "penalty": 3.0}
    found = gan.objectives(terms)
    assert found == {"refiner": 2.5 - 1.5, "critic": 1.5 - 4.0 + 0.5 * 3.0}


def test_the_penalty_is_that_of_the_slope_at_each_position():
    """D sums wx over a map: its slope is w everywhere, of length 5."""
    maps = [tf.constant(example(count=2)) for _ in range(2)]
    weight = tf.constant([3.0, 0.0, -4.0])
    mixing = tf.fill([2, 1, 1, 1], 0.5)
    found = losses.gradient_penalty(lambda x: x * weight, *maps, mixing)
    assert found.shape == (2, 6, 12)
    np.testing.assert_allclose(found, 16.0, rtol=1e-5)


@pytest.mark.parametrize("shape", [(10, 20), (3, 10, 20)])
def test_the_penalty_of_a_crop_is_that_of_one_window(shape):
    """D sums x²/2, so that its slope is x itself at each position."""
    model = make(shape, penalty_crop=8)
    finest = model.prepare_step(model.last_step - 1)
    vars(model)["critic"] = lambda maps, training: tf.square(maps) / 2
    image, places = example(shape), set()
    for step in range(3):
        model.step.assign(step)
        found = model.terms({"image": image}, training=True)["penalty"]
        _, generated = model._pair(image, finest, training=True)
        mixing = noise.uniform(
            [1] * image.ndim, *model.noise_of(True), Purpose.INTERPOLATION
        )
        between = (mixing * image + (1 - mixing) * generated).numpy()
        penalties = (np.linalg.norm(between[0], axis=-1) - 1) ** 2
        windows = np.lib.stride_tricks.sliding_window_view(
            penalties, (8, 8), axis=(-2, -1)
        ).mean(axis=(-2, -1))
        # All frames of a clip are in the crop.
        means = windows.reshape(-1, 3, 13).mean(axis=0)
        distances = np.abs(means - found.numpy())
        assert distances.min() < 1e-5
        places.add(int(distances.argmin()))
    assert len(places) > 1


@pytest.mark.parametrize("rank", [2, 3])
def test_kernels_of_the_critic_have_norm_one(rank):
    keras.utils.set_random_seed(3)
    critic = PatchCritic(rank=rank, num_channels=3, channels=4, layers=1)
    maps = np.ones((1, *[4] * rank, 3), np.float32)
    for _ in range(60):
        critic(maps, training=True)
    layer = critic.get_layer("critic_conv_1")
    kernel = layer.normalized_kernel(False).numpy().reshape(-1, 4)
    assert np.linalg.norm(kernel, 2) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("shape", [(6, 12), CLIP])
def test_each_sample_is_normalised_by_itself(shape):
    """So that neither others nor the size of codes matter, nor training."""
    model = make(shape)
    trained(model, 1)
    codes = 20 * model._prior(2, model.pyramid.shapes, 1)
    both = model.decoder(codes)
    for code, drawn in zip(codes, both):
        alone = model.decoder(code[None], training=True)[0]
        np.testing.assert_allclose(drawn, alone, atol=1e-5)
    # A bias moves a map's mean, which is taken off: what is left is linear.
    np.testing.assert_allclose(model.decoder(3 * codes), both, atol=1e-3)


@pytest.mark.parametrize(
    ("shape", "wide"), [((6, 12), (6, 24)), (CLIP, (5, 6, 24))]
)
def test_samples_have_any_size_and_depend_on_the_seed(shape, wide):
    model = make(shape)
    trained(model, 2, first=4)
    one = model.draw(2, 1)
    assert one.shape == (2, *shape, 3)
    np.testing.assert_array_equal(one, model.draw(2, 1))
    assert np.abs(one[0] - one[1]).max() > 1e-4
    assert np.abs(one - model.draw(2, 2)).max() > 1e-4
    assert model.draw(1, 1, wide).shape == (1, *wide, 3)
    assert model.draw(1, 1, scale=0).shape == (1, *model.pyramid.shapes[0], 3)


def test_samples_move_with_the_angle_and_come_back():
    model = make()
    trained(model, 2, first=4)
    image = example()
    for draw, argument in ((model.draw, 1), (model.refine, image)):
        first = {"first": 2} if draw == model.refine else {}
        still, moved, whole = (
            draw(argument, seed=1, angle=angle, **first).numpy()
            for angle in (0.0, 0.5, 2 * np.pi)
        )
        np.testing.assert_array_equal(draw(argument, seed=1, **first), still)
        assert np.abs(moved - still).max() > 1e-4
        np.testing.assert_allclose(whole, still, atol=1e-5)


def test_what_is_refined_keeps_the_more_the_finer_the_first_scale():
    model = make()
    trained(model, 2, first=4)
    image = example()
    finest = model.refine(image, 2)
    assert finest.shape == (1, 6, 12, 3)
    assert model.refine(image, 1, shape=(6, 24)).shape == (1, 6, 24, 3)
    with pytest.raises(ValueError, match=r"from 1 to 2.*first=3"):
        model.refine(image, 3)


def test_reconstructions_are_those_of_the_posterior_mean():
    model = make()
    trained(model, 1)
    image = example()
    mean = model.encoder(model.pyramid.at(image, 0))["mean"]
    np.testing.assert_allclose(
        model.reconstruct(image), model.decoder(mean), rtol=1e-5
    )
    singan = make(vae_scales=0)
    np.testing.assert_array_equal(
        singan.reconstruct(image), singan.reconstruct(-image)
    )


def test_a_saved_model_draws_the_same_and_resumes(tmp_path):
    model = make(vae_scales=0)
    trained(model, 1, first=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.newest_scale == 1
    np.testing.assert_array_equal(loaded.draw(1, 3), model.draw(1, 3))
    for one in (model, loaded):
        one.prepare_step(3)
        one.optimize({"image": example()})
    for ours, theirs in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_training_says_what_it_takes_and_refuses_what_does_not_fit(
    monkeypatch,
):
    model = make()
    scales, memory = model.forecast(1)
    assert scales == "3 scales of 2 steps: 4 × 8, 5 × 10, 6 × 12."
    assert memory.startswith("Training will take about ")
    monkeypatch.setattr(hardware, "free_memory_bytes", lambda: 1000)
    with pytest.raises(ValueError, match="Choose a smaller `image_size`"):
        model.forecast(1)


def test_it_draws_and_does_not_sample():
    assert kinds("draw") == ["hp_vae_gan"]
    assert HPVAEGAN.kind == "hp_vae_gan"
    with pytest.raises(ValueError, match="cannot sample"):
        require(HPVAEGAN, "sample")
