"""ONNX and LiteRT models compute what the SavedModel computes."""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export import (
    check_target,
    export_litert,
    export_onnx,
    export_saved_model,
)
from vaegan_tf.models import create_model

NAMES = ["decode", "discriminate", "encode"]
VECTORS = AttributeVectors(
    names=("Hat", "Beard"),
    counts=np.ones((2, 2), np.int64),
    vectors={"balanced": np.arange(8, dtype=np.float32).reshape(2, 4) / 4},
    accuracies={"balanced": np.ones(2)},
)


@pytest.fixture(scope="module")
def model():
    """A conditional one: all inputs that there can be."""
    return create_model(
        "vaegan", image_size=32, width=0.05, latent_dim=4, num_attributes=3
    )


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """The signatures of its SavedModel."""
    folder = tmp_path_factory.mktemp("saved") / "1"
    export_saved_model(model, folder)
    return tf.saved_model.load(str(folder)).signatures


def inputs_of(name, count):
    """Inputs of a signature, for so many examples."""
    generator = np.random.default_rng(count)
    shape = (count, 4) if name == "decode" else (count, 32, 32, 3)
    first = generator.uniform(-1, 1, shape).astype(np.float32)
    attributes = generator.uniform(0, 1, (count, 3)).astype(np.float32)
    key = "latent" if name == "decode" else "image"
    return {key: first, "attributes": attributes}


def assert_same(served, name, run):
    """`run` computes what a signature computes, of one image and of three."""
    for count in (1, 3):
        inputs = inputs_of(name, count)
        expected = served[name](
            **{k: tf.constant(v) for k, v in inputs.items()}
        )
        received = run(inputs)
        assert set(received) == set(expected)
        for key, values in expected.items():
            np.testing.assert_allclose(received[key], values, atol=1e-4)


def test_litert_computes_what_the_saved_model_computes(model, served, tmp_path):
    export_litert(model, tmp_path / "litert", VECTORS)
    content = (tmp_path / "litert" / "model.tflite").read_bytes()
    interpreter = tf.lite.Interpreter(model_content=content)
    assert sorted(interpreter.get_signature_list()) == NAMES
    for name in NAMES:
        runner = interpreter.get_signature_runner(name)
        assert_same(served, name, lambda inputs, run=runner: run(**inputs))
    kept = json.loads((tmp_path / "litert" / "vectors.json").read_text())
    assert kept == {
        "kind": "balanced",
        "vectors": {"Hat": [0, 0.25, 0.5, 0.75], "Beard": [1, 1.25, 1.5, 1.75]},
    }


def test_onnx_computes_what_the_saved_model_computes(model, served, tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra onnx is missing")
    runtime = pytest.importorskip("onnxruntime")
    export_onnx(model, tmp_path / "onnx")
    files = sorted(path.name for path in (tmp_path / "onnx").iterdir())
    assert files == [f"{name}.onnx" for name in NAMES]
    for name in NAMES:
        session = runtime.InferenceSession(
            tmp_path / "onnx" / f"{name}.onnx",
            providers=["CPUExecutionProvider"],
        )
        outputs = [output.name for output in session.get_outputs()]

        def run(inputs, session=session, outputs=outputs):
            return dict(zip(outputs, session.run(outputs, inputs)))

        assert_same(served, name, run)


def test_without_tf2onnx_the_extra_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx.convert", None)
    with pytest.raises(ImportError, match=r"vaegan-tf\[onnx\]"):
        export_onnx(model, tmp_path / "onnx")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("saved_model", "saved_model.pb"),
        ("onnx", "decode.onnx"),
        ("litert", "model.tflite"),
    ],
)
def test_only_an_export_of_the_same_kind_is_replaced(tmp_path, kind, own):
    check_target(tmp_path, kind)
    (tmp_path / "ada.png").touch()
    with pytest.raises(ValueError, match="Choose another folder"):
        check_target(tmp_path, kind)
    (tmp_path / own).touch()
    check_target(tmp_path, kind)
    with pytest.raises(ValueError, match="is a file"):
        check_target(tmp_path / own, kind)
