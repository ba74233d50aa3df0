"""A SavedModel with one signature for each thing a model can do.

Signatures take float32 images in [−1, 1] and any batch size, and return
dicts. A model that lacks a network lacks its signatures; conditional
models take `attributes`, float32 (batch, num_attributes), too.

================  ==========================  =========================
signature         takes                       returns
================  ==========================  =========================
encode            image                       mean, log_variance
decode            latent                      image
reconstruct       image                       image, of the mean code
sample            count int32, seed int32     image
                  (2,)
sample_truncated  count, seed, truncation     image
                  float32
sample_mixture    count, seed                 image
features          image                       features of layer l
discriminate      image                       logit
distance          image_a, image_b            feature_distance,
                                              feature_nll,
                                              pixel_distance
================  ==========================  =========================

`distance` takes no attributes; what it returns, and in which units, says
`similarity.LearnedMetric`.
"""

import pathlib
import shutil

import tensorflow as tf

from vaegan_tf import noise
from vaegan_tf.similarity import LearnedMetric

_DRAW = {
    "count": tf.TensorSpec((), tf.int32),
    "seed": tf.TensorSpec((2,), tf.int32),
}


def export_saved_model(model, folder, mixture=None):
    """Writes a SavedModel that plain TensorFlow can load.

    Images are drawn by the averaged decoder if the model has one. Every
    variable is stored once.

    Args:
        model: A `GenerativeModel` that computes in float32.
        folder: Where to; replaced whole if it exists. TensorFlow Serving
            expects its name to be a number.
        mixture: A `MixtureSampler` for the signature `sample_mixture`; there
            is none without it.

    Raises:
        ValueError: If the folder holds something that is not a SavedModel.
        OSError: If it cannot be written; what was there before stays.
    """
    folder = pathlib.Path(folder)
    _check_replaceable(folder)
    partial = folder.with_name(f"partial-{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    module = _module(model, mixture)
    try:
        tf.saved_model.save(module, str(partial), signatures=module.endpoints)
    except (tf.errors.OpError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(f"Could not export to {folder}: {error}") from error
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _check_replaceable(folder):
    """Refuses a folder with something else in it: it would be deleted."""
    names = {path.name for path in folder.glob("*")}
    if names and "saved_model.pb" not in names:
        raise ValueError(
            f"{folder} holds something that is not a SavedModel. Choose "
            "another folder."
        )


def _module(model, mixture):
    """The variables that signatures need, beside the signatures."""
    endpoints = {}
    if hasattr(model, "encode"):
        endpoints |= _autoencoder_endpoints(model)
    endpoints |= _decoder_endpoints(model)
    endpoints |= _sampler_endpoints(model, mixture)
    if hasattr(model, "discriminator"):
        endpoints |= _discriminator_endpoints(model)
    module = tf.Module()
    module.endpoints = endpoints
    captured = {
        id(variable): variable
        for endpoint in endpoints.values()
        for variable in endpoint.variables
    }
    module.stored = list(captured.values())
    return module


def _autoencoder_endpoints(model):
    def reconstruct(**example):
        return {"image": model.reconstruct(**example)}

    image = _image_spec(model)
    return {
        "encode": _endpoint(model, model.encode, image=image),
        "reconstruct": _endpoint(model, reconstruct, image=image),
    }


def _decoder_endpoints(model):
    def decode(**arguments):
        return {"image": model.decode(**arguments)}

    def sample(**arguments):
        return {"image": model.sample(**arguments)}

    latent = tf.TensorSpec((None, model.latent_dim), tf.float32)
    return {
        "decode": _endpoint(model, decode, latent=latent),
        "sample": _endpoint(model, sample, **_DRAW),
    }


def _sampler_endpoints(model, mixture):
    def sample_truncated(count, seed, truncation, attributes=None):
        tf.debugging.assert_positive(truncation, "truncation must be positive")
        codes = noise.truncated_codes(count, model.latent_dim, seed, truncation)
        return {"image": model.decode(codes, attributes)}

    def sample_mixture(count, seed, attributes=None):
        codes = mixture.codes(count, seed)
        return {"image": model.decode(codes, attributes)}

    truncation = tf.TensorSpec((), tf.float32)
    endpoints = {
        "sample_truncated": _endpoint(
            model, sample_truncated, **_DRAW, truncation=truncation
        )
    }
    if mixture is not None:
        endpoints["sample_mixture"] = _endpoint(model, sample_mixture, **_DRAW)
    return endpoints


def _discriminator_endpoints(model):
    def judged(key):
        def judge(image, attributes=None):
            inputs = model.conditioned({"image": image}, attributes)
            return {key: model.discriminator(inputs, training=False)[key]}

        return judge

    def distance(image_a, image_b):
        return metric(image_a, image_b)

    image, metric = _image_spec(model), LearnedMetric(model)
    return {
        "features": _endpoint(model, judged("features"), image=image),
        "discriminate": _endpoint(model, judged("logit"), image=image),
        "distance": _traced(distance, image_a=image, image_b=image),
    }


def _image_spec(model):
    return tf.TensorSpec((None, *model.image_shape), tf.float32)


def _endpoint(model, function, **specs):
    """A function of keyword arguments, and attributes if conditional."""
    if model.num_attributes:
        specs["attributes"] = tf.TensorSpec(
            (None, model.num_attributes), tf.float32
        )
    return _traced(function, **specs)


def _traced(function, **specs):
    """A function of keyword arguments, traced for any batch size."""
    named = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name=name)
        for name, spec in specs.items()
    }
    traced = tf.function(lambda **inputs: function(**inputs), autograph=False)
    return traced.get_concrete_function(**named)
