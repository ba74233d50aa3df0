import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.predictor import AttributePredictor
from vaegan_tf.settings import PredictorSettings
from vaegan_tf.training.fused_optimizers import FusedAdam

NAMES = ("Hat", "Beard")


def images(count=8, size=32, seed=0):
    generator = np.random.default_rng(seed)
    return generator.uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


def example(count=8, size=32, seed=0):
    generator = np.random.default_rng(seed + 1)
    attributes = generator.integers(0, 2, (count, 2)).astype(np.float32)
    return {"image": images(count, size, seed), "attributes": attributes}


def small(attribute_names=NAMES, base_rates=(0.25, 0.5), **settings):
    keras.utils.set_random_seed(3)
    return AttributePredictor.create(
        PredictorSettings(width=0.05, **settings),
        image_size=32,
        attribute_names=attribute_names,
        base_rates=base_rates,
        dataset="avatars",
    )


def known(backbone, names=NAMES, base_rates=(0.25, 0.5), **settings):
    """A predictor on a backbone of known features."""
    head = keras.layers.Dense(len(names), name="head")
    head.build((None, backbone.num_features))
    return AttributePredictor(
        {"backbone": backbone, "head": head},
        PredictorSettings(**settings),
        attribute_names=names,
        base_rates=base_rates,
    )


def constant(backbone, answers, **settings):
    """A predictor that gives every image the same answers."""
    model = known(backbone, **settings)
    model.head.set_weights([np.zeros((3, 2)), np.array(answers)])
    return model


def test_features_and_logits(mean_backbone):
    model = known(mean_backbone, balance=1.0)
    model.head.set_weights(
        [np.array([[1.0, 0], [0, 1], [0, 0]]), np.array([10.0, 20.0])]
    )
    batch = np.tile([0.1, 0.2, 0.3], (4, 2, 2, 1)).astype(np.float32)
    actual = model.analyze(batch)
    np.testing.assert_allclose(
        actual["features"], np.tile([0.1, 0.2, 0.3], (4, 1)), rtol=1e-5
    )
    # Weights made Hats three times as likely: log 3 is taken off again.
    np.testing.assert_allclose(
        actual["logits"],
        np.tile([10.1 - np.log(3), 20.2], (4, 1)),
        rtol=1e-5,
    )
    assert {value.dtype for value in actual.values()} == {tf.float32}


def test_terms_by_hand(mean_backbone):
    model = constant(mean_backbone, [0.0, np.log(3)], balance=1.0)
    terms = model.terms(
        {
            "image": images(2, 2),
            "attributes": tf.constant([[1.0, 0.0], [0.0, 1.0]]),
        },
        training=False,
    )
    # Weights: ½ / ¼ = 2 for a Hat, ½ / ¾ = ⅔ for none, 1 for Beards.
    # σ(0) = ½ and σ(log 3) = ¾.
    np.testing.assert_allclose(
        terms["weighted_nll"],
        [
            2 * np.log(2) + np.log(4),
            2 / 3 * np.log(2) + np.log(4 / 3),
        ],
        rtol=1e-6,
    )
    # Hat's log-odds are −log 3: probability ¼.
    np.testing.assert_allclose(
        terms["attribute_nll"],
        [np.log(4) + np.log(4), np.log(4 / 3) + np.log(4 / 3)],
        rtol=1e-6,
    )
    np.testing.assert_array_equal(terms["attribute_error"], [1.0, 0.0])


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_what_minimises_the_loss_gives_the_log_odds(mean_backbone, balance):
    # One of four images has a Hat. Whatever the weights, a model that cannot
    # tell images apart shall answer with the odds 1 : 3.
    model = constant(mean_backbone, [0.0, 0.0], balance=balance)
    data = {
        "image": tf.zeros((4, 2, 2, 3)),
        "attributes": tf.constant([[1.0, 1], [0, 1], [0, 0], [0, 0]]),
    }
    model.head.bias.assign([(1 - balance) * np.log(1 / 3), 0.0])
    np.testing.assert_allclose(
        model.analyze(data["image"])["logits"][0],
        [np.log(1 / 3), 0.0],
        atol=1e-6,
    )
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.terms(data, False)["weighted_nll"])
    gradient = tape.gradient(loss, model.head.bias.value)
    np.testing.assert_allclose(gradient, [0.0, 0.0], atol=1e-6)


