"""What can be watched while a model trains, in TensorBoard?"""

import contextlib
import io
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import tensorflow as tf
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins import projector
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as scalars_metadata
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams.api import hparams_pb
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from vaegan_tf import files
from vaegan_tf import images as pictures
from vaegan_tf.errors import first_line
from vaegan_tf.training.mirror import Mirror

# What the paper calls the terms.
_GAN = "-L_GAN: real, reconstructed, generated"
_TITLES = {
    "kl": "L_prior: kl",
    "uniformity": "How crowded the codes are: uniformity",
    "pixel_nll": "L_llike of pixels: pixel_nll",
    "feature_nll": "L_llike of layers l: feature_nll",
    "real": _GAN,
    "reconstructed": _GAN,
    "generated": _GAN,
    "fooling": "What the decoder adds to it: fooling",
}
_OBJECTIVES = {
    "What each network minimises": "^loss/",
    "Length of its gradient": "^gradient_norm/",
}


class SummaryWriter:
    """Writes one run's TensorBoard logs and mirrors them to Weights & Biases.

    Events are TensorBoard's own protocol buffers, not `tf.summary`'s: only so
    can a run say where it resumes, and no summary takes part in a graph or a
    distribution strategy. What is written can be read at once.

    If Weights & Biases is not installed, offline or fails, one line is logged
    and nothing is mirrored any more; the run does not stop.

    Args:
        folder: TensorBoard's folder, made if missing.
        wandb_project: The Weights & Biases project to mirror to, if any.
        run_name: The run's name there; by default the folder's.
        config: The run's settings, shown there.
        step: Steps made so far; see `rewind`.
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
        self._mirror = Mirror(self._folder, wandb_project, run_name, config)
        self.rewind(step)

    def rewind(self, step: int) -> None:
        """Makes TensorBoard drop later steps, which a killed run may leave."""
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        # TensorBoard drops what is at the start event's step or later.
        self._add_event(step + 1, session_log=start)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes numbers, each a curve over the steps."""
        values = {name: float(value) for name, value in values.items()}
        self._write(step, values, scalar_pb)

    def images(self, step: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes images, uint8 (height, width, 3)."""
        self._write(step, values, _image_pb, "Image")

    def histograms(self, step: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes the distribution of the finite values that an array has."""
        arrays = {k: np.asarray(v, float) for k, v in values.items()}
        finite = {k: array[np.isfinite(array)] for k, array in arrays.items()}
        finite = {k: array for k, array in finite.items() if array.size}
        self._write(step, finite, histogram_pb, "Histogram")

    def hparams(self, settings: Mapping[str, Any]) -> None:
        """Writes settings for TensorBoard's table; see `flatten_hparams`."""
        self._add_event(0, summary=hparams_pb(flatten_hparams(settings)))
        self._flush()

    def layout(self, term_names: Sequence[str]) -> None:
        """Writes which curves share a chart on TensorBoard's custom page.

        Every term has one, of the training and of held-out images beside it;
        the terms of L_GAN share one.
        """
        terms = {
            title: f"^(term|validation)/({'|'.join(names)})$"
            for title, names in _charts(term_names).items()
        }
        content = layout_pb2.Layout(
            category=[
                _category("Terms", terms),
                _category("Objectives", _OBJECTIVES),
            ]
        ).SerializeToString()
        value = summary_pb2.Summary.Value(
            tag=scalars_metadata.CONFIG_SUMMARY_TAG,
            metadata=scalars_metadata.create_summary_metadata(),
            tensor=tensor_util.make_tensor_proto(content),
        )
        self._add_event(0, summary=summary_pb2.Summary(value=[value]))
        self._flush()

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
        """
        codes, labels = np.asarray(codes), labels or {}
        counts = {name: len(values) for name, values in labels.items()}
        if {len(images), *counts.values()} - {len(codes)}:
            raise ValueError(
                "There must be one image and one value of each label per code. "
                f"Received: {len(codes)} codes, {len(images)} images, "
                f"labels {counts}."
            )
        size = min(32, *np.shape(images)[1:3])
        sprite = pictures.contact_sheet_sprite(images, size)
        pictures.write_png(self._folder / "sprite.png", sprite)
        table = io.StringIO()
        np.savetxt(table, codes, fmt="%.6g", delimiter="\t")
        files.write_text(self._folder / "latents.tsv", table.getvalue())
        if labels:
            files.write_text(
                self._folder / "metadata.tsv", _label_table(labels)
            )
        embedding = projector.EmbeddingInfo(
            tensor_name="latents",
            tensor_path="latents.tsv",
            tensor_shape=codes.shape,
            metadata_path="metadata.tsv" if labels else "",
            sprite=projector.SpriteMetadata(
                image_path="sprite.png", single_image_dim=[size, size]
            ),
        )
        config = projector.ProjectorConfig(embeddings=[embedding])
        projector.visualize_embeddings(os.fspath(self._folder), config)

    def close(self) -> None:
        """Ends the logs; nothing can be written after it."""
        with self._saying_where():
            self._events.close()
        self._mirror.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _write(
        self, step: int, values: Mapping, make: Callable, kind: str = ""
    ) -> None:
        """Writes values by name; to the mirror as its class `kind`, if any."""
        for summary in [make(*item) for item in values.items()]:
            self._add_event(step, summary=summary)
        self._flush()
        self._mirror.log(step, values, kind)

    def _flush(self) -> None:
        with self._saying_where():
            self._events.flush()

    def _add_event(self, step: int, **content: Any) -> None:
        event = event_pb2.Event(
            step=int(step), wall_time=time.time(), **content
        )
        with self._saying_where():
            self._events.add_event(event)

    @contextlib.contextmanager
    def _saying_where(self) -> Iterator[None]:
        """Says of a full disk and the like which folder it holds."""
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            raise OSError(
                f"{self._folder} cannot be written to: {first_line(error)}."
            ) from error


def attribute_latents(
    codes: np.ndarray, attributes: np.ndarray, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Projects codes on the direction in which each attribute lies.

    The direction is the mean code with the attribute less the mean code without
    it, scaled to unit length. The further apart the two distributions, the
    better the codes hold the attribute.

    Args:
        codes: Latent vectors, (n, latent).
        attributes: Positive where present, (n, num_attributes).
        names: The attributes' names.

    Returns:
        For each attribute, `latents/<name>/with` and `latents/<name>/without`:
        the projections of the codes with and without it. An attribute that all
        or no examples have is left out, and one whose two means agree.
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
        if mask.all() or not mask.any():
            continue
        direction = codes[mask].mean(0) - codes[~mask].mean(0)
        length = np.linalg.norm(direction)
        if length > 0:  # not so for NaN
            projections = codes @ (direction / length)
            result[f"latents/{name}/with"] = projections[mask]
            result[f"latents/{name}/without"] = projections[~mask]
    return result


def _charts(term_names: Sequence[str]) -> dict[str, list[str]]:
    """Names of terms by the title of their chart."""
    charts: dict[str, list[str]] = {}
    for name in term_names:
        title = _TITLES.get(name, name)
        charts.setdefault(title, []).append(name)
    return charts


def _category(title: str, charts: Mapping[str, str]) -> layout_pb2.Category:
    """Charts by their titles, of the tags that patterns match."""
    category = layout_pb2.Category(title=title)
    for name, pattern in charts.items():
        category.chart.add(title=name).multiline.tag.append(pattern)
    return category


def flatten_hparams(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Turns settings into the four types that TensorBoard's table takes.

    Nested mappings become `outer/inner`, other sequences text with commas;
    `None` is left out.
    """
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            inner = flatten_hparams(value)
            flat |= {f"{name}/{key}": item for key, item in inner.items()}
        elif isinstance(value, bool | int | float | str | np.generic):
            flat[name] = value
        elif isinstance(value, Sequence):
            flat[name] = ",".join(map(str, value))
        elif value is not None:
            flat[name] = str(value)
    return flat


def _image_pb(name: str, image: np.ndarray) -> summary_pb2.Summary:
    content = pictures.encode_png(image)
    height, width, _ = np.shape(image)
    # TensorBoard's form of images: the sizes as text, then the PNG files.
    tensor = tensor_util.make_tensor_proto(
        [str(width).encode(), str(height).encode(), content]
    )
    metadata = image_metadata.create_summary_metadata(None, None)
    value = summary_pb2.Summary.Value(
        tag=name, metadata=metadata, tensor=tensor
    )
    return summary_pb2.Summary(value=[value])


def _label_table(labels: Mapping[str, Sequence[Any]]) -> str:
    columns = [[_label(value) for value in col] for col in labels.values()]
    lines = list(zip(*columns))
    # The projector takes a single column's header for a value.
    if len(columns) > 1:
        lines.insert(0, tuple(_label(name) for name in labels))
    return "".join("\t".join(line) + "\n" for line in lines)


def _label(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return " ".join(str(value).split()) or "-"
