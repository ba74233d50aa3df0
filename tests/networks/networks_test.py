import keras
import numpy as np
import pytest

from vaegan_tf.networks import Decoder, Discriminator, Encoder
from vaegan_tf.settings import VAEGANSettings

SIZES = (32, 64, 128)


def outputs_of(network, layers):
    """Shapes of the outputs of some layers, without the batch."""
    return [network.get_layer(name).output.shape[1:] for name in layers]


def test_the_encoder_is_that_of_the_paper():
    encoder = Encoder()
    convs = [f"encoder_conv_{index}" for index in range(3)]
    assert outputs_of(encoder, [*convs, "encoder_dense"]) == [
        (32, 32, 64),
        (16, 16, 128),
        (8, 8, 256),
        (2048,),
    ]
    assert encoder.output["mean"].shape == (None, 128)
    assert {encoder.get_layer(name).kernel_size for name in convs} == {(5, 5)}


def test_the_decoder_is_that_of_the_paper():
    decoder = Decoder()
    convs = [f"decoder_conv_{index}" for index in range(4)]
    assert outputs_of(decoder, ["decoder_dense", *convs]) == [
        (8 * 8 * 256,),
        (16, 16, 256),
        (32, 32, 128),
        (64, 64, 32),
        (64, 64, 3),
    ]
    assert {decoder.get_layer(name).kernel_size for name in convs} == {(5, 5)}


def test_the_discriminator_is_that_of_the_paper():
    discriminator = Discriminator()
    convs = [f"discriminator_conv_{index}" for index in range(4)]
    assert outputs_of(discriminator, [*convs, "discriminator_dense"]) == [
        (64, 64, 32),
        (32, 32, 128),
        (16, 16, 256),
        (8, 8, 256),
        (512,),
    ]
    # The first convolution is not normalised.
    names = {layer.name for layer in discriminator.layers}
    assert "discriminator_conv_0_norm" not in names
    assert "discriminator_conv_1_norm" in names


def test_parameters_are_those_of_the_table():
    # Kernels, biases where nothing is normalised, 4 numbers per normalised
    # channel, and the running variance of features.
    encoder = (
        25 * (3 * 64 + 64 * 128 + 128 * 256)
        + 8 * 8 * 256 * 2048
        + 4 * (64 + 128 + 256 + 2048)
        + 2 * (2048 + 1) * 128
    )
    decoder = (
        128 * 8 * 8 * 256
        + 25 * (256 * 256 + 256 * 128 + 128 * 32 + 32 * 3)
        + 3
        + 4 * (8 * 8 * 256 + 256 + 128 + 32)
    )
    discriminator = (
        25 * (3 * 32 + 32 * 128 + 128 * 256 + 256 * 256)
        + 32
        + 8 * 8 * 256 * 512
        + 4 * (128 + 256 + 256 + 512)
        + 512
        + 1
        + (32 + 128 + 256 + 256)
    )
    assert Encoder().count_params() == encoder
    assert Decoder().count_params() == decoder
    assert Discriminator().count_params() == discriminator


@pytest.mark.parametrize("num_attributes", [0, 3])
@pytest.mark.parametrize("num_channels", [1, 3])
@pytest.mark.parametrize("image_size", SIZES)
def test_all_sizes_go_through_8_by_8_maps(
    image_size, num_channels, num_attributes
):
    shape = {
        "image_size": image_size,
        "num_channels": num_channels,
        "num_attributes": num_attributes,
        "width": 0.05,
    }
    encoder, decoder = Encoder(**shape), Decoder(**shape)
    image = (None, image_size, image_size, num_channels)
    inputs = {tensor.name: tensor.shape for tensor in encoder.inputs}
    assert inputs["image"] == image
    assert inputs.get("attributes", (None, 0)) == (None, num_attributes)
    assert decoder.output_shape == image
    assert encoder.get_layer("encoder_flatten").input.shape[1:3] == (8, 8)
    discriminator = Discriminator(**shape)
    flat = discriminator.get_layer("discriminator_flatten")
    assert flat.input.shape[1:3] == (8, 8)


