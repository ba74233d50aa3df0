"""What every model can do, plain and conditional, through Keras's own doors.

The list runs over the registry, and over a model from outside the package.

Evaluation and training are compared within a tolerance, not bit for bit: a
processor's kernels split long sums by the threads that happen to be free, and
float32 sums in another order differ. A sum of n terms of one sign differs by
at most n · 2⁻²⁴ of itself; the longest ones have the 3,072 numbers of an image,
which makes 2e-4. Each comparison is shown to notice other noise.
"""

import collections
import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import examples.adversarial_autoencoder  # noqa: F401 - registers a model
from tests.models import small
from vaegan_tf.models import GAN, VAE, VAEGAN, create_model, kinds, model_class
from vaegan_tf.models.adversarial import DiscriminatingModel
from vaegan_tf.training.fused_optimizers import FusedAdam

LATENT, ATTRIBUTES, COUNT = 4, 3, 8
KINDS = kinds("sample")
VARIANTS = [
    pytest.param(kind, attributes, id=f"{kind}-{attributes}")
    for kind in KINDS
    for attributes in (0, ATTRIBUTES)
]
every_model = pytest.mark.parametrize(("kind", "num_attributes"), VARIANTS)
every_kind = pytest.mark.parametrize("kind", KINDS)
ORDER_OF_SUMS = 32 * 32 * 3 * 2.0**-24


def make(kind, num_attributes=0, **settings):
    keras.utils.set_random_seed(1)
    return create_model(
        kind,
        image_size=32,
        width=0.05,
        latent_dim=LATENT,
        num_attributes=num_attributes,
        **settings,
    )


def batch(num_attributes=0, count=COUNT):
    generator = np.random.default_rng(0)
    image = generator.uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)
    if not num_attributes:
        return {"image": image}
    attributes = generator.integers(0, 2, (count, num_attributes))
    return {"image": image, "attributes": attributes.astype(np.float32)}


def weights_of(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def changes(network, before):
    """Of each kind of weight, such as `kernel`, whether some have changed."""
    found = collections.defaultdict(bool)
    for weight, old in zip(network.weights, before):
        found[weight.name] |= not np.array_equal(weight, old)
    return found


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


def evaluate(model, data):
    return model.evaluate(data, batch_size=4, verbose=0, return_dict=True)


def far_apart(ours, theirs):
    """Names of numbers that differ by more than the order of their sums."""
    return {
        name
        for name, value in ours.items()
        if not np.allclose(value, theirs[name], rtol=ORDER_OF_SUMS)
    }


def moved(before, after):
    """The way from some weights to others, as one vector."""
    return np.concatenate(
        [
            (after[path] - value).ravel()
            for path, value in before.items()
            if value.dtype == np.float32
        ]
    )


@functools.cache
def fitted(kind, num_attributes):
    """A model after four steps, which tests may train on, and its history."""
    model = make(kind, num_attributes)
    model.compile(FusedAdam(1e-3, beta_1=0.5))
    before = {n: getattr(model, n).get_weights() for n in model.networks}
    history = fit(model, batch(num_attributes), epochs=2).history
    changed = {n: changes(getattr(model, n), old) for n, old in before.items()}
    return model, history, changed, int(model.step.numpy())


@every_model
def test_fit_moves_exactly_the_trained_networks(kind, num_attributes):
    model, history, changed, step = fitted(kind, num_attributes)
    assert set(model.term_names) <= set(history)
    assert all(np.isfinite(values).all() for values in history.values())
    assert step == 4
    for name, weights in changed.items():
        # Of what is not trained, statistics stay as well.
        is_trained = name in model.trained_networks()
        assert weights["kernel"] == any(weights.values()) == is_trained


@every_model
def test_evaluate_changes_nothing_and_repeats_itself(kind, num_attributes):
    model, *_ = fitted(kind, num_attributes)
    data = batch(num_attributes)
    before = weights_of(model)
    first, second = (evaluate(model, data) for _ in range(2))
    assert set(model.term_names) <= set(first)
    assert not far_apart(first, second)
    after = weights_of(model)
    assert all(np.array_equal(before[path], after[path]) for path in before)
    example = model.as_example(batch(num_attributes, count=2))
    terms = model.terms(example, training=False)
    model.seed += 1
    other = model.terms(example, training=False)
    model.seed -= 1
    assert far_apart(terms, other)


@every_model
def test_a_saved_model_resumes_as_if_never_saved(
    kind, num_attributes, tmp_path
):
    model, *_ = fitted(kind, num_attributes)
    data = batch(num_attributes)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    # JSON, which is what is saved, has no tuples.
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    for state in (weights_of, optimizer_state):
        theirs = state(loaded)
        for path, value in state(model).items():
            np.testing.assert_array_equal(theirs[path], value, err_msg=path)
    before = weights_of(model)
    ways, numbers = [], []
    for one in (model, loaded):
        numbers.append(one.optimize(data))
        ways.append(moved(before, weights_of(one)))
    assert not far_apart(*numbers)
    assert np.linalg.norm(ways[1] - ways[0]) < 1e-3 * np.linalg.norm(ways[0])
    model.noise_seed.assign_add(1)
    example = model.as_example(data)
    terms = [one.terms(example, training=True) for one in (model, loaded)]
    assert far_apart(*terms)


def test_a_model_is_saved_before_it_is_compiled(tmp_path):
    model = make("vae")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.optimizers == {}
    for ours, theirs in zip(loaded.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


@every_model
def test_keras_exports_what_call_does(kind, num_attributes, tmp_path):
    model, *_ = fitted(kind, num_attributes)
    model.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "export"))
    inputs = batch(num_attributes)
    if not model.can("encode"):
        inputs["latent"] = np.full((COUNT, LATENT), 0.5, np.float32)
        del inputs["image"]
    inputs = {key: tf.constant(value) for key, value in inputs.items()}
    if not num_attributes:
        (inputs,) = inputs.values()
    np.testing.assert_allclose(served.serve(inputs), model(inputs), atol=1e-5)


