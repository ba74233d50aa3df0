import keras
import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models import create_model
from vaegan_tf.similarity import LearnedMetric
from vaegan_tf.similarity.metric import NUMBERS

WITH_DISCRIMINATOR = ("gan", "vaegan", "learned_metric_vae")


def make(name, num_attributes=0, **settings):
    keras.utils.set_random_seed(1)
    return create_model(
        name,
        image_size=32,
        width=0.05,
        latent_dim=4,
        num_attributes=num_attributes,
        **settings,
    )


def images(count, seed=0):
    noise = np.random.default_rng(seed).uniform(-1, 1, (count, 32, 32, 3))
    return noise.astype(np.float32)


class Channels:
    """A discriminator of known features: 3 and 5 times two channels."""

    feature_variances = [tf.constant([4.0, 25.0]) - losses.VARIANCE_EPSILON]

    def __call__(self, inputs, training):
        assert not training
        maps = inputs["image"][..., :2] * tf.constant([3.0, 5.0])
        return {"features": [maps]}


class Model:
    discriminator = Channels()
    num_attributes = 0

    def can(self, ability):
        return ability == "discriminate"

    def features(self, image):
        inputs = {"image": image}
        return self.discriminator(inputs, training=False)["features"]


def flat(*levels):
    """An image of two by one pixels, each channel of one level."""
    return np.tile(np.array(levels, np.float32), (1, 2, 1, 1))


def test_numbers_by_hand():
    # Differences 1 and 2 of the first two channels; the third is unseen.
    numbers = LearnedMetric(Model(), "unit")(flat(1, 1, 0), flat(0, -1, 2))
    assert tuple(numbers) == NUMBERS
    # Squares 3² and 10², at two places: mean 109 / 2, half the sum 109.
    assert numbers["feature_distance"].numpy() == pytest.approx([np.sqrt(54.5)])
    assert numbers["feature_nll"].numpy() == pytest.approx([109.0])
    # Squares 1, 4 and 4 of the pixels.
    assert numbers["pixel_distance"].numpy() == pytest.approx([np.sqrt(3)])


def test_features_are_measured_in_units_of_their_deviation():
    numbers = LearnedMetric(Model(), "batch")(flat(1, 1, 0), flat(0, -1, 2))
    # 3 / √4 and 10 / √25: squares 2.25 and 4.
    assert numbers["feature_distance"].numpy() == pytest.approx(
        [np.sqrt(3.125)]
    )
    assert numbers["feature_nll"].numpy() == pytest.approx([6.25])


@pytest.mark.parametrize("scale", ["unit", "batch"])
@pytest.mark.parametrize("name", WITH_DISCRIMINATOR)
def test_it_is_a_distance(name, scale):
    metric = LearnedMetric(make(name), scale)
    a, b, c = images(4, 0), images(4, 1), images(4, 2)
    for number in ("feature_distance", "pixel_distance"):
        ab, ba, bc, ac, aa = (
            metric(*pair)[number].numpy()
            for pair in ((a, b), (b, a), (b, c), (a, c), (a, a))
        )
        np.testing.assert_array_equal(aa, 0)
        np.testing.assert_allclose(ab, ba, rtol=1e-6)
        assert (ab > 0).all()
        assert (ac <= ab + bc).all()


def test_a_pair_does_not_depend_on_its_neighbours():
    metric = LearnedMetric(make("vaegan", feature_scale="batch"))
    together = metric(images(5, 0), images(5, 1))
    alone = metric(images(5, 0)[2:3], images(5, 1)[2:3])
    for number in NUMBERS:
        np.testing.assert_allclose(
            alone[number], together[number][2:3], rtol=1e-5
        )


def test_in_units_of_one_it_is_the_error_of_the_model():
    model = make("vaegan", feature_scale="unit")
    a, b = images(3, 0), images(3, 1)
    features = [
        model.discriminator({"image": image}, training=False)["features"]
        for image in (a, b)
    ]
    np.testing.assert_allclose(
        LearnedMetric(model, "unit")(a, b)["feature_nll"],
        model.feature_nll(*features),
        rtol=1e-6,
    )


