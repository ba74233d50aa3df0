"""A SavedModel with one signature for each thing a model can do.

Signatures take float32 images in [−1, 1] and any batch size, and return
dicts. A model that lacks a network lacks its signatures; conditional
models take `attributes`, float32 (batch, num_attributes), too.

================  ===============================  =======================
signature         takes                            returns
================  ===============================  =======================
encode            image                            mean, log_variance
decode            latent                           image
reconstruct       image                            image, of the mean code
sample            count int32, seed int32 (2,)     image
sample_truncated  count, seed, truncation float32  image
sample_mixture    count, seed                      image
edit              image, strength float32          image
                  (batch, k)
attribute_vectors nothing                          names (k,), vectors
                                                   (k, latent)
features          image                            features of layer l
discriminate      image                            logit
distance          image_a, image_b                 see below
generate          attributes, seed                 feature
================  ===============================  =======================

`distance` takes no attributes. It returns `feature_distance`, `feature_nll`
and `pixel_distance`, in the units of `similarity.LearnedMetric`. `edit` adds to
the mean code each of k attribute vectors as often as `strength` says; one row
serves a whole batch. The asset `attributes.txt` has their names, one a line.
`generate` is the only one of models of features: see `feature_model`. Those of
models of one picture or clip are listed in `patch_model`.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from vaegan_tf import files, noise
from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export.feature_model import feature_endpoints
from vaegan_tf.export.patch_model import patch_endpoints
from vaegan_tf.export.signatures import COUNT, SEED, Endpoints, traced
from vaegan_tf.export.targets import check_target
from vaegan_tf.models import GenerativeModel, ObjectiveModel
from vaegan_tf.patch import HPVAEGAN
from vaegan_tf.sampling import MixtureSampler
from vaegan_tf.similarity import LearnedMetric

SERVED = ("sample", "generate", "draw")  # Abilities; it takes one.


def export_saved_model(
    model: GenerativeModel | FeatureModel | HPVAEGAN,
    folder: str | os.PathLike,
    mixture: MixtureSampler | None = None,
    vectors: AttributeVectors | None = None,
    kind: str = "balanced",
) -> None:
    """Writes a SavedModel that plain TensorFlow can load.

    Images are drawn by the averaged decoder if the model has one. Every
    variable is stored once.

    Args:
        model: A model that computes in float32.
        folder: Where to; replaced whole if it exists. TensorFlow Serving
            expects its name to be a number.
        mixture: For the signature `sample_mixture`; there is none without it.
        vectors: For the signatures `edit` and `attribute_vectors`; the same.
        kind: Which of these vectors.

    Raises:
        ValueError: If the folder is a file or a URL, or holds something that
            is not a SavedModel.
        OSError: If it cannot be written; what was there before stays.
    """
    folder = files.local(folder)
    check_target(folder, "saved_model")
    endpoints = endpoints_of(model, mixture)
    if vectors is not None:
        endpoints |= _edit_endpoints(model, vectors, kind)
    module = module_of(endpoints)
    try:
        name = f".partial-{folder.resolve().name}"
        with (
            files.replacing_folder(folder, name) as partial,
            _names_asset(vectors) as module.attribute_names,
        ):
            tf.saved_model.save(
                module, str(partial), signatures=module.endpoints
            )
    except (tf.errors.OpError, OSError) as error:
        raise OSError(f"Could not export to {folder}: {error}") from error


def served_ability(model: type[ObjectiveModel]) -> str | None:
    """The ability for which a model can be exported, if it has one."""
    return next((name for name in SERVED if model.can(name)), None)


def endpoints_of(
    model: GenerativeModel | FeatureModel | HPVAEGAN,
    mixture: MixtureSampler | None = None,
) -> Endpoints:
    """The signatures of what a model can do, traced, by their names."""
    if isinstance(model, FeatureModel):
        return feature_endpoints(model)
    if isinstance(model, HPVAEGAN):
        return patch_endpoints(model)
    endpoints = _decoder_endpoints(model, mixture)
    if model.can("encode"):
        image = _images(model, "image")
        endpoints["encode"] = _endpoint(model, model.encode, image)
        endpoints["reconstruct"] = _endpoint(model, model.reconstruct, image)
    if model.can("discriminate"):
        endpoints |= _discriminator_endpoints(model)
    return endpoints


def module_of(endpoints: Endpoints) -> tf.Module:
    """The variables that signatures need, beside the signatures."""
    module = tf.Module()
    module.endpoints = endpoints
    captured = {
        id(variable): variable
        for endpoint in endpoints.values()
        for variable in endpoint.variables
    }
    module.stored = list(captured.values())
    return module


def _decoder_endpoints(
    model: GenerativeModel, mixture: MixtureSampler | None
) -> Endpoints:
    def truncated(count, seed, truncation):
        tf.debugging.assert_positive(truncation, "truncation must be positive")
        return noise.truncated_codes(count, model.latent_dim, seed, truncation)

    def sample(codes, *specs):
        def decoded(attributes=None, **inputs):
            return model.decode(codes(**inputs), attributes)

        return _endpoint(model, decoded, COUNT, SEED, *specs)

    latent = tf.TensorSpec((None, model.latent_dim), tf.float32, "latent")
    truncation = tf.TensorSpec((), tf.float32, "truncation")
    endpoints = {
        "decode": _endpoint(model, model.decode, latent),
        "sample": _endpoint(model, model.sample, COUNT, SEED),
        "sample_truncated": sample(truncated, truncation),
    }
    if mixture is not None:
        endpoints["sample_mixture"] = sample(mixture.codes)
    return endpoints


def _edit_endpoints(
    model: GenerativeModel, vectors: AttributeVectors, kind: str
) -> Endpoints:
    rows = tf.constant(vectors.vectors[kind])

    def edit(image, strength):
        return {
            "image": model.decode(model.encode(image)["mean"] + strength @ rows)
        }

    def named():
        return {"names": tf.constant(vectors.names), "vectors": rows}

    strength = tf.TensorSpec((None, len(vectors.names)), tf.float32, "strength")
    return {
        "edit": traced(edit, _images(model, "image"), strength),
        "attribute_vectors": traced(named),
    }


@contextlib.contextmanager
def _names_asset(
    vectors: AttributeVectors | None,
) -> Iterator[tf.saved_model.Asset | None]:
    """A file of the attributes' names, to be copied beside the model."""
    if vectors is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "attributes.txt")
        files.write_text(path, "".join(f"{name}\n" for name in vectors.names))
        yield tf.saved_model.Asset(path)


