"""What every model can do, plain and conditional, through Keras's own doors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.models import MODELS, create_model

LATENT, ATTRIBUTES, COUNT = 4, 3, 8
VARIANTS = [
    pytest.param(name, attributes, id=f"{name}-{attributes}")
    for name in MODELS
    for attributes in (0, ATTRIBUTES)
]
every_model = pytest.mark.parametrize(("name", "num_attributes"), VARIANTS)


def make(name, num_attributes=0, **settings):
    keras.utils.set_random_seed(1)
    return create_model(
        name,
        image_size=32,
        width=0.05,
        latent_dim=LATENT,
        num_attributes=num_attributes,
        **settings,
    )


def examples(num_attributes=0, count=COUNT):
    generator = np.random.default_rng(0)
    image = generator.uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)
    if not num_attributes:
        return {"image": image}
    attributes = generator.integers(0, 2, (count, num_attributes))
    return {"image": image, "attributes": attributes.astype(np.float32)}


def weights_of(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def optimizer_state(model):
    return {
        f"{name}/{variable.path}": variable.numpy()
        for name, optimizer in model.optimizers.items()
        for variable in optimizer.variables
    }


def fit(model, data, epochs=1):
    return model.fit(
        data, epochs=epochs, batch_size=4, shuffle=False, verbose=0
    )


@every_model
def test_fit_moves_exactly_the_trained_networks(name, num_attributes):
    model = make(name, num_attributes)
    model.compile("rmsprop")
    before = weights_of(model)
    history = fit(model, examples(num_attributes), epochs=2).history
    assert set(model.term_names) <= set(history)
    assert all(np.isfinite(values).all() for values in history.values())
    assert int(model.step.numpy()) == 4
    moved = {
        path.split("_")[0]
        for path, value in weights_of(model).items()
        if path.endswith("kernel") and not np.array_equal(value, before[path])
    }
    assert moved == set(model.trained_networks)


@every_model
def test_evaluate_changes_nothing_and_repeats_itself(name, num_attributes):
    model = make(name, num_attributes)
    model.compile("rmsprop")
    before = weights_of(model)
    data = examples(num_attributes)
    scores = [
        model.evaluate(data, batch_size=4, verbose=0, return_dict=True)
        for _ in range(2)
    ]
    assert scores[0] == scores[1]
    assert set(model.term_names) <= set(scores[0])
    after = weights_of(model)
    assert all(np.array_equal(before[path], after[path]) for path in before)


@every_model
def test_a_saved_model_goes_on_training_as_if_never_saved(
    name, num_attributes, tmp_path
):
    model, data = make(name, num_attributes), examples(num_attributes)
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5))
    fit(model, data)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    state = optimizer_state(model)
    for path, value in optimizer_state(loaded).items():
        np.testing.assert_array_equal(value, state[path], err_msg=path)
    assert fit(model, data).history == fit(loaded, data).history
    weights = weights_of(model)
    for path, value in weights_of(loaded).items():
        np.testing.assert_array_equal(value, weights[path], err_msg=path)


@every_model
def test_keras_exports_what_call_does(name, num_attributes, tmp_path):
    model = make(name, num_attributes)
    model.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "export"))
    inputs = examples(num_attributes)
    if name == "gan":
        inputs["latent"] = np.full((COUNT, LATENT), 0.5, np.float32)
        del inputs["image"]
    inputs = {key: tf.constant(value) for key, value in inputs.items()}
    if not num_attributes:
        (inputs,) = inputs.values()
    np.testing.assert_allclose(served.serve(inputs), model(inputs), atol=1e-5)


@every_model
def test_samples_are_images_that_depend_on_the_seed(name, num_attributes):
    model = make(name, num_attributes)
    attributes = examples(num_attributes).get("attributes")
    first = model.sample(COUNT, 1, attributes)
    assert first.shape == (COUNT, 32, 32, 3)
    np.testing.assert_array_equal(first, model.sample(COUNT, 1, attributes))
    assert np.abs(first - model.sample(COUNT, 2, attributes)).max() > 1e-4


@every_model
def test_training_draws_other_noise_at_every_step(name, num_attributes):
    model = make(name, num_attributes)
    model.compile(keras.optimizers.SGD(0.0))
    example = {k: tf.constant(v) for k, v in examples(num_attributes).items()}
    numbers = [model.optimize(example) for _ in range(2)]
    # With a rate of 0 only the noise and batch statistics' past differ.
    term = "generated" if name in ("gan", "vaegan") else "kl"
    other = {"kl": "pixel_nll" if name == "vae" else "feature_nll"}.get(
        term, term
    )
    assert float(numbers[0][other]) != float(numbers[1][other])


def test_keras_fits_on_two_replicas_as_on_one(two_replicas):
    def fitted(**settings):
        model = make("vae", ema_momentum=0.5, **settings)
        model.compile(keras.optimizers.SGD(1e-6))
        return fit(model, examples(), epochs=2).history

    expected = fitted()
    with two_replicas.scope():
        found = fitted(synchronized=True)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)


def parted(data, *sizes):
    """The parts of a batch that two replicas are given."""
    rows = (slice(0, sizes[0]), slice(sizes[0], sum(sizes)))
    return [{key: value[part] for key, value in data.items()} for part in rows]


def test_two_replicas_step_as_one_with_all_images(two_replicas, on_both):
    def compiled(**settings):
        model = make("vae", ema_momentum=0.5, **settings)
        model.compile(keras.optimizers.SGD(1e-6))
        return model

    data = examples(count=5)
    one = compiled()
    before = one.get_weights()
    expected = one.train_step(data)
    with two_replicas.scope():
        two = compiled(synchronized=True)
    for found in on_both(two.train_step, *parted(data, 3, 2)):
        for name, value in expected.items():
            np.testing.assert_allclose(
                found[name], value, rtol=1e-4, err_msg=name
            )
    ways = [
        np.concatenate(
            [
                (after - start).ravel()
                for start, after in zip(before, model.get_weights())
                if after.dtype == np.float32
            ]
        )
        for model in (one, two)
    ]
    assert np.linalg.norm(ways[1] - ways[0]) < 1e-3 * np.linalg.norm(ways[0])


@pytest.mark.parametrize("name", MODELS)
def test_mixed_precision_trains_with_float32_losses(name):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(name)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    model.compile("rmsprop")
    numbers = model.optimize(examples())
    for key in model.term_names:
        assert numbers[key].dtype == tf.float32
        assert np.isfinite(numbers[key])


def half_precision_vae(optimizer):
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model = make("vae")
        model.compile(optimizer)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    return model


def test_float16_scales_losses_but_not_what_is_logged():
    scaling = keras.mixed_precision.LossScaleOptimizer
    optimizer = scaling(keras.optimizers.SGD(0.0), initial_scale=8.0)
    half, full = half_precision_vae(optimizer), make("vae")
    full.compile(keras.optimizers.SGD(0.0))
    expected, received = full.optimize(examples()), half.optimize(examples())
    for key in ("kl", "pixel_nll", "encoder_loss", "decoder_gradient_norm"):
        np.testing.assert_allclose(received[key], expected[key], rtol=0.05)


def test_float16_skips_a_step_that_overflows():
    # The default scale of 32,768 is too much for summed pixel errors.
    half = half_precision_vae(keras.optimizers.SGD(1.0))
    before = [w.numpy() for w in half.decoder.trainable_weights]
    numbers = half.optimize(examples())
    assert float(numbers["decoder_gradient_norm"]) == 0
    for old, new in zip(before, half.decoder.trainable_weights):
        np.testing.assert_array_equal(old, new)
    assert float(half.optimizers["decoder"].dynamic_scale) == 2.0**14


@pytest.mark.parametrize("name", ["gan", "vaegan"])
def test_a_closed_gate_leaves_weights_and_slots_alone(name):
    # No cost lies within ±0.0001 of the equilibrium, and one is the lower.
    model = make(name, equilibrium_margin=1e-4)
    model.compile(keras.optimizers.Adam(1e-3))
    closed = {}
    for seed in range(20):
        model.noise_seed.assign(seed)
        state, weights = optimizer_state(model), weights_of(model)
        numbers = model.optimize(examples())
        after, moved = optimizer_state(model), weights_of(model)
        for network in ("decoder", "discriminator"):
            is_open = bool(numbers[f"{network}_updated"])
            slots_same = all(
                np.array_equal(value, after[key])
                for key, value in state.items()
                if key.startswith(network)
            )
            kernels_same = all(
                np.array_equal(value, moved[key])
                for key, value in weights.items()
                if key.startswith(f"{network}_") and key.endswith("kernel")
            )
            assert slots_same == kernels_same == (not is_open)
            closed[network] = closed.get(network, 0) + (not is_open)
    assert max(closed.values()) > 0


def test_the_averaged_decoder_follows_weights_and_batch_statistics():
    model = make("vae", ema_momentum=0.9)
    model.compile(keras.optimizers.SGD(1e-4))
    expected = [w.numpy() for w in model.decoder.weights]
    for step in range(3):
        model.optimize(examples())
        # Momentum grows as (1 + t) / (10 + t) until it reaches 0.9.
        momentum = min(0.9, (1 + step) / (10 + step))
        expected = [
            momentum * average + (1 - momentum) * weight.numpy()
            for average, weight in zip(expected, model.decoder.weights)
        ]
    for average, value in zip(model.decoder_ema.weights, expected):
        np.testing.assert_allclose(average, value, rtol=1e-4, atol=1e-6)
    assert model.generator is model.decoder_ema


def discriminator_statistics(batches):
    """Mean of the first normalised layer's inputs, pass after pass."""
    model = make("vaegan", batch_statistics=batches)
    kinds = [np.full((2, 32, 32, 3), v, np.float32) for v in (1, -1, 0.5)]
    norm = model.discriminator.get_layer("discriminator_conv_1_norm")
    conv = keras.Model(
        model.discriminator.input,
        model.discriminator.get_layer("discriminator_conv_1").output,
    )
    expected = {
        "joint": [kinds],
        "paired": [kinds[:2], [kinds[0], kinds[2]]],
        "separate": [[kind] for kind in kinds],
    }[batches]
    average = np.zeros(norm.moving_mean.shape)
    for images in expected:
        maps = conv({"image": np.concatenate(images)}).numpy()
        average = 0.9 * average + 0.1 * maps.mean(axis=(0, 1, 2))
    judged = model.judge([tf.constant(k) for k in kinds], None, True)
    assert [len(judged[key]) for key in ("logit", "features")] == [3, 3]
    return norm.moving_mean, average


