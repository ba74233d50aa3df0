import functools
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.toy import make_toy
from vaegan_tf.attributes import fit_vectors
from vaegan_tf.export import export_saved_model
from vaegan_tf.models import create_model
from vaegan_tf.sampling import (
    PosteriorCodes,
    TruncatedSampler,
    fit_mixture,
)
from vaegan_tf.settings import VAEGANSettings
from vaegan_tf.similarity import LearnedMetric

SIGNATURES = {
    "vae": {"encode", "decode", "reconstruct", "sample", "sample_truncated"},
    "gan": {
        "decode",
        "sample",
        "sample_truncated",
        "features",
        "discriminate",
        "distance",
    },
}
SIGNATURES["vaegan"] = SIGNATURES["vae"] | SIGNATURES["gan"]
SIGNATURES["learned_metric_vae"] = SIGNATURES["vaegan"] | {"sample_mixture"}
# Of two models with a learned metric, one has the scale that is not usual.
(OTHER_SCALE,) = {"unit", "batch"} - {VAEGANSettings().feature_scale}
SETTINGS = {"learned_metric_vae": {"feature_scale": OTHER_SCALE}}
MIXTURE = fit_mixture(np.random.default_rng(0).normal(3.0, 1.0, (100, 4)), 2)


def small_model(name, num_attributes=0):
    model = create_model(
        name,
        image_size=32,
        width=0.05,
        latent_dim=4,
        num_attributes=num_attributes,
        **SETTINGS.get(name, {}),
    )
    # Weights that differ from the twin's, so that a mix-up shows.
    for weight in model.decoder.trainable_weights:
        weight.assign(weight + 0.1)
    return model