def test_dropout_hides_some_features_and_scales_the_others(mean_backbone):
    model = known(mean_backbone, ["Hat"], [0.5], dropout=0.25)
    model.head.set_weights([np.ones((3, 1)), np.zeros(1)])
    data = {"image": tf.ones((5000, 2, 2, 3)), "attributes": tf.ones((5000, 1))}

    def answers(training=True):
        nll = model.terms(data, training)["attribute_nll"].numpy()
        return -np.log(np.expm1(nll))  # nll = log(1 + exp(−answer))

    np.testing.assert_allclose(answers(training=False), 3.0, rtol=1e-4)
    hidden = 3 - answers() * 0.75  # each of three is hidden or 4/3
    np.testing.assert_allclose(hidden, np.round(hidden), atol=1e-3)
    assert hidden.mean() == pytest.approx(3 * 0.25, abs=0.05)
    np.testing.assert_array_equal(answers(), answers())
    before = answers()
    model.step.assign_add(1)
    assert (answers() != before).any()


def test_a_step_moves_both_networks_and_returns_its_numbers():
    model = small()
    model.compile("adam")
    before = [weight.numpy() for weight in model.trainable_weights]
    numbers = model.optimize(example())
    assert set(numbers) == {
        "weighted_nll",
        "attribute_nll",
        "attribute_error",
        "backbone_loss",
        "head_loss",
        "backbone_gradient_norm",
        "head_gradient_norm",
    }
    after = [weight.numpy() for weight in model.trainable_weights]
    assert all((a != b).any() for a, b in zip(before, after))
    assert int(model.step) == 1


def test_each_network_has_a_rate_of_its_own():
    model = small()
    model.compile({"backbone": keras.optimizers.SGD(0.0), "head": "sgd"})
    kernel = model.backbone.trainable_weights[0].numpy()
    head = model.head.kernel.numpy()
    model.optimize(example())
    np.testing.assert_array_equal(model.backbone.trainable_weights[0], kernel)
    assert (model.head.kernel.numpy() != head).any()


def test_it_learns_what_can_be_seen():
    # Hats are bright images, Beards dark ones.
    model = small(dropout=0.0)
    model.compile(FusedAdam(0.01))
    attributes = np.tile([[1, 0], [0, 1]], (8, 1)).astype(np.float32)
    shown = images(16) / 2 + (attributes[:, :1] - 0.5)[:, None, None]
    model.fit(shown, attributes, batch_size=16, epochs=30, verbose=0)
    scores = model.evaluate(shown, attributes, verbose=0, return_dict=True)
    assert scores["attribute_error"] == 0
    logits = model.analyze(shown)["logits"].numpy()
    np.testing.assert_array_equal(logits > 0, attributes > 0)


def test_a_saved_model_is_the_same(tmp_path):
    model = small(balance=1.0)
    model.compile("adam")
    model.optimize(example())
    model.save(tmp_path / "predictor.keras")
    loaded = keras.models.load_model(tmp_path / "predictor.keras")
    for name, value in model.analyze(images()).items():
        np.testing.assert_allclose(loaded.analyze(images())[name], value)
    for name in ("attribute_names", "base_rates", "dataset", "settings"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.optimizers["head"].iterations == 1


def test_what_a_predictor_says_of_itself():
    model = small()
    assert model.image_shape == (32, 32, 3)
    assert model.attribute_names == NAMES
    assert (model.dataset, model.num_attributes) == ("avatars", 2)
    assert model.analyze(images())["features"].shape == (8, 13)


def test_images_of_another_size_are_refused():
    message = r"must have shape \(batch, 32, 32, 3\)\. Received: .*\(8, 64, 64"
    with pytest.raises(ValueError, match=message):
        small().analyze(images(size=64))


@pytest.mark.parametrize(
    "attributes", [None, np.zeros((8, 3), np.float32)], ids=["none", "three"]
)
def test_examples_need_their_attributes(attributes):
    data = {"image": images()}
    if attributes is not None:
        data["attributes"] = attributes
    with pytest.raises(ValueError, match=r"of shape \(batch, 2\) beside"):
        small().as_example(data)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attribute_names": (), "base_rates": ()}, "at least one attribute"),
        ({"base_rates": (0.5,)}, r"for each of the 2 attributes\. Received: "),
        ({"base_rates": (0.5, 1.0)}, r"between 0 and 1 .*\(0\.5, 1\.0\)"),
        ({"balance": 1.5}, "`balance` must be at least 0 and at most 1"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and below 1"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)