def test_layers_weigh_alike_in_a_distance():
    # Mean squares 5 and 20 of two layers of one and two places.
    class Layers(Model):
        def features(self, image):
            return [image[:, :1, :, :2], 2 * image[..., :2]]

    numbers = LearnedMetric(Layers(), "unit")(flat(1, 1, 0), flat(0, -2, 2))
    assert numbers["feature_distance"].numpy() == pytest.approx([12.5**0.5])
    # Half of 3 features, weighed as √2 and √4 = 2.
    root = 2**0.5
    assert numbers["feature_nll"].numpy() == pytest.approx(
        [1.5 * (root * 5 + 2 * 20) / (root + 2)]
    )


@pytest.mark.parametrize("passes", ["separate", "joint", "paired"])
def test_deviations_are_those_of_layers_l_of_real_images(passes):
    model = make("vaegan", batch_statistics=passes)
    real, *fakes = [
        tf.constant(images(8, seed) / (1 + seed)) for seed in range(3)
    ]
    discriminate = tf.function(
        lambda: model.discriminate_batches([real, *fakes], None, training=True),
        autograph=False,
    )
    # The singular vectors settle, and running variances forget their start.
    for _ in range(200):
        outputs = discriminate()
    for variance, maps in zip(
        model.discriminator.feature_variances, outputs["features"][0]
    ):
        expected = tf.math.reduce_variance(maps, axis=[0, 1, 2])
        np.testing.assert_allclose(variance, expected, rtol=1e-4)


def test_the_scale_is_the_models_own():
    assert LearnedMetric(make("vaegan", feature_scale="batch")).scale == "batch"
    assert LearnedMetric(make("vaegan", feature_scale="unit")).scale == "unit"
    assert LearnedMetric(make("gan")).scale == "batch"


def test_a_conditional_discriminator_compares_without_attributes():
    model = make("vaegan", 3, feature_scale="unit")
    a, b = images(2, 0), images(2, 1)
    attributes = tf.constant([[1.0, 0.0, 5.0]] * 2)
    features = [
        model.discriminator(
            model.conditioned({"image": image}, attributes), training=False
        )["features"]
        for image in (a, b)
    ]
    np.testing.assert_allclose(
        LearnedMetric(model, "unit")(a, b)["feature_nll"],
        model.feature_nll(*features),
        rtol=1e-6,
    )


@pytest.mark.parametrize("num_attributes", [0, 3])
def test_images_are_compared_with_their_reconstructions(num_attributes):
    model = make("vaegan", num_attributes)
    attributes = np.eye(3, dtype=np.float32)[:2] if num_attributes else None
    metric, image = LearnedMetric(model), images(2)
    expected = metric(image, model.reconstruct(image, attributes))
    found = metric.from_reconstruction(image, attributes)
    for number in NUMBERS:
        np.testing.assert_allclose(found[number], expected[number], rtol=1e-6)


def test_a_vae_has_learned_no_distance():
    message = "^A VAE cannot discriminate. Models that can: .*GAN"
    with pytest.raises(ValueError, match=message):
        LearnedMetric(make("vae"))


def test_a_gan_has_no_reconstructions():
    message = "^A GAN cannot reconstruct. Models that can: VAE"
    with pytest.raises(ValueError, match=message):
        LearnedMetric(make("gan")).from_reconstruction(images(1))


def test_scales_that_are_unknown():
    message = r"`scale` must be one of .*Received: .*'inch'"
    with pytest.raises(ValueError, match=message):
        LearnedMetric(make("gan"), "inch")


def test_a_map_says_where_images_differ():
    # Two places, of which the second differs by 1 and 2 in two channels.
    image, other = flat(1, 1, 0), np.array([[[[1, 1, 0]], [[0, -1, 2]]]], "f4")
    metric = LearnedMetric(Model(), "unit")
    difference = metric.difference_map(image, other).numpy()
    # Squares 3² and 10²: their mean is 54.5.
    np.testing.assert_allclose(difference, [[[0], [np.sqrt(54.5)]]])


def test_coarse_features_are_compared_at_the_size_of_images():
    metric = LearnedMetric(make("vaegan", feature_layers=(2,)))
    a, b = images(2, 0), images(2, 1)
    difference = metric.difference_map(a, b).numpy()
    assert difference.shape == (2, 32, 32)
    # Where two places meet in a corner, its value is that of the features.
    (one,), (two,) = metric.features(a), metric.features(b)
    squares = np.square(np.subtract(one, two)).mean(-1)
    np.testing.assert_allclose(
        difference[:, 0, 0], np.sqrt(squares[:, 0, 0]), rtol=1e-5
    )
