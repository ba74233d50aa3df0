"""One page that draws and edits faces in a browser, by itself.

The page holds the decoder, attribute vectors and the runtime, TensorFlow.js,
which its user installs with npm: of the runtimes for browsers it is the only
one small enough to lie inside a page (1 MB; those of ONNX and LiteRT have 14
and 9 MB and need a server). Nothing is loaded from elsewhere, so that the page
works from the disk.
"""

import base64
import os
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from vaegan_tf import files, templates
from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export.saved_model import endpoints_of
from vaegan_tf.export.targets import GENERATOR, check_target
from vaegan_tf.models import GenerativeModel
from vaegan_tf.sampling import MixtureSampler

RUNTIME = "node_modules/@tensorflow/tfjs/dist/tf.es2017.min.js"
_VERSION = "4.22.0"
_MAX_BYTES = 2**23  # of a runtime
_SMALLEST_HALF = 64  # Constants of fewer numbers are shapes and factors.


def export_web(
    model: GenerativeModel,
    folder: str | os.PathLike,
    vectors: AttributeVectors | None = None,
    kind: str = "balanced",
    mixture: MixtureSampler | None = None,
    *,
    runtime: str | os.PathLike = RUNTIME,
    title: str = "Faces",
) -> None:
    """Writes `index.html`, which needs no other file.

    The decoder's weights are in 16 bits.

    Args:
        model: A model without conditions that computes in float32.
        folder: Where to; replaced whole if it holds such a page.
        vectors: Attribute vectors, a slider for each.
        kind: Which of these.
        mixture: Where codes come from beside the prior.
        runtime: The file `tf.es2017.min.js` of the npm package
            `@tensorflow/tfjs`.
        title: What the page is called.

    Raises:
        FileNotFoundError: If there is no such runtime.
        ValueError: If the runtime is another file, the model is conditional,
            or the folder is a file or holds something else.
        OSError: If it cannot be written; what was there before stays.
    """
    folder = files.local(folder)
    check_target(folder, "web")
    if model.num_attributes:
        raise ValueError(
            "The page is for models without conditions; this one was trained "
            "with --conditional."
        )
    facts = {
        "latent": model.latent_dim,
        "size": model.image_shape[0],
        "channels": model.image_shape[2],
        "vectors": {}
        if vectors is None
        else dict(zip(vectors.names, _list(vectors.vectors[kind]))),
        "mixture": _triangular(mixture),
        "graph": graph_model(endpoints_of(model)["decode"]),
    }
    page = _page(title=title, facts=facts, runtime=read_runtime(runtime))
    with files.replacing_folder(folder, f".partial-{folder.name}") as partial:
        files.write_text(partial / "index.html", page)


def _page(**contents: Any) -> str:
    environment = templates.environment("vaegan_tf.export")
    # As the data set has them, not by the alphabet.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    template = environment.get_template("page.html")
    return template.render(generator=GENERATOR, **contents)


def read_runtime(path: str | os.PathLike) -> str:
    """TensorFlow.js as it may stand in a page; raises as `export_web`."""
    path = pathlib.Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"The page needs TensorFlow.js, and there is no {path}. In the "
            f"working folder: npm install @tensorflow/tfjs@{_VERSION}. Or "
            "give --runtime=FILE, the tf.es2017.min.js of that package."
        )
    files.check_regular(path)
    is_small = path.stat().st_size <= _MAX_BYTES
    text = path.read_text("utf-8", "replace") if is_small else ""
    if "loadGraphModel" not in text:
        raise ValueError(
            f"{path} is not TensorFlow.js: give the tf.es2017.min.js of the "
            f"npm package @tensorflow/tfjs@{_VERSION}."
        )
    # Would end the page's script where they stand in a text of it.
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--")


def graph_model(endpoint: Any) -> dict[str, Any]:
    """A function as TensorFlow.js reads graphs, variables made constants.

    Args:
        endpoint: A traced function of one input and one output.

    Returns:
        `modelTopology` and `weightSpecs` of its model.json; `weights`, base64;
        and the names `input` and `output`.
    """
    frozen = convert_variables_to_constants_v2(endpoint)
    graph = frozen.graph.as_graph_def()
    specs, content = [], []
    for node in graph.node:
        if node.op == "Const":
            value = tf.make_ndarray(node.attr["value"].tensor)
            del node.attr["value"]
            spec, data = _weight(node.name, value)
            specs.append(spec)
            content.append(data)
    return {
        "modelTopology": MessageToDict(graph),
        "weightSpecs": specs,
        "weights": base64.b64encode(b"".join(content)).decode("ascii"),
        "input": frozen.inputs[0].name,
        "output": frozen.outputs[0].name,
    }


def _weight(name: str, value: np.ndarray) -> tuple[dict[str, Any], bytes]:
    """How a constant is described to TensorFlow.js, and its bytes."""
    spec: dict[str, Any] = {"name": name, "shape": list(value.shape)}
    if value.dtype == np.float32:
        spec["dtype"] = "float32"
        if value.size >= _SMALLEST_HALF:
            half = {"dtype": "float16", "original_dtype": "float32"}
            spec["quantization"] = half
            value = value.astype(np.float16)
    else:  # Shapes and axes: it has no other integers.
        spec["dtype"] = "int32"
        value = value.astype(np.int32)
    return spec, value.tobytes()


def _triangular(mixture: MixtureSampler | None) -> dict[str, Any] | None:
    """A mixture, of each row of its scales what is not above the diagonal."""
    if mixture is None:
        return None
    return {
        "weights": _list(mixture.weights),
        "means": _list(mixture.means),
        "scales": [
            [_list(row[: index + 1]) for index, row in enumerate(scale)]
            for scale in mixture.scales
        ],
    }


def _list(values: np.ndarray) -> list[Any]:
    """Numbers to seven digits."""
    return values.astype(np.float64).round(7).tolist()