@every_model
def test_samples_are_images_that_depend_on_the_seed(kind, num_attributes):
    model, *_ = fitted(kind, num_attributes)
    attributes = batch(num_attributes).get("attributes")
    first = model.sample(COUNT, 1, attributes)
    assert first.shape == (COUNT, 32, 32, 3)
    # The last layer's tanh keeps values, and sums of any order, below 1.
    again = model.sample(COUNT, 1, attributes)
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert np.abs(first - model.sample(COUNT, 2, attributes)).max() > 1e-4


@every_model
def test_training_draws_other_noise_at_every_step(kind, num_attributes):
    model, *_ = fitted(kind, num_attributes)
    rates = {
        optimizer: optimizer.learning_rate.numpy()
        for optimizer in model.optimizers.values()
    }
    for optimizer in rates:
        optimizer.learning_rate = 0.0
    history = fit(model, batch(num_attributes), epochs=2).history
    first, second = zip(*history.values())
    for optimizer, rate in rates.items():
        optimizer.learning_rate = rate
    # With a rate of 0 only the noise and batch statistics' past differ.
    terms = set(model.term_names) - {"kl", "real"}
    assert terms <= far_apart(
        dict(zip(history, first)), dict(zip(history, second))
    )


@every_kind
def test_what_a_model_says_of_itself_is_so(kind):
    cls = model_class(kind)
    for ability in cls.abilities:
        assert callable(getattr(cls, ability))
        assert cls.can(ability)
    assert cls.kind == kind
    assert cls.title
    assert set(cls.trained_networks()) <= set(cls.networks)
    for name in cls.borrowed:
        assert name in cls.networks
        assert hasattr(cls.Settings(), f"{name}_from")
    model, *_ = fitted(kind, 0)
    terms = model.terms(model.as_example(batch()), training=False)
    assert set(terms) == set(model.term_names)
    assert all(term.shape == (COUNT,) for term in terms.values())
    means = {name: tf.reduce_mean(term) for name, term in terms.items()}
    assert set(cls.trained_networks()) == set(model.objectives(means))


def test_keras_fits_on_two_replicas_as_on_one(two_replicas):
    def history():
        model = make("vae", ema_momentum=0.5)
        model.compile(keras.optimizers.SGD(1e-6))
        return fit(model, batch(), epochs=2).history

    expected = history()
    with two_replicas.scope():
        received = history()
    for name, values in expected.items():
        np.testing.assert_allclose(
            received[name], values, rtol=1e-4, err_msg=name
        )


def parted(data, *sizes):
    """The parts of a batch that two replicas are given."""
    rows = (slice(0, sizes[0]), slice(sizes[0], sum(sizes)))
    return [{key: value[part] for key, value in data.items()} for part in rows]


