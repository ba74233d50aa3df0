"""Images that models generate, and figures of them for the page."""

import base64
import dataclasses
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from vaegan_tf.attributes import kept_vectors
from vaegan_tf.attributes.edits import Editor
from vaegan_tf.attributes.figures import cosine_chart
from vaegan_tf.errors import one_line
from vaegan_tf.images import grid, to_uint8
from vaegan_tf.report.records import Record

COLUMNS = 8
MAX_TOTAL_BYTES = 1_900_000  # of all figures
MAX_EDITS, EDITED_IMAGES, EDIT_STRENGTH = 18, 4, 1.5
_QUALITY = 92


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a run's model generates."""

    # Step of its checkpoint, or `None` if it has no such checkpoint.
    step: int | None = None
    # (network, number of parameters, whether trained).
    parameters: tuple[tuple[str, int, bool], ...] = ()
    # Images of random codes, (count, height, width, channels).
    samples: np.ndarray | None = None
    originals: np.ndarray | None = None  # Held-out images, of the same shape.
    reconstructions: np.ndarray | None = None  # Their reconstructions.
    # Figures, uint8 (height, width, 3), of runs that have attribute vectors.
    edits: np.ndarray | None = None  # Of the first held-out images.
    cosines: np.ndarray | None = None  # Of the angles between vectors.
    problems: tuple[str, ...] = ()  # What could not be shown, and why.


Pair = tuple[Record, Outputs]
Examples = Callable[[Record, int], dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A grid of images in the page."""

    record: Record | None  # The run; `None` for originals.
    source: str  # A data URI.
    width: int  # In pixels.
    height: int  # In pixels.
    alt: str  # A description.


def generate(
    record: Record,
    examples: Examples,
    *,
    checkpoint: str = "latest",
    seed: int = 0,
    num_samples: int = 36,
    num_reconstructions: int = 16,
) -> Outputs:
    """Samples and reconstructions of a run's model; what fails is a problem.

    A model of features generates no image.

    `examples` gives so many test images of a run's data set. The codes of the
    seed are shared by models of one latent size.
    """
    try:
        model, step = record.run.model(checkpoint=checkpoint)
    except OSError as error:
        return Outputs(problems=(_problem(record, "images", error),))
    if not record.draws_images:
        return Outputs(step, _parameters(model))
    problems, example = [], {}
    if not model.can("reconstruct"):
        num_reconstructions = 0
        problems.append(
            f"{record.label} has no encoder, so it reconstructs nothing."
        )
    conditions = num_samples if model.num_attributes else 0
    if num_examples := max(num_reconstructions, conditions):
        try:
            example = examples(record, num_examples)
        except (ValueError, OSError) as error:
            problems.append(_problem(record, "test images", error))
    originals, reconstructions = _reconstructed(
        model, example, num_reconstructions
    )
    return Outputs(
        step=step,
        parameters=_parameters(model),
        samples=_samples(model, example, num_samples, seed),
        originals=originals,
        reconstructions=reconstructions,
        problems=tuple(problems),
        **_edits(record.run, checkpoint, model, originals),
    )


def sample_figures(pairs: Iterable[Pair], budget: int) -> list[Figure]:
    """Grids of samples, side by side, each of at most `budget` bytes."""
    return [
        _figure(record, outputs.samples, None, budget, "samples of")
        for record, outputs in pairs
    ]


def reconstruction_rows(
    pairs: Sequence[Pair], budget: int
) -> list[list[Figure]]:
    """Blocks of rows: originals above each model's reconstructions of them."""
    originals: Any = pairs[0][1].originals
    rows: list[tuple[Record | None, Any, str]] = [
        (None, originals, "test images, the originals"),
        *[(r, o.reconstructions, "reconstructions by") for r, o in pairs],
    ]
    return [
        [
            _figure(r, images[start : start + COLUMNS], COLUMNS, budget, what)
            for r, images, what in rows
        ]
        for start in range(0, len(originals), COLUMNS)
    ]


def attribute_figures(pairs: Iterable[Pair], name: str) -> list[Figure]:
    """The `edits` or `cosines` of runs that have them."""
    return [
        Figure(
            record,
            _source(image, MAX_TOTAL_BYTES // 8),
            image.shape[1],
            image.shape[0],
            f"{name} of {record.label}",
        )
        for record, outputs in pairs
        if (image := getattr(outputs, name)) is not None
    ]


def grouped(
    pairs: Iterable[Pair], key: Callable[[Record, Outputs], Any]
) -> dict[Any, list[Pair]]:
    """Runs and outputs by a key, in the order in which keys first occur."""
    groups: dict[Any, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(*pair), []).append(pair)
    return groups


def by_same_originals(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Groups of runs whose models reconstructed the very same images."""
    shown = [pair for pair in pairs if pair[1].reconstructions is not None]
    groups = grouped(
        shown, lambda _, o: to_uint8(np.asarray(o.originals)).tobytes()
    )
    return list(groups.values())


def by_latent_size(pairs: Iterable[Pair]) -> list[tuple[int, list[Pair]]]:
    """Groups of runs whose models share their codes, by dimension."""
    shown = [pair for pair in pairs if pair[1].samples is not None]
    return list(grouped(shown, lambda r, _: r.model["latent_dim"]).items())


def encode_webp(image: np.ndarray, budget: int) -> bytes:
    """An image, uint8 (height, width, 3 or 4), as WebP, lossless if it fits."""
    for quality in ({"lossless": True, "quality": 100}, {"quality": _QUALITY}):
        content = io.BytesIO()
        Image.fromarray(image).save(content, "webp", method=4, **quality)
        if content.tell() <= budget:
            break
    return content.getvalue()


def _figure(record, images, columns, budget, what):
    image = grid(images, columns)
    # The page's background shows between images.
    gaps = grid(np.zeros_like(images, np.uint8), columns)[..., :1]
    rgba = np.concatenate([image, 255 - gaps], axis=-1)
    height, width = image.shape[:2]
    alt = f"{len(images)} {what}{f' {record.label}' if record else ''}"
    return Figure(record, _source(rgba, budget), width, height, alt)


def _source(image, budget):
    """An image as a data URI."""
    content = base64.b64encode(encode_webp(image, budget)).decode("ascii")
    return f"data:image/webp;base64,{content}"


def _edits(run, checkpoint, model, originals):
    """Figures of edits, where the run has attribute vectors."""
    if originals is None or model.num_attributes:
        return {}
    vectors = kept_vectors(run, checkpoint)
    if vectors is None:
        return {}
    directions = {
        f"+ {name}": vectors.direction({name: EDIT_STRENGTH})
        for name in vectors.names[:MAX_EDITS]
    }
    figure = Editor(model).figure(originals[:EDITED_IMAGES], directions)
    cosines = cosine_chart(vectors.cosines("balanced"), vectors.names)
    return {"edits": figure, "cosines": cosines}


def _parameters(model):
    trained, networks = model.trained_networks(), model.networks
    sizes = [getattr(model, name).count_params() for name in networks]
    return tuple((n, s, n in trained) for n, s in zip(networks, sizes))


def _reconstructed(model, example, count):
    if not count or not example:
        return None, None
    example = {name: value[:count] for name, value in example.items()}
    images = model.reconstruct(example["image"], example.get("attributes"))
    return example["image"], images.numpy()


def _samples(model, example, count, seed):
    if not model.num_attributes:
        return model.sample(count, seed).numpy()
    if "attributes" not in example:
        return None
    attributes = example["attributes"][:count]
    return model.sample(len(attributes), seed, attributes).numpy()


def _problem(record, what, error):
    return f"No {what} of {record.label}: {one_line(error)}"