@pytest.mark.parametrize("batches", ["joint", "paired", "separate"])
def test_images_share_statistics_with_those_they_are_judged_with(batches):
    received, expected = discriminator_statistics(batches)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-6)


def test_paired_batches_take_features_and_logits_from_their_own_pass():
    model = make("vaegan", batch_statistics="paired")
    example = examples()["image"]
    kinds = [tf.constant(part) for part in np.split(example[:6], 3)]
    judged = model.judge(kinds, None, True)

    def together(*images):
        return model.discriminate(images, None, True)

    similar, played = together(*kinds[:2]), together(kinds[0], kinds[2])
    for ours, theirs in zip(judged["features"][:2], similar["features"]):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(judged["logit"][0], played["logit"][0])
    np.testing.assert_array_equal(judged["logit"][2], played["logit"][1])


def test_without_an_average_the_decoder_itself_draws():
    model = make("vae", ema_momentum=0.0)
    assert model.decoder_ema is None
    assert model.generator is model.decoder


def test_the_frozen_discriminator_never_changes():
    model = make("learned_metric_vae")
    model.compile("rmsprop")
    before = model.discriminator.get_weights()
    fit(model, examples(), epochs=2)
    for old, new in zip(before, model.discriminator.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_weight_decay_is_part_of_each_objective():
    model = make("vae", weight_decay=0.1)
    model.compile(keras.optimizers.SGD(0.0))
    numbers = model.optimize(examples())
    kernels = [w for w in model.decoder.weights if w.name == "kernel"]
    penalty = 0.1 * sum(np.sum(np.square(kernel)) for kernel in kernels)
    np.testing.assert_allclose(
        numbers["decoder_loss"], numbers["pixel_nll"] + penalty, rtol=1e-5
    )


def test_each_network_can_have_its_own_optimizer():
    model = make("gan")
    rates = {"decoder": 1e-3, "discriminator": 5e-4}
    model.compile({k: keras.optimizers.RMSprop(v) for k, v in rates.items()})
    for name, rate in rates.items():
        assert float(model.optimizers[name].learning_rate) == np.float32(rate)


def test_images_may_be_given_bare_and_attributes_as_targets():
    data = examples(ATTRIBUTES)
    bare = make("vae")
    bare.compile("rmsprop")
    assert np.isfinite(fit(bare, data["image"]).history["kl"]).all()

    def conditional():
        model = make("vae", ATTRIBUTES)
        model.compile("rmsprop")
        return model

    pairs = conditional().fit(
        data["image"],
        data["attributes"],
        batch_size=4,
        shuffle=False,
        verbose=0,
    )
    assert pairs.history == fit(conditional(), data).history


def test_attributes_change_what_a_conditional_model_draws():
    model = make("vaegan", ATTRIBUTES)
    none = np.zeros((1, ATTRIBUTES), np.float32)
    assert (
        np.abs(model.sample(1, 0, none) - model.sample(1, 0, none + 1)).max()
        > 1e-4
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make("wgan"), "`model` must be one of .*'vaegan'.*='wgan'"),
        (lambda: make("vaegan", gamma=-1), "`gamma` must be positive.*=-1"),
        (
            lambda: make("vaegan", reconstruction_weight=1.5),
            "`reconstruction_weight` must lie between 0 and 1",
        ),
        (
            lambda: make("vaegan", feature_scale="layer"),
            "`feature_scale` must be one of",
        ),
        (
            lambda: make("gan", adversarial="hinge"),
            "`adversarial` must be one of.*'hinge'",
        ),
        (
            lambda: make("gan", batch_statistics="mixed"),
            "`batch_statistics` must be one of.*'mixed'",
        ),
        (
            lambda: make("gan", real_weight=1.0),
            "`real_weight` must lie between 0 and 1",
        ),
        (
            lambda: make("gan", equilibrium_margin=0.0),
            "`equilibrium_margin` must be positive",
        ),
        (lambda: make("vae", ema_momentum=1.0), r"`ema_momentum` must lie in"),
        (lambda: make("vae", kl_weight=-1), "`kl_weight` must not be negative"),
        (
            lambda: make("gan").compile({"decoder": "adam"}),
            r"must name every trained network: \['decoder', 'discriminator'\]",
        ),
        (
            lambda: make("vae")(np.zeros((1, 64, 64, 3), np.float32)),
            r"shape \(batch, 32, 32, 3\).*\(1, 64, 64, 3\)",
        ),
        (
            lambda: make("vae", ATTRIBUTES).reconstruct(examples()["image"]),
            r"needs `attributes` of shape \(batch, 3\)",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_networks_that_do_not_fit_together_are_refused():
    small, large = make("vae"), create_model("vae", width=0.05, latent_dim=4)
    with pytest.raises(ValueError, match="must agree on `image_shape`"):
        MODELS["vae"](small.encoder, large.decoder)
