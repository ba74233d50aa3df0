"""What do the models draw, and how do their pictures get into a page?"""

import base64
import dataclasses
import io

import numpy as np
from PIL import Image

from vaegan_tf import images as layout

COLUMNS = 8
ALL_PICTURES_BYTES = 1_900_000
_QUALITY = 92
_PADDING = 2


@dataclasses.dataclass(frozen=True)
class Look:
    """What a run's model showed.

    Attributes:
        step: Step of its checkpoint, or `None` if it has no such checkpoint.
        parameters: (network, number of parameters, whether trained).
        samples: Images of the codes, (count, height, width, channels).
        originals: Held-out images, of the same shape.
        reconstructions: Their reconstructions.
        problems: What could not be shown, and why.
    """

    step: int | None = None
    parameters: tuple = ()
    samples: np.ndarray | None = None
    originals: np.ndarray | None = None
    reconstructions: np.ndarray | None = None
    problems: tuple = ()


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture in the page.

    Attributes:
        record: The run's `Record`; `None` for originals.
        source: A data URI.
        width: In pixels.
        height: In pixels.
        alt: What is to be seen, for those who cannot.
    """

    record: object
    source: str
    width: int
    height: int
    alt: str


@dataclasses.dataclass(frozen=True)
class Strips:
    """Rows of pictures that belong together, column by column.

    Attributes:
        blocks: Blocks of `Picture`s, each a row of the block.
    """

    blocks: tuple


def look(
    record,
    examples,
    *,
    checkpoint="latest",
    seed=0,
    num_samples=36,
    num_reconstructions=16,
):
    """Has a run's model draw samples and reconstructions.

    Args:
        record: The run's `Record`.
        examples: Function from a record and a number to that many test images
            of its data set, as `Run.examples` gives them.
        checkpoint: `"latest"` or `"best"`.
        seed: Seed of the codes, which models of one latent size share.
        num_samples: How many codes.
        num_reconstructions: How many test images.

    Returns:
        A `Look`; what fails is among its problems.
    """
    try:
        model, step = record.run.model(checkpoint=checkpoint)
    except OSError as error:
        return Look(problems=(_problem(record, "pictures", error),))
    problems, example = [], {}
    if not hasattr(model, "reconstruct"):
        num_reconstructions = 0
        problems.append(
            f"{record.label} has no encoder, so it reconstructs nothing."
        )
    told = num_samples if model.num_attributes else 0
    if max(num_reconstructions, told):
        try:
            example = examples(record, max(num_reconstructions, told))
        except (ValueError, OSError) as error:
            problems.append(_problem(record, "test images", error))
    originals, reconstructions = _reconstructed(
        model, example, num_reconstructions
    )
    return Look(
        step=step,
        parameters=_parameters(model),
        samples=_samples(model, example, num_samples, seed),
        originals=originals,
        reconstructions=reconstructions,
        problems=tuple(problems),
    )


def sample_pictures(pairs, budget):
    """Grids of samples, side by side.

    Args:
        pairs: (record, look) of models that share their codes.
        budget: Bytes that a picture may have.

    Returns:
        A `Picture` for each that drew samples.
    """
    return tuple(
        _picture(
            record,
            look.samples,
            None,
            budget,
            f"{len(look.samples)} samples of {record.label}",
        )
        for record, look in pairs
        if look.samples is not None
    )


def reconstruction_strips(pairs, budget):
    """Originals above each model's reconstructions.

    Args:
        pairs: (record, look) of models that were shown the same images.
        budget: Bytes that a picture may have.

    Returns:
        `Strips`.
    """
    originals = pairs[0][1].originals
    rows = [(None, originals, "test images, the originals")]
    rows += [
        (record, look.reconstructions, f"reconstructions by {record.label}")
        for record, look in pairs
    ]
    blocks = [
        tuple(
            _picture(
                record,
                images[start : start + COLUMNS],
                COLUMNS,
                budget,
                f"{len(images[start : start + COLUMNS])} {what}",
            )
            for record, images, what in rows
        )
        for start in range(0, len(originals), COLUMNS)
    ]
    return Strips(tuple(blocks))


def by_same_originals(pairs):
    """Parts of (record, look) pairs that were shown the very same images."""
    parts = {}
    for record, look in pairs:
        if look.reconstructions is not None:
            shown = layout.to_uint8(look.originals).tobytes()
            parts.setdefault(shown, []).append((record, look))
    return list(parts.values())


def by_latent_size(pairs):
    """Parts of (record, look) pairs whose models share their codes."""
    parts = {}
    for record, look in pairs:
        if look.samples is not None:
            size = record.about["model"]["latent_dim"]
            parts.setdefault(size, []).append((record, look))
    return list(parts.items())


def encode(picture, budget):
    """A picture as WebP: without loss, if that is small enough.

    Args:
        picture: uint8 (height, width, 3 or 4).
        budget: Bytes that it may have.

    Returns:
        The file's content.
    """
    content = io.BytesIO()
    image = Image.fromarray(picture)
    image.save(content, "webp", lossless=True, quality=100, method=4)
    if content.tell() > budget:
        content = io.BytesIO()
        image.save(content, "webp", quality=_QUALITY, method=4)
    return content.getvalue()


def _picture(record, images, columns, budget, alt):
    picture = layout.grid(images, columns, _PADDING)
    # What is between images lets the page's colour through.
    covered = np.zeros((*np.shape(images)[:3], 1), np.uint8)
    gaps = layout.grid(covered, columns, _PADDING)[..., :1]
    rgba = np.concatenate([picture, 255 - gaps], axis=-1)
    content = base64.b64encode(encode(rgba, budget)).decode("ascii")
    height, width = picture.shape[:2]
    source = f"data:image/webp;base64,{content}"
    return Picture(record, source, width, height, alt)


def _parameters(model):
    return tuple(
        (
            name,
            getattr(model, name).count_params(),
            name in model.trained_networks,
        )
        for name in model.network_names
    )


def _samples(model, example, count, seed):
    attributes = None
    if model.num_attributes:
        if "attributes" not in example:
            return None
        attributes = example["attributes"][:count]
        count = len(attributes)
    return model.sample(count, seed, attributes).numpy()


def _reconstructed(model, example, count):
    if not count or not example:
        return None, None
    example = {key: value[:count] for key, value in example.items()}
    return example["image"], model(model.as_example(example)).numpy()


def _problem(record, what, error):
    return f"No {what} of {record.label}: {' '.join(str(error).split())}"
