"""What do a model's faces to order, and its edits, score?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from vaegan_tf import noise
from vaegan_tf.attributes import edits, similarity
from vaegan_tf.attributes.vectors import AttributeVectors
from vaegan_tf.data import ImageDataset, transforms
from vaegan_tf.evaluation import Extractor, Score
from vaegan_tf.images import to_uint8
from vaegan_tf.models import GenerativeModel

BATCH_SIZE = 64


def score_orders(
    model: GenerativeModel,
    dataset: ImageDataset,
    extractor: Extractor,
    *,
    split: str = "test",
    num_images: int = 1000,
    num_samples: int = 10,
    seed: int = 0,
    progress: bool = False,
) -> list[Score]:
    """Scores samples of a conditional model by what they were to show.

    Args:
        model: The model.
        dataset: Where attributes come from, and the images that have them.
        extractor: With a predictor.
        split: Part of the data set.
        num_images: So many of its attribute vectors, evenly spaced.
        num_samples: Samples of each.
        seed: Seed of their codes.
        progress: Show a bar.

    Returns:
        Scores of `similarity.to_order`; their floor is that of the real
        images.
    """
    places = _evenly(np.arange(len(dataset.splits[split])), num_images)
    asked = dataset.splits[split].attributes[places]
    names = dataset.attribute_names
    ours, theirs = common_attributes(names, extractor.attribute_names)
    codes = noise.latent_codes(
        len(places) * num_samples, model.latent_dim, seed
    ).numpy()
    conditions = np.repeat(asked, num_samples, axis=0)
    logits = []
    with _bar("Samples", len(codes), progress) as bar:
        for start in range(0, len(codes), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            drawn = model.decode(codes[rows], conditions[rows]).numpy()
            logits.append(extractor.analyze(to_uint8(drawn))["logits"])
            bar.update(len(drawn))
    answers = np.concatenate(logits).reshape(len(places), num_samples, -1)
    real = analyze(extractor, images_at(dataset, split, places))["logits"]
    floors = similarity.to_order(asked[:, ours], real[:, None, theirs])
    scores = similarity.to_order(asked[:, ours], answers[..., theirs])
    how: dict[str, Any] = {"sampler": "prior", "features": "predictor"}
    return [
        Score("orders", n, value, len(places), error, floors[n][0], **how)
        for n, (value, error) in scores.items()
    ]


def score_edits(
    model: GenerativeModel,
    vectors: AttributeVectors,
    dataset: ImageDataset,
    extractor: Extractor,
    *,
    kinds: Sequence[str],
    strengths: Sequence[float],
    names: Sequence[str] | None = None,
    split: str = "test",
    num_images: int = 100,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Scores edits of images that lack an attribute, for every attribute.

    Args:
        model: The model.
        vectors: Its attribute vectors.
        dataset: Where the images come from.
        extractor: With a predictor.
        kinds: Kinds of vectors.
        strengths: How often each is added; 0 is the reconstruction.
        names: Attributes to edit; by default all that have vectors and that
            the predictor knows.
        split: Part of the data set.
        num_images: Images for each attribute, evenly spaced.
        progress: Show a bar.

    Returns:
        A row for each attribute, kind, strength and way to keep the residual:
        these, `num_images`, and the scores of `similarity.of_edits`.

    Raises:
        ValueError: If an attribute has no vector.
    """
    known = list(extractor.attribute_names)
    vectors.direction(dict.fromkeys(names or (), 1.0))  # Which may refuse.
    names = [n for n in names or vectors.names if n in known]
    rows = []
    with _bar("Edits", len(names), progress) as bar:
        for name in names:
            places = _lacking(dataset, split, name, num_images)
            if not len(places):
                continue
            images = images_at(dataset, split, places)
            rows += [
                {"attribute": name, "num_images": len(places), **row}
                for row in _edits_of(
                    model,
                    images,
                    extractor,
                    [(k, vectors.direction({name: 1.0}, k)) for k in kinds],
                    strengths,
                    known.index(name),
                )
            ]
            bar.update(1)
    return rows


def _edits_of(model, images, extractor, directions, strengths, attribute):
    """Scores of one attribute's edits of some images."""
    before, codes = analyze(extractor, images), edits.encode(model, images)
    reconstructions = edits.decode(model, codes)
    for number, (kind, direction) in enumerate(directions):
        # Without an edit all kinds are alike.
        for strength in (s for s in strengths if s or not number):
            edited = edits.decode(model, codes + strength * direction)
            results = {
                "none": edited,
                "residual": edits.with_residual(
                    edited, reconstructions, images
                ),
            }
            for keep, result in results.items():
                after = analyze(extractor, result)
                scores = similarity.of_edits(before, after, attribute)
                how = {"vectors": kind, "strength": strength, "keep": keep}
                yield {**how, **scores}


def mean_over_attributes(rows: Sequence[dict[str, Any]]) -> list[Score]:
    """Scores of edits, the means of rows of `score_edits` over attributes."""
    groups: dict[str, list] = {}
    for row in rows:
        kept = ", residual kept" if row["keep"] == "residual" else ""
        edit = f"{row['vectors']} × {row['strength']:g}{kept}"
        if not row["strength"]:
            edit = f"no edit{kept}"
        groups.setdefault(edit, []).append(row)
    return [
        Score(
            "edits",
            name,
            float(np.mean([row[name][0] for row in group])),
            sum(row["num_images"] for row in group),
            float(np.linalg.norm([row[name][1] for row in group]) / len(group)),
            edit=edit,
            features="predictor",
        )
        for name in ("success", "leak", "flips", "identity")
        for edit, group in groups.items()
    ]


def common_attributes(
    ours: Sequence[str], theirs: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Places in both of the attributes that a predictor knows, too.

    Raises:
        ValueError: If it knows none of ours.
    """
    _, first, second = np.intersect1d(ours, theirs, return_indices=True)
    if not len(first):
        raise ValueError(
            f"The predictor knows none of the data set's attributes: "
            f"{', '.join(theirs)}."
        )
    return first, second


def images_at(
    dataset: ImageDataset, split: str, places: np.ndarray
) -> np.ndarray:
    """Images at some places of a split, in [−1, 1], float32."""
    example = transforms.to_float(dataset.splits[split].gather(places))
    return example["image"].numpy()


def analyze(extractor: Extractor, images: np.ndarray) -> dict[str, np.ndarray]:
    """Features and log-odds of images in [−1, 1]; see `Extractor.analyze`."""
    parts = np.split(images, range(BATCH_SIZE, len(images), BATCH_SIZE))
    batches = [extractor.analyze(to_uint8(part)) for part in parts]
    return {n: np.concatenate([b[n] for b in batches]) for n in batches[0]}


def _lacking(dataset, split, name, count):
    """Places of images without an attribute, evenly spaced."""
    column = dataset.attribute_names.index(name)
    values = dataset.splits[split].attributes[:, column]
    return _evenly(np.flatnonzero(values <= 0.5), count)


def _evenly(places, count):
    chosen = np.linspace(0, len(places) - 1, min(count, len(places)))
    return places[chosen.astype(np.int64)]


def _bar(title, count, shown):
    return tqdm(desc=title, total=count, disable=None if shown else True)
