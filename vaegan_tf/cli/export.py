"""Writes a trained model as a SavedModel.

It has the signatures encode, decode, reconstruct, sample, sample_truncated,
sample_mixture (with --mixture), edit and attribute_vectors (with --vectors),
features, discriminate and distance, as far as the model has the networks for
them. Plain TensorFlow and TensorFlow Serving
load it.
"""

import pathlib
from typing import Any, cast

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import (
    VECTORS,
    MixtureSettings,
    SamplerParameters,
    TrainedModel,
)
from vaegan_tf.settings import setting


class ExportSettings(MixtureSettings):
    """Where the SavedModel goes, and what is in it."""

    output: str | None = setting(
        None,
        "Folder to write to (default: export/<step> in the run's folder).",
        is_path=True,
    )
    mixture: bool = setting(
        False,
        "Add the signature sample_mixture, whose codes come from a Gaussian "
        "mixture fitted to those of the training images.",
    )

    vectors: str | None = setting(
        None,
        "Add the signatures edit and attribute_vectors, with vectors of this "
        "kind; see vaegan-attributes.",
        choices=VECTORS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.components is not None and not self.mixture:
            raise ValueError("--components is for --mixture.")


def main(model: TrainedModel, export: ExportSettings) -> None:
    """Loads the model and exports it."""
    from vaegan_tf.attributes import attribute_vectors
    from vaegan_tf.export import check_target, export_saved_model
    from vaegan_tf.runs.run import CheckpointName

    if export.output:
        check_target(export.output)
    else:
        model.run.check_writable()
    able = "generate" if model.run.model_class.can("generate") else "sample"
    run, trained, step = model.open(able)
    mixture: Any = None
    if export.mixture:
        parameters = SamplerParameters(components=export.components)
        mixture = model.sampler("mixture", parameters)
    edits: Any = {}
    if export.vectors:
        checkpoint = cast(CheckpointName, model.checkpoint)
        edits["kind"] = export.vectors
        edits["vectors"] = attribute_vectors(
            run, checkpoint=checkpoint, model=trained
        )
    folder = pathlib.Path(export.output or run.exports / str(step))
    export_saved_model(trained, folder, mixture, **edits)
    logging.info("Exported the model of step %d to %s.", step, folder)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