def _discriminator_endpoints(model: GenerativeModel) -> Endpoints:
    image = _images(model, "image")
    metric = LearnedMetric(model)

    def features(image, attributes=None):
        layers = model.discriminator.feature_layers
        maps = model.features(image, attributes)
        return {f"features_{layer}": m for layer, m in zip(layers, maps)}

    return {
        "features": _endpoint(model, features, image),
        "discriminate": _endpoint(
            model, model.discriminate, image, output="logit"
        ),
        "distance": traced(
            lambda image_a, image_b: metric(image_a, image_b),
            _images(model, "image_a"),
            _images(model, "image_b"),
        ),
    }


def _images(model: GenerativeModel, name: str) -> tf.TensorSpec:
    return tf.TensorSpec((None, *model.image_shape), tf.float32, name)


def _endpoint(
    model: GenerativeModel,
    function: Callable,
    *specs: tf.TensorSpec,
    output: str = "image",
) -> Any:
    """A traced function that returns a dict; conditional as the model is."""

    def named(**inputs):
        result = function(**inputs)
        return result if isinstance(result, dict) else {output: result}

    if model.num_attributes:
        shape = (None, model.num_attributes)
        specs += (tf.TensorSpec(shape, tf.float32, "attributes"),)
    return traced(named, *specs)
