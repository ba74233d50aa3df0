"""What can be watched while a model trains: TensorBoard, Weights & Biases."""

import html
import io
import os
import pathlib
import time
import types
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from absl import logging
from google.protobuf import text_format
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.hparams import api as hparams_api
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import summary as hparams_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.projector import projector_config_pb2
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.plugins.text import summary_v2 as text_summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from vaegan_tf import images as pictures

_HPARAM_TYPES = {
    bool: api_pb2.DATA_TYPE_BOOL,
    int: api_pb2.DATA_TYPE_FLOAT64,
    float: api_pb2.DATA_TYPE_FLOAT64,
    str: api_pb2.DATA_TYPE_STRING,
}


class SummaryWriter:
    """Writes one run's TensorBoard logs and mirrors them to Weights & Biases.

    Events are made with TensorBoard's own protocol-buffer builders rather than
    `tf.summary`: only so can a run say where it resumes, and no summary takes
    part in a graph or a distribution strategy.

    Weights & Biases never stops a run: if it is not installed, offline or
    fails, one line is logged and the mirror stays silent.

    Args:
        folder: The TensorBoard log folder, made if missing.
        wandb_project: The Weights & Biases project to mirror to, if any.
        run_name: The run's name there; by default the folder's.
        config: The run's settings, shown there.
        step: Training steps done so far. TensorBoard then drops the records of
            later steps, which a killed run may have left.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        wandb_project: str | None = None,
        run_name: str | None = None,
        config: Mapping[str, Any] | None = None,
        step: int = 0,
    ):
        self._folder = pathlib.Path(folder)
        self._events = EventFileWriter(os.fspath(folder))
        self._mirror = _Mirror(self._folder, wandb_project, run_name, config)
        self.rewind(step)

    def rewind(self, step: int) -> None:
        """Makes TensorBoard drop all records of steps after `step`."""
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        # TensorBoard drops what is at the start event's step or later.
        self._write(step + 1, session_log=start)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers, each a curve over the steps.

        Args:
            step: The training step.
            values: Numbers by name; Python, numpy or tensor scalars.
        """
        values = {name: float(value) for name, value in values.items()}
        for name, value in values.items():
            self._summary(step, scalar_summary.scalar_pb(name, value))
        self._mirror.log(step, lambda wandb: values)

    def images(self, step: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes pictures.

        Args:
            step: The training step.
            values: Pictures by name, uint8, (height, width, 3).

        Raises:
            ValueError: If one is no picture.
        """
        for name, picture in values.items():
            self._summary(step, _image_summary(name, picture))
        self._mirror.log(
            step,
            lambda wandb: {k: wandb.Image(v) for k, v in values.items()},
        )

    def histograms(self, step: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes the distribution of each array's finite values.

        Args:
            step: The training step.
            values: Arrays of any shape by name; one without a finite value is
                left out.
        """
        finite = {name: _finite(array) for name, array in values.items()}
        finite = {name: array for name, array in finite.items() if array.size}
        for name, array in finite.items():
            self._summary(step, histogram_summary.histogram_pb(name, array))
        self._mirror.log(
            step,
            lambda wandb: {k: wandb.Histogram(v) for k, v in finite.items()},
        )

    def text(self, step: int, name: str, markdown: str) -> None:
        """Writes a note in Markdown."""
        self._summary(step, text_summary.text_pb(name, markdown))
        note = f"<pre>{html.escape(markdown)}</pre>"
        self._mirror.log(step, lambda wandb: {name: wandb.Html(note)})

    def hparams(
        self, hparams: Mapping[str, Any], metrics: Sequence[str] = ()
    ) -> None:
        """Writes the settings for TensorBoard's table of runs.

        Args:
            hparams: Settings by name. Nested mappings become `outer/inner`,
                sequences comma-separated text; None is left out.
            metrics: Tags of the scalars shown beside the settings; by default
                all.
        """
        values = flatten_hparams(hparams)
        if metrics:
            self._summary(0, _experiment_summary(values, metrics))
        self._summary(0, hparams_api.hparams_pb(values))

    def projector(
        self,
        codes: np.ndarray,
        images: np.ndarray,
        labels: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Writes codes with thumbnails for TensorBoard's embedding projector.

        Args:
            codes: Latent vectors, (n, latent).
            images: The images they stand for, float in [-1, 1] or uint8,
                (n, height, width, 1 or 3).
            labels: n values by attribute, to colour and search the points by;
                booleans are written as yes and no.

        Raises:
            ValueError: If the numbers of codes, images and labels differ, or if
                there are more images than a sprite holds.
        """
        codes, images = np.asarray(codes), np.asarray(images)
        labels = {name: list(values) for name, values in (labels or {}).items()}
        _check_counts(codes, images, labels)
        size = min(32, *images.shape[1:3])
        sprite = pictures.contact_sheet_sprite(images, size)
        pictures.write_png(self._folder / "sprite.png", sprite)
        self._write_file("latents.tsv", _tensor_table(codes))
        if labels:
            self._write_file("metadata.tsv", _label_table(labels))
        config = _projector_config(codes.shape, bool(labels), size)
        self._write_file("projector_config.pbtxt", config)

    def flush(self) -> None:
        """Puts all records on disk."""
        self._events.flush()

    def close(self) -> None:
        """Ends the logs; nothing can be written after it."""
        self._events.close()
        self._mirror.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def _summary(self, step: int, summary: summary_pb2.Summary) -> None:
        self._write(step, summary=summary)

    def _write(self, step: int, **content: Any) -> None:
        event = event_pb2.Event(
            step=int(step), wall_time=time.time(), **content
        )
        self._events.add_event(event)

    def _write_file(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding="utf-8")


def attribute_latents(
    codes: np.ndarray, attributes: np.ndarray, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Projects codes on the direction in which each attribute lies.

    The direction is the mean code with the attribute less the mean code without
    it, scaled to unit length. The further apart the two distributions, the
    better the codes hold the attribute.

    Args:
        codes: Latent vectors, (n, latent).
        attributes: True, or a positive number, where the attribute is present,
            (n, num_attributes).
        names: The attributes' names, (num_attributes,).

    Returns:
        For each attribute, `latents/<name>/with` and `latents/<name>/without`:
        the projections of the codes with and without it, each (number of
        these,). An attribute that all or no examples have is left out, and one
        whose two means agree.

    Raises:
        ValueError: If the shapes do not belong together.
    """
    codes = np.asarray(codes, np.float64)
    present = np.asarray(attributes) > 0
    if present.shape != (len(codes), len(names)) or codes.ndim != 2:
        raise ValueError(
            "`codes` must have shape (n, latent) and `attributes` (n, number "
            f"of names). Received: {codes.shape}, {present.shape}, {names}."
        )
    result = {}
    for name, mask in zip(names, present.T):
        result |= _split_by(codes, mask, f"latents/{name}")
    return result


def flatten_hparams(
    hparams: Mapping[str, Any],
) -> dict[str, bool | int | float | str]:
    """Turns settings into the four types that TensorBoard's table takes.

    Args:
        hparams: Settings by name. Nested mappings become `outer/inner`,
            sequences comma-separated text; None is left out; what is none of
            these becomes text.

    Returns:
        One level of bool, int, float or str by name.
    """
    flat = {}
    for name, value in hparams.items():
        if isinstance(value, Mapping):
            inner = flatten_hparams(value)
            flat |= {f"{name}/{key}": item for key, item in inner.items()}
        elif value is not None:
            flat[name] = _plain(value)
    return flat


def _plain(value: Any) -> bool | int | float | str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sequence):
        return ",".join(str(item) for item in value)
    return str(value)


def _split_by(
    codes: np.ndarray, mask: np.ndarray, prefix: str
) -> dict[str, np.ndarray]:
    if mask.all() or not mask.any():
        return {}
    direction = codes[mask].mean(0) - codes[~mask].mean(0)
    length = np.linalg.norm(direction)
    if not length > 0:  # also for NaN
        return {}
    projections = codes @ (direction / length)
    return {
        f"{prefix}/with": projections[mask],
        f"{prefix}/without": projections[~mask],
    }


def _finite(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, np.float64).ravel()
    return array[np.isfinite(array)]


def _image_summary(name: str, picture: np.ndarray) -> summary_pb2.Summary:
    content = pictures.encode_png(picture)
    height, width, _ = np.shape(picture)
    # TensorBoard's form of images: the sizes as text, then the PNG files.
    tensor = tensor_util.make_tensor_proto(
        [str(width).encode(), str(height).encode(), content]
    )
    value = summary_pb2.Summary.Value(
        tag=name,
        metadata=image_metadata.create_summary_metadata(None, None),
        tensor=tensor,
    )
    return summary_pb2.Summary(value=[value])


def _experiment_summary(
    values: Mapping[str, bool | int | float | str], metrics: Sequence[str]
) -> summary_pb2.Summary:
    # No domains: TensorBoard reads this of one run only, and a domain would
    # hide other runs' values.
    infos = [
        api_pb2.HParamInfo(name=name, type=_HPARAM_TYPES[type(value)])
        for name, value in values.items()
    ]
    summary = hparams_summary.experiment_pb(
        infos, [hparams_api.Metric(tag).as_proto() for tag in metrics]
    )
    # From TensorFlow's class of the same message to TensorBoard's.
    return summary_pb2.Summary.FromString(summary.SerializeToString())


def _check_counts(
    codes: np.ndarray, images: np.ndarray, labels: Mapping[str, Sequence[Any]]
) -> None:
    counts = {name: len(values) for name, values in labels.items()}
    if {len(images), *counts.values()} - {len(codes)}:
        raise ValueError(
            "There must be one image and one value of each label per code. "
            f"Received: {len(codes)} codes, {len(images)} images, "
            f"labels {counts}."
        )


def _tensor_table(codes: np.ndarray) -> str:
    table = io.StringIO()
    np.savetxt(table, codes, fmt="%.6g", delimiter="\t")
    return table.getvalue()


def _label_table(labels: Mapping[str, Sequence[Any]]) -> str:
    columns = [[_label(value) for value in col] for col in labels.values()]
    lines = list(zip(*columns))
    # The projector takes a single column's header for a value.
    if len(columns) > 1:
        lines.insert(0, [_label(name) for name in labels])
    return "".join("\t".join(line) + "\n" for line in lines)


def _label(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return " ".join(str(value).split()) or "-"


def _projector_config(
    shape: tuple[int, ...], has_labels: bool, size: int
) -> str:
    sprite = projector_config_pb2.SpriteMetadata(
        image_path="sprite.png", single_image_dim=[size, size]
    )
    embedding = projector_config_pb2.EmbeddingInfo(
        tensor_name="latents",
        tensor_path="latents.tsv",
        tensor_shape=shape,
        metadata_path="metadata.tsv" if has_labels else "",
        sprite=sprite,
    )
    config = projector_config_pb2.ProjectorConfig(embeddings=[embedding])
    return text_format.MessageToString(config)


class _Mirror:
    """A Weights & Biases run, or nothing; never raises on its account."""

    def __init__(
        self,
        folder: pathlib.Path,
        project: str | None,
        name: str | None,
        config: Mapping[str, Any] | None,
    ):
        self._wandb: types.ModuleType | None = None
        self._run = None
        if not project:
            return
        os.environ.setdefault("WANDB_SILENT", "true")  # its login() too
        try:
            import wandb

            self._run = wandb.init(
                project=project,
                name=name or folder.resolve().name,
                config=dict(config or {}),
                dir=os.fspath(folder),
                id=_run_id(folder / "wandb_run_id"),
                resume="allow",
                # No prompt for a key and no endless wait for a network.
                settings={
                    "silent": True,
                    "init_timeout": 20,
                    "login_timeout": 10,
                },
            )
            self._wandb = wandb
        except Exception as error:
            self._give_up(error)

    def log(
        self, step: int, make: Callable[[types.ModuleType], Mapping[str, Any]]
    ) -> None:
        if self._run is None:
            return
        try:
            self._run.log(dict(make(self._wandb)), step=int(step))
        except Exception as error:
            self._give_up(error)

    def finish(self) -> None:
        if self._run is None:
            return
        try:
            self._run.finish()
        except Exception as error:
            self._give_up(error)
        self._run = None

    def _give_up(self, error: Exception) -> None:
        self._run = None
        logging.info(
            "Not mirroring to Weights & Biases: %s",
            " ".join(str(error).split()) or type(error).__name__,
        )


def _run_id(path: pathlib.Path) -> str:
    """Returns the run's name at the server, the same when it is resumed."""
    if not path.exists():
        path.write_text(uuid.uuid4().hex, encoding="utf-8")
    return path.read_text(encoding="utf-8")