def test_two_replicas_step_as_one_with_all_images(two_replicas, on_both):
    def compiled():
        model = make("vae", ema_momentum=0.5)
        model.compile(keras.optimizers.SGD(1e-6))
        return model

    data = batch(count=5)
    one = compiled()
    before = weights_of(one)
    expected = one.train_step(data)
    with two_replicas.scope():
        two = compiled()
    for received in on_both(two.train_step, *parted(data, 3, 2)):
        for name, value in expected.items():
            np.testing.assert_allclose(
                received[name], value, rtol=1e-4, err_msg=name
            )
    ways = [moved(before, weights_of(model)) for model in (one, two)]
    assert np.linalg.norm(ways[1] - ways[0]) < 1e-3 * np.linalg.norm(ways[0])


@every_kind
def test_mixed_precision_trains_with_float32_losses(kind):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model = make(kind)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    model.compile("rmsprop")
    numbers = model.optimize(batch())
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
    expected, received = full.optimize(batch()), half.optimize(batch())
    for key in ("kl", "pixel_nll", "encoder_loss", "decoder_gradient_norm"):
        np.testing.assert_allclose(received[key], expected[key], rtol=0.05)


def test_float16_skips_a_step_that_overflows():
    # The default scale of 32,768 is too much for summed pixel errors.
    half = half_precision_vae(keras.optimizers.SGD(1.0))
    before = [w.numpy() for w in half.decoder.trainable_weights]
    numbers = half.optimize(batch())
    assert float(numbers["decoder_gradient_norm"]) == 0
    for old, new in zip(before, half.decoder.trainable_weights):
        np.testing.assert_array_equal(old, new)
    assert float(half.optimizers["decoder"].dynamic_scale) == 2.0**14


@pytest.mark.parametrize(
    ("model_class", "settings"),
    [(GAN, {}), (VAEGAN, {"gamma": 0.3, "kl_weight": 1.0})],
)
def test_a_closed_gate_leaves_weights_and_slots_alone(model_class, settings):
    # No loss lies within ±0.0001 of the equilibrium, and one is the lower.
    settings = {**settings, "adversarial": "minimax"}
    model = small.make(model_class, equilibrium_margin=1e-4, **settings)
    model.compile(FusedAdam(1e-3))
    images = tf.constant(small.image_batch())
    closed = collections.Counter()
    for seed in range(20):
        model.noise_seed.assign(seed)
        slots, weights = optimizer_state(model), small.weights_of(model)
        numbers = model.optimize(images)
        for name in ("decoder", "discriminator"):
            is_open = bool(numbers[f"{name}_updated"])
            slots_same = all(
                np.array_equal(value, slots[key])
                for key, value in optimizer_state(model).items()
                if key.startswith(f"{name}/")
            )
            weights_same = all(
                np.array_equal(old, new)
                for old, new in zip(
                    weights[name], getattr(model, name).get_weights()
                )
            )
            assert slots_same == weights_same == (not is_open)
            closed[name] += not is_open
    assert max(closed.values()) > 0


def test_the_averaged_decoder_follows_weights_and_batch_statistics():
    model = make("vae", ema_momentum=0.9)
    model.compile(keras.optimizers.SGD(1e-4))
    expected = [w.numpy() for w in model.decoder.weights]
    for step in range(3):
        model.optimize(batch())
        # Momentum grows as (1 + t) / (10 + t) until it reaches 0.9.
        momentum = min(0.9, (1 + step) / (10 + step))
        expected = [
            momentum * average + (1 - momentum) * weight.numpy()
            for average, weight in zip(expected, model.decoder.weights)
        ]
    for average, value in zip(model.decoder_ema.weights, expected):
        np.testing.assert_allclose(average, value, rtol=1e-4, atol=1e-6)


def test_the_averaged_encoder_whitens_its_own_codes():
    model = make("vae", ema_momentum=1 - 1e-6)
    model.step.assign(10**7)
    average = model.encoder_ema
    whitening = average.get_layer("encoder_whitening")
    kernel = average.get_layer("encoder_mean").kernel
    kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    example = {"image": tf.constant(batch()["image"])}
    step = tf.function(lambda: model.after_step(example), autograph=False)
    for _ in range(1500):  # 0.99¹⁵⁰⁰ is 3e-7.
        step()
    inputs = keras.Model(average.inputs, whitening.input)
    mean, log_variance = (x.numpy() for x in inputs(example, training=False))
    expected = {
        "correlation": mean.T @ mean / len(mean),
        "variance": np.exp(log_variance).mean(axis=0),
    }
    own = model.encoder.get_layer("encoder_whitening")
    for name, value in expected.items():
        received = getattr(whitening, name).numpy()
        np.testing.assert_allclose(received, value, rtol=1e-3, atol=1e-4)
        assert np.abs(getattr(own, name).numpy() - value).max() > 0.1


