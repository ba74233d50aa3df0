"""The page for browsers, as a file; browser_test.py opens it."""

import base64
import json
import re
import types

import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export import check_target, export_web
from vaegan_tf.export.saved_model import endpoints_of
from vaegan_tf.export.web import graph_model
from vaegan_tf.models import create_model

# What the converter of TensorFlow.js 4.22 knows, of what decoders need.
KNOWN = """
AddV2 BiasAdd BroadcastTo Const Conv2D Conv2DBackpropInput Einsum
FusedBatchNormV3 Identity IdentityN MatMul Mean Mul Neg NoOp Pack Placeholder
Relu Reshape Rsqrt Shape Square Squeeze StridedSlice Sub Tanh Unpack
"""
VECTORS = AttributeVectors(
    names=("Hat", "</script>"),
    counts=np.ones((2, 2), np.int64),
    vectors={"plain": np.arange(8, dtype=np.float32).reshape(2, 4) / 4},
    accuracies={"plain": np.ones(2)},
)


def small_model(**settings):
    return create_model(
        "vae", image_size=32, width=0.05, latent_dim=4, **settings
    )


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture
def runtime(tmp_path):
    """What looks like TensorFlow.js, and would end the page's script."""
    path = tmp_path / "tf.js"
    path.write_text("const loadGraphModel = '</script><!--';")
    return path


@pytest.mark.parametrize(
    ("normalization", "upsampling"),
    [("group", "nearest"), ("batch", "transposed")],
)
def test_graphs_have_constants_beside_them(normalization, upsampling):
    """A graph with its constants put back decodes as the model does."""
    model = small_model(
        decoder_normalization=normalization, upsampling=upsampling
    )
    graph = graph_model(endpoints_of(model)["decode"])
    nodes = graph["modelTopology"]["node"]
    assert {node["op"] for node in nodes} <= set(KNOWN.split())
    content, values = base64.b64decode(graph["weights"]), {}
    for spec in graph["weightSpecs"]:
        stored = spec.get("quantization", spec)["dtype"]
        count = int(np.prod(spec["shape"], dtype=int))
        array = np.frombuffer(content, stored, count).reshape(spec["shape"])
        content = content[array.nbytes :]
        values[spec["name"]] = array.astype(spec["dtype"])
    assert not content
    constants = {node["name"] for node in nodes if node["op"] == "Const"}
    assert constants == set(values)
    latent = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    expected = decoded_by(graph, values, latent)
    np.testing.assert_allclose(model.decode(latent), expected, atol=5e-3)


def decoded_by(graph, values, latent):
    """What TensorFlow computes by a graph with these constants."""
    from google.protobuf.json_format import ParseDict

    definition = ParseDict(graph["modelTopology"], tf.compat.v1.GraphDef())
    for node in definition.node:
        if node.op == "Const":
            dtype = tf.as_dtype(node.attr["dtype"].type).as_numpy_dtype
            proto = tf.make_tensor_proto(values[node.name].astype(dtype))
            node.attr["value"].tensor.CopyFrom(proto)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        return session.run(graph["output"], {graph["input"]: latent})


def test_the_page_is_one_file_that_loads_nothing(model, runtime, tmp_path):
    export_web(
        model,
        tmp_path / "page",
        VECTORS,
        "plain",
        runtime=runtime,
        title="Ada & Eve",
    )
    (file,) = (tmp_path / "page").iterdir()
    page = file.read_text()
    assert "<title>Ada &amp; Eve</title>" in page
    # The runtime and the names of attributes end no script.
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert scripts[0] == r"const loadGraphModel = '<\/script><\!--';"
    assert len(scripts) == 2
    facts = json.loads(re.search(r"const facts = (.*);\n", scripts[1])[1])
    assert facts["vectors"]["Hat"] == [0, 0.25, 0.5, 0.75]
    assert list(facts["vectors"]) == ["Hat", "</script>"]
    assert (facts["latent"], facts["size"], facts["channels"]) == (4, 32, 3)
    assert "default-src 'none'" in page
    assert re.findall(r"(?:src|href)=\S*", page) == ['href="data:,">']
    # Written again it replaces itself; but no page of somebody else.
    check_target(tmp_path / "page", "web")
    (tmp_path / "page" / "ada.png").touch()
    with pytest.raises(ValueError, match="not a page of this package"):
        check_target(tmp_path / "page", "web")
    (tmp_path / "page" / "ada.png").unlink()
    file.write_text("<title>Ada</title>")
    with pytest.raises(ValueError, match="not a page of this package"):
        check_target(tmp_path / "page", "web")


def test_a_model_without_vectors_says_so(model, runtime, tmp_path):
    export_web(model, tmp_path / "page", runtime=runtime)
    page = (tmp_path / "page" / "index.html").read_text()
    assert "This model has no attribute vectors." in page
    assert "<option>mixture</option>" not in page


def test_other_runtimes_and_conditional_models_are_refused(
    model, runtime, tmp_path
):
    page = tmp_path / "page"
    with pytest.raises(
        FileNotFoundError, match=r"npm install @tensorflow/tfjs"
    ):
        export_web(model, page, runtime=tmp_path / "none.js")
    other = tmp_path / "other.js"
    other.write_text("console.log('Hello')")
    with pytest.raises(ValueError, match="is not TensorFlow"):
        export_web(model, page, runtime=other)
    with pytest.raises(ValueError, match="without conditions"):
        export_web(
            types.SimpleNamespace(num_attributes=3), page, runtime=runtime
        )
    assert not page.exists()