@pytest.mark.parametrize(
    ("image_size", "layers", "shapes"),
    [
        (64, (0,), [(64, 64)]),
        (64, (1,), [(32, 32)]),
        (64, (2, 3), [(16, 16), (8, 8)]),
        (64, (), [(64, 64), (32, 32), (16, 16), (8, 8)]),
        (32, (), [(32, 32), (16, 16), (8, 8)]),
        (128, (3,), [(16, 16)]),
    ],
)
def test_features_are_those_of_layers_l(image_size, layers, shapes):
    discriminator = Discriminator(image_size, feature_layers=layers, width=0.05)
    maps = discriminator.output["features"]
    assert [layer.shape[1:3] for layer in maps] == shapes


@pytest.mark.parametrize(
    ("image_size", "width", "layers", "count"),
    [
        (64, 1.0, (3,), 8 * 8 * 256),
        (64, 0.25, (1, 3), (32 * 32 * 32 + 8 * 8 * 64) / 2),
        (32, 0.5, (), (32 * 32 * 16 + 16 * 16 * 64 + 8 * 8 * 128) / 3),
    ],
)
def test_features_are_counted_as_the_mean_of_layers(
    image_size, width, layers, count
):
    discriminator = Discriminator(
        image_size, width=width, feature_layers=layers
    )
    assert discriminator.num_features == count


@pytest.mark.parametrize("normalization", ["batch", "group"])
def test_the_length_of_a_code_matters(normalization):
    decoder = Decoder(
        32, latent_dim=3, width=0.1, decoder_normalization=normalization
    )
    generator = np.random.default_rng(0)
    for weight in decoder.weights:  # Offsets start at 0; training moves them.
        if weight.name in ("bias", "beta"):
            weight.assign(generator.normal(size=weight.shape))
    code = generator.normal(size=(1, 3)).astype("f4")
    # So long that the ε of a normalisation makes no difference.
    near, far = (decoder({"latent": length * code}) for length in (50, 100))
    assert np.abs(near - far).max() > 0.01


def test_networks_are_those_of_a_models_settings():
    settings = VAEGANSettings(
        width=0.1,
        initializer="authors",
        weight_decay=1e-3,
        latent_dim=3,
        encoder_units=70,
        codes="centered",
        decoder_normalization="batch",
        upsampling="nearest",
        feature_layers=(1,),
        discriminator_normalization="spectral",
    )
    example = {"image_size": 32, "num_channels": 1, "num_attributes": 2}
    shared = {"width": 0.1, "initializer": "authors", "weight_decay": 1e-3}
    own = {
        Encoder: {"encoder_units": 70, "codes": "centered", "latent_dim": 3},
        Decoder: {
            "latent_dim": 3,
            "decoder_normalization": "batch",
            "upsampling": "nearest",
        },
        Discriminator: {
            "feature_layers": (1,),
            "discriminator_normalization": "spectral",
        },
    }
    for network, arguments in own.items():
        expected = network(**example, **shared, **arguments).get_config()
        made = network.from_settings(settings, **example)
        assert made.get_config() == expected


@pytest.mark.parametrize("layer", [0, 3])
def test_features_come_before_normalisation(layer):
    discriminator = Discriminator(64, width=0.05, feature_layers=(layer,))
    image = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3))
    tap = keras.Model(
        discriminator.input,
        discriminator.get_layer(f"discriminator_conv_{layer}").output,
    )
    np.testing.assert_array_equal(
        discriminator({"image": image})["features"][0], tap({"image": image})
    )


def test_attributes_matter_everywhere():
    shape = {"image_size": 32, "num_attributes": 2, "width": 0.05}
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3))
    latent = np.ones((1, 128), "float32")
    none, both = np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")
    for network, inputs in [
        (Encoder(**shape), {"image": image}),
        (Decoder(**shape), {"latent": latent}),
        (Discriminator(**shape), {"image": image}),
    ]:
        results = [
            network({**inputs, "attributes": attributes})
            for attributes in (none, both)
        ]
        results = [keras.tree.flatten(result)[-1] for result in results]
        assert np.abs(results[0] - results[1]).max() > 1e-4


