import sys

import keras
import numpy as np
import pytest

from vaegan_tf.networks import Encoder
from vaegan_tf.predictor.backbones import (
    EncoderBackbone,
    ResNet34Backbone,
    SmallBackbone,
)
from vaegan_tf.runs import load_model


def images(size, channels=3):
    generator = np.random.default_rng(0)
    shape = (2, size, size, channels)
    return {"image": generator.uniform(-1, 1, shape).astype(np.float32)}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_size_ends_in_means_of_a_map_of_four_by_four(size, channels):
    backbone = SmallBackbone(size, channels, width=0.1)
    pooled = backbone.get_layer("backbone_features").input
    assert pooled.shape == (None, 4, 4, 26)
    features = backbone(images(size, channels))["features"]
    assert features.shape == (2, backbone.num_features) == (2, 26)
    assert backbone.image_shape == (size, size, channels)


def test_size_of_the_small_network():
    backbone = SmallBackbone()
    inputs, outputs = (3, 32, 64, 128, 256), (32, 64, 128, 256, 256)
    kernels = sum(9 * i * o for i, o in zip(inputs, outputs))
    # Normalisation: scale, offset and two statistics.
    assert backbone.count_params() == kernels + 4 * sum(outputs)
    assert backbone.count_params() < 1_000_000
    assert backbone.num_features == 256


def test_features_are_float32_whatever_the_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        backbone = SmallBackbone(32, width=0.05)
    finally:
        keras.config.set_dtype_policy("float32")
    assert backbone.get_layer("backbone_conv_1").compute_dtype == "bfloat16"
    assert backbone(images(32))["features"].dtype == "float32"


def test_the_small_network_is_made_again_from_its_config():
    backbone = SmallBackbone(32, 1, width=0.05, weight_decay=0.1)
    again = SmallBackbone.from_config(backbone.get_config())
    assert again.get_config() == backbone.get_config()
    assert len(again.losses) == 4  # one penalty for each kernel


def test_sizes_without_a_form_are_refused():
    with pytest.raises(ValueError, match="must be one of 32, 64, 128"):
        SmallBackbone(48)


def test_resnet_needs_keras_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    message = r"needs the package keras-hub: pip install 'vaegan-tf\[resnet\]'"
    with pytest.raises(ValueError, match=message):
        ResNet34Backbone(32)


class TestResNet:
    @pytest.fixture(scope="class")
    def backbone(self):
        pytest.importorskip("keras_hub")
        return ResNet34Backbone(32)

    def test_it_has_34_layers(self, backbone):
        layers = backbone.resnet.layers
        convolutions = [
            layer for layer in layers if isinstance(layer, keras.layers.Conv2D)
        ]
        three = [c for c in convolutions if c.kernel_size == (3, 3)]
        # Three at the entrance for the one of 7×7, 2 · (3 + 4 + 6 + 3) in
        # blocks; the 34th is the head. The others are shortcuts of 1×1.
        assert len(three) == 3 + 32
        assert {c.kernel_size for c in convolutions} == {(3, 3), (1, 1)}

    def test_features(self, backbone):
        features = backbone(images(32))["features"]
        assert features.shape == (2, backbone.num_features) == (2, 512)
        assert features.dtype == "float32"

    def test_images_are_standardised_as_those_of_imagenet(self, backbone):
        standard = backbone.get_layer("backbone_standard")
        mean = np.array([0.485, 0.456, 0.406]) * 2 - 1
        deviation = np.array([0.229, 0.224, 0.225]) * 2
        shown = np.stack([mean, mean + deviation])[:, None, None]
        np.testing.assert_allclose(
            standard(shown)[:, 0, 0], [[0] * 3, [1] * 3], atol=1e-5
        )

    def test_grey_images_are_taken_as_colour(self, backbone):
        grey = ResNet34Backbone(32, 1)
        grey.set_weights(backbone.get_weights())
        shown = images(32, 1)["image"]
        colour = np.repeat(shown, 3, axis=-1)
        np.testing.assert_allclose(
            grey({"image": shown})["features"],
            backbone({"image": colour})["features"],
            rtol=1e-5,
        )

    def test_weights_from_a_file_and_a_preset(self, backbone, tmp_path):
        expected = backbone(images(32))["features"]
        file = tmp_path / "resnet.weights.h5"
        backbone.resnet.save_weights(file)
        backbone.resnet.save_to_preset(tmp_path / "preset")
        for source in (file, tmp_path / "preset"):
            other = ResNet34Backbone(32)
            fresh = other(images(32))["features"]
            assert np.abs(fresh - expected).max() > 1e-3
            other.load_pretrained(str(source))
            np.testing.assert_allclose(
                other(images(32))["features"], expected, rtol=1e-5
            )

    def test_weights_that_are_none(self, backbone, tmp_path):
        wrong = tmp_path / "wrong.weights.h5"
        keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1)]
        ).save_weights(wrong)
        for source in (wrong, tmp_path / "nowhere"):
            with pytest.raises(ValueError, match="gives no weights for resn"):
                backbone.load_pretrained(str(source))


def test_an_encoder_gives_its_fully_connected_units():
    encoder = Encoder(32, latent_dim=4, width=0.05, encoder_units=100)
    backbone = EncoderBackbone(32, width=0.05, encoder_units=100)
    for layer in backbone.layers[:-1]:
        layer.set_weights(encoder.get_layer(layer.name).get_weights())
    features = backbone(images(32))["features"]
    assert features.shape == (2, 5) == (2, backbone.num_features)
    mean = encoder.get_layer("encoder_mean")(features)
    np.testing.assert_allclose(
        mean, encoder(images(32))["mean"], rtol=1e-5, atol=1e-6
    )
    assert "log_variance" not in " ".join(w.path for w in backbone.weights)


def test_an_encoder_of_a_run_gives_its_averaged_weights(trained):
    run = trained("vaegan")
    backbone = EncoderBackbone(32, width=0.05)
    backbone.load_pretrained(run)
    model = load_model(run)
    kernel = model.encoder_ema.get_layer("encoder_dense").kernel
    np.testing.assert_array_equal(
        backbone.get_layer("encoder_dense").kernel, kernel
    )
    assert np.abs(
        kernel - model.encoder.get_layer("encoder_dense").kernel
    ).max()


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("vaegan", {"width": 0.1}, "width=0.05, this predictor has width=0.1"),
        ("vaegan", {"encoder_units": 1024}, "has encoder_units=2048, this"),
        ("gan", {}, "A GAN cannot encode"),
    ],
)
def test_runs_whose_encoder_does_not_fit_are_refused(
    kind, options, problem, trained
):
    backbone = EncoderBackbone(32, **{"width": 0.05, **options})
    with pytest.raises(ValueError, match=problem):
        backbone.load_pretrained(trained(kind))