def images(count):
    noise = np.random.default_rng(0).uniform(-1, 1, (count, 32, 32, 3))
    return noise.astype(np.float32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A function from a model's kind and attributes to it and its export."""

    @functools.cache
    def export(name, num_attributes):
        model = small_model(name, num_attributes)
        folder = tmp_path_factory.mktemp("exports") / "7"
        has_mixture = "sample_mixture" in SIGNATURES[name]
        export_saved_model(model, folder, MIXTURE if has_mixture else None)
        return model, folder

    return export


@pytest.fixture(scope="module")
def served(exported):
    """The same function, to the model and the signatures of its export."""

    @functools.cache
    def load(name, num_attributes):
        model, folder = exported(name, num_attributes)
        return model, tf.saved_model.load(str(folder)).signatures

    return load


@pytest.mark.parametrize("num_attributes", [0, 3])
@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_compute_what_the_model_computes(
    served, name, num_attributes
):
    model, served = served(name, num_attributes)
    assert set(served) == SIGNATURES[name]

    for count in (1, 5):
        attributes = np.eye(3, dtype=np.float32)[np.arange(count) % 3]
        extra = {"attributes": attributes} if num_attributes else {}
        latent = np.full((count, 4), 0.3, np.float32)
        expected = {
            "decode": ({"latent": latent}, model.decode(latent, **extra)),
            "sample": (
                {"count": tf.constant(count), "seed": tf.constant([1, 2])},
                model.sample(count, [1, 2], **extra),
            ),
            "sample_truncated": (
                {
                    "count": tf.constant(count),
                    "seed": tf.constant([1, 2]),
                    "truncation": tf.constant(0.5),
                },
                model.decode(
                    TruncatedSampler(4, 0.5).codes(count, [1, 2]), **extra
                ),
            ),
        }
        image = images(count)
        if "encode" in served:
            posterior = model.encode(image, **extra)
            mean = served["encode"](image=tf.constant(image), **extra)["mean"]
            np.testing.assert_allclose(mean, posterior["mean"], atol=1e-5)
            expected["reconstruct"] = (
                {"image": image},
                model.reconstruct(image, **extra),
            )
        for signature, (inputs, outputs) in expected.items():
            inputs = {k: tf.constant(v) for k, v in {**inputs, **extra}.items()}
            result = served[signature](**inputs)["image"]
            assert result.shape == (count, 32, 32, 3)
            np.testing.assert_allclose(result, outputs, atol=1e-5)
        if "discriminate" in served:
            expected = model.discriminator(
                model.conditioned({"image": image}, extra.get("attributes")),
                training=False,
            )
            inputs = {"image": tf.constant(image), **extra}
            np.testing.assert_allclose(
                served["discriminate"](**inputs)["logit"],
                expected["logit"],
                atol=1e-5,
            )
            features = served["features"](**inputs)
            assert sorted(features) == [f"features_{n}" for n in range(3)]
            for layer, maps in enumerate(expected["features"]):
                served_maps = features[f"features_{layer}"]
                np.testing.assert_allclose(served_maps, maps, atol=1e-5)


@pytest.mark.parametrize("scale", ["unit", "batch"])
@pytest.mark.parametrize("num_attributes", [0, 3])
def test_distances_are_those_of_the_learned_metric(
    served, num_attributes, scale
):
    name = "learned_metric_vae" if scale == OTHER_SCALE else "vaegan"
    model, served = served(name, num_attributes)
    assert model.settings.feature_scale == scale
    served = served["distance"]
    for count in (1, 4):
        image_a, image_b = images(count), images(count)[:, ::-1]
        actual = served(
            image_a=tf.constant(image_a), image_b=tf.constant(image_b)
        )
        expected = LearnedMetric(model, scale)(image_a, image_b)
        assert set(actual) == set(expected)
        for name, values in expected.items():
            assert actual[name].shape == (count,)
            np.testing.assert_allclose(actual[name], values, rtol=1e-4)


@pytest.mark.parametrize("num_attributes", [0, 3])
def test_a_mixture_has_a_signature(served, num_attributes):
    model, served = served("learned_metric_vae", num_attributes)
    extra = {"attributes": tf.ones([5, 3])} if num_attributes else {}
    actual = served["sample_mixture"](
        count=tf.constant(5), seed=tf.constant([1, 2]), **extra
    )["image"]
    expected = model.decode(MIXTURE.codes(5, [1, 2]), **extra)
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_a_server_refuses_a_truncation_of_nothing(tmp_path):
    export_saved_model(make_toy(), tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="truncation must be positive"
    ):
        served["sample_truncated"](
            count=tf.constant(1),
            seed=tf.constant([1, 2]),
            truncation=tf.constant(0.0),
        )


def test_every_variable_is_stored_once(exported):
    model, folder = exported("vaegan", 0)
    networks = (model.encoder, model.decoder_ema, model.discriminator)
    expected = sorted(
        tuple(weight.shape) for net in networks for weight in net.weights
    )
    prefix = str(folder / "variables" / "variables")
    stored = [
        tuple(shape)
        for name, shape in tf.train.list_variables(prefix)
        if not name.startswith("_CHECKPOINTABLE")
    ]
    assert sorted(stored) == expected


def test_tensorflow_loads_it_without_keras_or_this_package(exported, tmp_path):
    _, folder = exported("learned_metric_vae", 0)
    script = (
        "import sys\n"
        "sys.modules['keras'] = sys.modules['vaegan_tf'] = None\n"
        "import tensorflow as tf\n"
        f"model = tf.saved_model.load({str(folder)!r})\n"
        "served = model.signatures\n"
        "draw = {'count': tf.constant(2), 'seed': tf.constant([0, 1])}\n"
        "image = served['sample'](**draw)['image']\n"
        "other = served['sample_mixture'](**draw)['image']\n"
        "mild = served['sample_truncated'](**draw,"
        " truncation=tf.constant(0.5))['image']\n"
        "numbers = served['distance'](image_a=image, image_b=other)\n"
        "print(image.shape, other.shape, mild.shape)\n"
        "print(*[f'{k}{v.shape}' for k, v in sorted(numbers.items())])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    shape = "(2, 32, 32, 3)"
    assert result.stdout.splitlines() == [
        f"{shape} {shape} {shape}",
        "feature_distance(2,) feature_nll(2,) pixel_distance(2,)",
    ]


def test_samples_depend_on_the_seed_alone(tmp_path):
    export_saved_model(make_toy(), tmp_path / "1")
    sample = tf.saved_model.load(str(tmp_path / "1")).signatures["sample"]

    def draw(seed):
        return sample(count=tf.constant(3), seed=tf.constant(seed))["image"]

    np.testing.assert_array_equal(draw([1, 2]), draw([1, 2]))
    assert np.abs(draw([1, 2]) - draw([1, 3])).max() > 1e-3


def test_a_new_export_replaces_the_old_one_whole(tmp_path):
    export_saved_model(make_toy(), tmp_path / "1")
    (tmp_path / "1" / "stale").touch()
    export_saved_model(make_toy(), tmp_path / "1")
    assert not (tmp_path / "1" / "stale").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_an_export_that_fails_leaves_the_old_one(tmp_path):
    export_saved_model(make_toy(), tmp_path / "1")
    (tmp_path / ".partial-1").write_text("in the way")
    with pytest.raises(OSError, match=r"Could not export to .*/1"):
        export_saved_model(make_toy(), tmp_path / "1")
    assert (tmp_path / "1" / "saved_model.pb").exists()


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "ada.png").touch()
    with pytest.raises(ValueError, match="faces holds something that is not"):
        export_saved_model(make_toy(), tmp_path / "faces")
    assert (tmp_path / "faces" / "ada.png").exists()


def test_the_served_model_edits_images(tmp_path):
    codes = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    present = (codes[:, :2] > 0).astype(np.float32)
    codes = PosteriorCodes(codes, codes, present)
    vectors = fit_vectors(codes, codes, ["Hat", "Beard"])
    model = small_model("vae")
    export_saved_model(model, tmp_path / "1", vectors=vectors, kind="plain")
    served = tf.saved_model.load(str(tmp_path / "1"))
    asset = served.attribute_names.asset_path.numpy()
    assert pathlib.Path(asset.decode()).read_text() == "Hat\nBeard\n"
    about = served.signatures["attribute_vectors"]()
    assert about["names"].numpy().tolist() == [b"Hat", b"Beard"]
    rows = about["vectors"].numpy()
    np.testing.assert_array_equal(rows, vectors.vectors["plain"])
    strength = np.array([[1.5, 0], [0, -2]], np.float32)
    edited = served.signatures["edit"](
        image=tf.constant(images(2)), strength=tf.constant(strength)
    )["image"]
    latent = model.encode(images(2))["mean"] + np.array(
        [1.5 * rows[0], -2 * rows[1]]
    )
    expected = model.decode(latent)
    np.testing.assert_allclose(edited, expected, atol=1e-5)