def test_centered_codes_average_to_zero_over_a_batch():
    image = np.random.default_rng(0).uniform(-1, 1, (16, 32, 32, 3))
    encoder = Encoder(32, width=0.05, latent_dim=4, codes="centered")
    encoder.get_layer("encoder_mean").bias.assign([5.0, -3.0, 0.0, 1.0])
    norm = encoder.get_layer("encoder_mean_norm")
    norm.gamma.assign([0.5, 1.0, 2.0, 0.0])
    mean = encoder({"image": image}, training=True)["mean"].numpy()
    np.testing.assert_allclose(mean.mean(axis=0), 0, atol=1e-5)
    # The learned scale is the spread.
    np.testing.assert_allclose(mean.std(axis=0), [0.5, 1, 2, 0], rtol=1e-2)


def test_images_lie_between_minus_one_and_one():
    decoder = Decoder(32, width=0.1)
    images = decoder({"latent": 1000 * np.ones((1, 128), "float32")})
    assert np.abs(images).max() <= 1


def test_outputs_are_float32_under_mixed_precision():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        networks = [
            network(image_size=32, width=0.05)
            for network in (Encoder, Decoder, Discriminator)
        ]
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    for network in networks:
        for output in keras.tree.flatten(network.output):
            assert output.dtype == "float32"
        assert network.layers[1].compute_dtype == "bfloat16"


def test_the_authors_initializer_is_uniform_of_known_spread():
    encoder = Encoder(initializer="authors")
    kernel = encoder.get_layer("encoder_dense").kernel.numpy()
    limit = 1 / np.sqrt(3 * 8 * 8 * 256)
    assert np.abs(kernel).max() == pytest.approx(limit, rel=1e-3)
    # A uniform distribution's standard deviation is its limit over √3.
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=1e-2)


def test_weight_decay_is_a_penalty_on_kernels():
    decoder = Decoder(32, width=0.05, weight_decay=0.5)
    kernels = [w for w in decoder.weights if w.name == "kernel"]
    expected = 0.5 * sum(np.sum(np.square(kernel)) for kernel in kernels)
    assert len(kernels) == 4
    np.testing.assert_allclose(sum(decoder.losses), expected, rtol=1e-5)


@pytest.mark.parametrize("network", [Encoder, Decoder, Discriminator])
def test_networks_are_remade_from_their_configuration(network):
    made = network(
        32, 1, num_attributes=2, width=0.05, weight_decay=1e-5, name="other"
    )
    again = network.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert [w.shape for w in again.weights] == [w.shape for w in made.weights]


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (Encoder, {"image_size": 48}, r"`image_size` must be one of .*=48"),
        (Decoder, {"image_size": 256}, r"`image_size` must be one of .*=256"),
        (
            Encoder,
            {"num_channels": 2},
            r"`num_channels` must be one of 1, 3.*=2",
        ),
        (Encoder, {"latent_dim": 0}, "`latent_dim` must be at least 1"),
        (Encoder, {"width": 0}, "`width` must be at least 0.01"),
        (Encoder, {"initializer": "he"}, "`initializer` must be one of"),
        (Encoder, {"weight_decay": -1}, "`weight_decay` must be at least 0"),
        (
            Decoder,
            {"num_attributes": -1},
            "`num_attributes` must be at least 0",
        ),
        (Discriminator, {"feature_layers": (4,)}, r"between 0 and 3, .*=\(4,"),
        (Discriminator, {"feature_layers": (-1,)}, r"between 0 and 3, .*=\(-1"),
        (
            Decoder,
            {"decoder_normalization": "spectral"},
            "`decoder_normalization` must be one of batch, group",
        ),
        (Decoder, {"upsampling": "cubic"}, "`upsampling` must be one of"),
    ],
)
def test_bad_arguments_are_refused(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        network(**arguments)


@pytest.mark.parametrize(
    ("initializer", "starts_at_one"), [("glorot", True), ("authors", False)]
)
def test_posteriors_start_with_a_variance_of_one(initializer, starts_at_one):
    encoder = Encoder(image_size=32, width=0.05, initializer=initializer)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3))
    found = encoder({"image": image})["log_variance"].numpy()
    assert (found == 0).all() == starts_at_one
