"""Models for runtimes without TensorFlow: ONNX and LiteRT.

They have those signatures of a SavedModel that draw nothing: encode, decode and
discriminate, as far as the model has the networks, with the same names of
inputs and outputs and any batch size. Whoever runs them draws codes from
N(0, I), adds attribute vectors (`vectors.json`) to them, and decodes.
"""

import os
import pathlib
import tempfile

import tensorflow as tf

from vaegan_tf import files
from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export.saved_model import endpoints_of, module_of
from vaegan_tf.export.signatures import Endpoints
from vaegan_tf.export.targets import check_target
from vaegan_tf.models import GenerativeModel

PORTABLE = ("encode", "decode", "discriminate")
_OPSET = 18


def export_onnx(
    model: GenerativeModel,
    folder: str | os.PathLike,
    vectors: AttributeVectors | None = None,
    kind: str = "balanced",
) -> None:
    """Writes a file for each signature, such as `decode.onnx`.

    Args:
        model: A model that computes in float32.
        folder: Where to; replaced whole if it holds ONNX models.
        vectors: Attribute vectors to lie beside them as `vectors.json`.
        kind: Which of these.

    Raises:
        ImportError: If tf2onnx is not installed (extra `onnx`).
        ValueError: If the folder is a file, or holds something else.
        OSError: If it cannot be written; what was there before stays.
    """
    folder = files.local(folder)
    check_target(folder, "onnx")
    try:
        from tf2onnx.convert import from_function
    except ImportError as error:
        raise ImportError(
            "ONNX needs packages: pip install 'vaegan-tf[onnx]'."
        ) from error
    with files.replacing_folder(folder, f".partial-{folder.name}") as partial:
        for name, endpoint in _portable(model).items():
            specs = list(endpoint.structured_input_signature[1].values())
            proto, _ = from_function(
                _positional(endpoint, specs), specs, opset=_OPSET
            )
            content = proto.SerializeToString()
            files.write_bytes(partial / f"{name}.onnx", content)
        _write_vectors(partial, vectors, kind)


def export_litert(
    model: GenerativeModel,
    folder: str | os.PathLike,
    vectors: AttributeVectors | None = None,
    kind: str = "balanced",
) -> None:
    """Writes `model.tflite`, which has all signatures.

    Arguments and errors are those of `export_onnx`; no package is needed.
    """
    folder = files.local(folder)
    check_target(folder, "litert")
    endpoints = _portable(model)
    with (
        files.replacing_folder(folder, f".partial-{folder.name}") as partial,
        tempfile.TemporaryDirectory() as saved,
    ):
        module = module_of(endpoints)
        tf.saved_model.save(module, saved, signatures=endpoints)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            saved, signature_keys=list(endpoints)
        )
        files.write_bytes(partial / "model.tflite", converter.convert())
        _write_vectors(partial, vectors, kind)


def _portable(model: GenerativeModel) -> Endpoints:
    endpoints = endpoints_of(model)
    return {name: endpoints[name] for name in PORTABLE if name in endpoints}


def _positional(endpoint, specs):
    """The same function of arguments without names, as tf2onnx calls it."""
    names = [spec.name for spec in specs]
    return tf.function(
        lambda *inputs: endpoint(**dict(zip(names, inputs))),
        input_signature=specs,
        autograph=False,
    )


def _write_vectors(
    folder: pathlib.Path, vectors: AttributeVectors | None, kind: str
) -> None:
    if vectors is not None:
        rows = dict(zip(vectors.names, vectors.vectors[kind].tolist()))
        value = {"kind": kind, "vectors": rows}
        files.write_json(folder / "vectors.json", value)
