"""What the page asks for, and what it gets: one function for each tool.

Each takes a subject and a request, and returns pictures as PNG, numbers, and
the command that makes the same. Requests are checked as settings are.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vaegan_tf import images as layout
from vaegan_tf.attributes.figures import labelled_grid
from vaegan_tf.data import photographs
from vaegan_tf.explorer import commands
from vaegan_tf.explorer.subject import Subject
from vaegan_tf.settings import MAX_SEED, Settings, setting
from vaegan_tf.settings.choices import KEEP, PATHS, VECTORS
from vaegan_tf.similarity import figures

MAX_UPLOAD = 20 * 2**20  # bytes
MAX_PIXELS = 50_000_000
MAX_STRENGTH = 100.0
MAX_NAME = 255
FRAMES = 17
SAMPLERS = ("mixture", "prior")
Answer = dict[str, Any]


class SampleRequest(Settings):
    """Samples of one seed."""

    count: int = setting(16, "How many.", low=1, high=64)
    seed: int = setting(0, "Seed of the codes.", low=0, high=MAX_SEED)
    sampler: str = setting("prior", "Where codes come from.", choices=SAMPLERS)


class PictureRequest(Settings):
    """One picture."""

    picture: str = setting("", "The picture.")
    name: str = setting("photo.png", "Name of its file.")


class EditRequest(PictureRequest):
    """One picture, edited."""

    vectors: str = setting("balanced", "Kind of vectors.", choices=VECTORS)
    keep: str = setting("none", "What is kept.", choices=KEEP)


class PairRequest(PictureRequest):
    """Two pictures."""

    name: str = "a.png"
    other: str = setting("", "The second picture.")
    other_name: str = setting("b.png", "Name of its file.")


class BetweenRequest(PairRequest):
    """A path between two pictures."""

    path: str = setting("spherical", "Which path.", choices=PATHS)


def photograph(
    subjects: Sequence[Subject], content: bytes, name: str
) -> list[Answer]:
    """An uploaded file as each model takes it, and what was taken of it.

    Of a file that is no image or too large it is `{"error": why}`.
    """
    try:
        pixels = layout.decode_image(content, name, MAX_PIXELS)
    except ValueError as error:
        return [{"error": str(error)}] * len(subjects)
    cuts = [photographs.cut(pixels, subject.data) for subject in subjects]
    return [
        {"picture": png(image), "note": photographs.PARTS[part]}
        for image, part in cuts
    ]


def answer(tool: str, subject: Subject, request: Mapping[str, Any]) -> Answer:
    """What a tool says of a subject; if it cannot, `{"error": why}`.

    Raises:
        ValueError: If the request is not understood.
    """
    obstacle = subject.obstacle(tool)
    return {"error": obstacle} if obstacle else TOOLS[tool](subject, request)


def sample(subject: Subject, request: Mapping[str, Any]) -> Answer:
    """Samples, each by itself and in a grid."""
    values = dict(request)
    present = strengths_of(values.pop("attributes", {}))
    asked = SampleRequest.from_dict(values)
    if asked.sampler not in subject.samplers:
        return {"error": subject.without_mixture}
    drawn = subject.sample(asked.count, asked.seed, present, asked.sampler)
    known = {k: present[k] for k in subject.conditions if present.get(k)}
    folder = commands.folder_of(subject.label, asked)
    return {
        "pictures": [png(image) for image in drawn],
        "figure": png(layout.grid(drawn)),
        "command": commands.sample(subject.flags, asked, known, "samples.png"),
        "files_command": commands.sample(subject.flags, asked, known, folder),
        "folder": folder,
    }


def edit(subject: Subject, request: Mapping[str, Any]) -> Answer:
    """A picture, its reconstruction, and its edit."""
    values = dict(request)
    strengths = strengths_of(values.pop("attributes", {}))
    known = {k: v for k, v in strengths.items() if v and subject.knows(k)}
    asked = EditRequest.from_dict(values)
    image = picture_of(asked.picture, subject)
    reconstruction, edited = subject.edit(
        image, known, asked.vectors, asked.keep
    )
    names = subject.vectors.names if subject.vectors else ()
    return {
        "original": png(image[0]),
        "reconstruction": png(reconstruction[0]),
        "figure": png(edited[0]),
        "command": commands.edit(subject.flags, asked, known, names),
    }


def between(subject: Subject, request: Mapping[str, Any]) -> Answer:
    """Frames from one picture to another, and a strip of them."""
    asked = BetweenRequest.from_dict(dict(request))
    start = picture_of(asked.picture, subject)
    end = picture_of(asked.other, subject)
    frames = subject.between(start, end, FRAMES, asked.path)
    return {
        "pictures": [png(frame) for frame in frames],
        "figure": png(labelled_grid(frames[None], [""] * FRAMES)),
        "command": commands.between(subject.flags, asked, FRAMES),
    }


def compare(subject: Subject, request: Mapping[str, Any]) -> Answer:
    """The learned distance of two pictures, and where they differ."""
    asked = PairRequest.from_dict(dict(request))
    image = picture_of(asked.picture, subject)
    other = picture_of(asked.other, subject)
    command = commands.compare(subject.flags, asked.name, asked.other_name)
    return _compared(subject, image, other, command)


def anomaly(subject: Subject, request: Mapping[str, Any]) -> Answer:
    """The learned distance of a picture and its reconstruction."""
    asked = PictureRequest.from_dict(dict(request))
    image = picture_of(asked.picture, subject)
    other, _ = subject.edit(image, {})
    command = commands.compare(subject.flags, asked.name)
    return _compared(subject, image, other, command)


def _compared(subject, image, other, command):
    numbers = subject.compare(image, other)
    maps = numbers.pop("map")
    return {
        "original": png(image[0]),
        "other": png(other[0]),
        "map": png(figures.heat(image, maps)[0]),
        "figure": png(figures.map_grid(image, other, maps)),
        "largest": float(maps.max()),
        "numbers": {name: float(v[0]) for name, v in numbers.items()},
        "command": command,
    }


TOOLS: Mapping[str, Callable[[Subject, Mapping[str, Any]], Answer]] = {
    "sample": sample,
    "edit": edit,
    "between": between,
    "compare": compare,
    "anomaly": anomaly,
}


def png(image: np.ndarray) -> str:
    """An image in [−1, 1] or uint8, (height, width, 1 or 3), as a data URL."""
    pixels = layout.grid(np.asarray(image)[None], padding=0)
    content = base64.b64encode(layout.encode_png(pixels))
    return f"data:image/png;base64,{content.decode()}"


def picture_of(text: str, subject: Subject) -> np.ndarray:
    """The image of a data URL, (1, height, width, channels) in [−1, 1].

    Raises:
        ValueError: If it is no image of the model's size.
    """
    try:
        content = base64.b64decode(text.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("A picture is a data URL of a PNG.") from None
    size = subject.data.image_size
    pixels = layout.decode_image(content, "the picture", size * size)
    image, part = photographs.cut(pixels, subject.data)
    if part != "whole":
        raise ValueError(
            f"A picture must have {size} × {size} pixels. Received: "
            f"{pixels.shape[1]} × {pixels.shape[0]}."
        )
    return image[None]


def strengths_of(values: Any) -> dict[str, float]:
    """Attributes and their strengths, checked.

    Raises:
        ValueError: If they are no names with numbers from −100 to 100.
    """
    is_well = isinstance(values, dict) and all(
        isinstance(value, int | float)
        and math.isfinite(value)
        and abs(value) <= MAX_STRENGTH
        for value in values.values()
    )
    if not is_well:
        raise ValueError(
            "`attributes` must be names with numbers from -100 to 100. "
            f"Received: {str(values)[:80]}."
        )
    return {name: float(value) for name, value in values.items()}
