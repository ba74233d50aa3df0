"""Writes a trained model for others to run.

A SavedModel has the signatures encode, decode, reconstruct, sample,
sample_truncated, sample_mixture (with --mixture), edit and attribute_vectors
(with --vectors), features, discriminate and distance, as far as the model has
the networks for them; plain TensorFlow and TensorFlow Serving load it. ONNX and
LiteRT models encode, decode and discriminate. The format web is one page that
draws and edits faces in a browser without a server.
"""

import pathlib
from typing import Any

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import (
    MixtureSettings,
    SamplerParameters,
    TrainedModel,
)
from vaegan_tf.settings import setting
from vaegan_tf.settings.choices import VECTORS

FORMATS = ("saved_model", "onnx", "litert", "web")


class ExportSettings(MixtureSettings):
    """What is written, where to, and what is in it."""

    format: str = setting(
        "saved_model",
        "SavedModel; ONNX (extra onnx); LiteRT, once TensorFlow Lite; or a "
        "page for browsers.",
        choices=FORMATS,
    )
    output: str | None = setting(
        None,
        "Folder to write to (default: in the run's folder, export/<step> or "
        "export/<step>-<format>).",
        is_path=True,
    )
    mixture: bool = setting(
        False,
        "Fit a Gaussian mixture to codes of the training images. A SavedModel "
        "gets the signature sample_mixture; a page, which takes the mixture "
        "that the run has in any case, draws from it.",
    )
    vectors: str | None = setting(
        None,
        "Add attribute vectors of this kind; see vaegan-attributes. A "
        "SavedModel gets the signatures edit and attribute_vectors, ONNX and "
        "LiteRT a file vectors.json, a page its sliders.",
        choices=VECTORS,
    )
    runtime: str = setting(
        "node_modules/@tensorflow/tfjs/dist/tf.es2017.min.js",
        "What computes in a page: this file of the npm package "
        "@tensorflow/tfjs.",
        is_path=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.components is not None and not self.mixture:
            raise ValueError("--components is for --mixture.")
        if self.mixture and self.format not in ("saved_model", "web"):
            raise ValueError(
                "--mixture is for --format=saved_model and --format=web."
            )


def main(model: TrainedModel, export: ExportSettings) -> None:
    """Loads the model and exports it."""
    from vaegan_tf import export as formats

    if export.output:
        formats.check_target(export.output, export.format)
    elif model.run.is_published:
        raise ValueError(
            "--output is needed: nothing is written to published weights."
        )
    else:
        model.run.check_writable()
    is_saved = export.format == "saved_model"
    able = formats.served_ability(model.run.model_class) if is_saved else None
    run, trained, step = model.open(able or "sample")
    name = f"{step}" if is_saved else f"{step}-{export.format}"
    folder = pathlib.Path(export.output or run.exports / name)
    write = getattr(formats, f"export_{export.format}")
    write(trained, folder, **_options(model, export, trained))
    logging.info("Exported the model of step %d to %s.", step, folder)


def _options(model, export, trained):
    """What goes with the networks, as arguments of the exporters."""
    from vaegan_tf.attributes import attribute_vectors, kept_vectors
    from vaegan_tf.sampling import kept_mixture

    options: dict[str, Any] = {}
    if export.mixture:
        parameters = SamplerParameters(components=export.components)
        options["mixture"] = model.sampler("mixture", parameters)
    if export.vectors:
        options["kind"] = export.vectors
        options["vectors"] = attribute_vectors(
            model.run, checkpoint=model.checkpoint, model=trained
        )
    if export.format == "web":
        options["runtime"] = export.runtime
        options["title"] = model.run.folder.resolve().name
        kept = model.run, model.checkpoint
        options.setdefault("vectors", kept_vectors(*kept))
        options.setdefault("mixture", kept_mixture(*kept))
    return options


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