def discriminator_statistics(batches):
    """Mean of the first normalised layer's inputs, pass after pass."""
    model = make(
        "vaegan",
        batch_statistics=batches,
        discriminator_normalization="batch",
        feature_layers=(2,),
    )
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
    outputs = model.discriminate_batches(
        [tf.constant(k) for k in kinds], None, True
    )
    assert [len(outputs[key]) for key in ("logit", "features")] == [3, 3]
    return norm.moving_mean, average


@pytest.mark.parametrize("batches", ["joint", "paired", "separate"])
def test_images_share_statistics_with_those_they_are_discriminated_with(
    batches,
):
    received, expected = discriminator_statistics(batches)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-6)


def test_paired_batches_take_features_and_logits_from_their_own_pass():
    model = make(
        "vaegan",
        batch_statistics="paired",
        discriminator_normalization="batch",
        feature_layers=(2,),
    )
    example = batch()["image"]
    kinds = [tf.constant(part) for part in np.split(example[:6], 3)]
    outputs = model.discriminate_batches(kinds, None, True)

    def together(*images):
        return DiscriminatingModel.discriminate_batches(
            model, images, None, True
        )

    same = functools.partial(
        np.testing.assert_allclose, rtol=ORDER_OF_SUMS, atol=1e-5
    )
    similar, played = together(*kinds[:2]), together(kinds[0], kinds[2])
    for ours, theirs in zip(outputs["features"][:2], similar["features"]):
        same(ours[0], theirs[0])
    same(outputs["logit"][0], played["logit"][0])
    same(outputs["logit"][2], played["logit"][1])
    with pytest.raises(AssertionError):
        same(outputs["logit"][0], similar["logit"][0])


def test_without_an_average_the_decoder_itself_draws():
    model = make("vae", ema_momentum=0.0)
    assert model.in_use("decoder") is model.decoder
    assert model.in_use("encoder") is model.encoder


def test_weight_decay_is_part_of_each_objective():
    model = make("vae", weight_decay=0.1)
    model.compile(keras.optimizers.SGD(0.0))
    numbers = model.optimize(batch())
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
    data = batch(ATTRIBUTES, count=4)
    bare = make("vae")
    bare.compile("rmsprop", run_eagerly=True)
    assert np.isfinite(fit(bare, data["image"]).history["kl"]).all()

    def conditional():
        model = make("vae", ATTRIBUTES)
        model.compile("rmsprop", run_eagerly=True)
        return model

    pairs = conditional().fit(
        data["image"],
        data["attributes"],
        batch_size=4,
        shuffle=False,
        verbose=0,
    )
    assert not far_apart(pairs.history, fit(conditional(), data).history)


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
        (lambda: make("wgan"), "`model` must be one of .*vaegan.*='wgan'"),
        (lambda: make("vaegan", gamma=-1), "`gamma` must be above 0.*=-1"),
        (
            lambda: make("vaegan", reconstruction_weight=1.5),
            "`reconstruction_weight` must be above 0 and below 1",
        ),
        (
            lambda: make("vaegan", feature_scale="layer"),
            "`feature_scale` must be one of",
        ),
        (
            lambda: make("gan", adversarial="wasserstein"),
            "`adversarial` must be one of.*'wasserstein'",
        ),
        (
            lambda: make("gan", batch_statistics="mixed"),
            "`batch_statistics` must be one of.*'mixed'",
        ),
        (
            lambda: make("gan", real_weight=1.0),
            "`real_weight` must be above 0 and below 1",
        ),
        (
            lambda: make("gan", equilibrium_margin=0.0),
            "`equilibrium_margin` must be above 0",
        ),
        (
            lambda: make("vae", ema_momentum=1.0),
            "`ema_momentum` must be .* below 1",
        ),
        (lambda: make("vae", kl_weight=-1), "`kl_weight` must be at least 0"),
        (
            lambda: make("gan").compile({"decoder": "adam"}),
            r"must name every trained network: \['decoder', 'discriminator'\]",
        ),
        (
            lambda: make("vae")(np.zeros((1, 64, 64, 3), np.float32)),
            r"shape \(batch, 32, 32, 3\).*\(1, 64, 64, 3\)",
        ),
        (
            lambda: make("vae", ATTRIBUTES).reconstruct(batch()["image"]),
            r"needs `attributes` of shape \(batch, 3\)",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_networks_that_do_not_fit_together_are_refused():
    little, large = make("vae"), create_model("vae", width=0.05, latent_dim=4)
    with pytest.raises(ValueError, match=r"must agree on `image_shape`"):
        VAE({"encoder": little.encoder, "decoder": large.decoder})
