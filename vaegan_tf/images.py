"""Image arrays: conversion, layout in grids, reading and writing.

A batch of images is float in [-1, 1], as the networks see it, or uint8. What
is drawn and stored is uint8, (height, width, 3).
"""

import contextlib
import io
import math
import os
import pathlib
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vaegan_tf import files
from vaegan_tf.settings import check

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAX_PIXELS = 100_000_000
CLIP_MILLISECONDS = 120  # of a frame of a clip
# What Pillow raises for damaged files.
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_WHITE = 255
_MAX_SPRITE_PIXELS = 8192  # a side; WebGL's limit on most machines
_PALETTE_PIXELS = 30_000


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Converts floats in [-1, 1] to the nearest of 256 levels, uint8.

    Values outside the range are clipped. NaN becomes 0: a diverged network
    shows as black patches and does not stop the run that draws it. Levels in
    uint8 are returned unchanged; ValueError for other types.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    # bfloat16 is a float to everyone but numpy.
    if not (
        np.issubdtype(images.dtype, np.floating)
        or images.dtype.name == "bfloat16"
    ):
        raise ValueError(
            "`images` must be float in [-1, 1] or uint8. "
            f"Received: dtype={images.dtype}."
        )
    levels = (images.astype(np.float32) + 1.0) * 127.5
    levels = np.clip(np.nan_to_num(levels, nan=0.0), 0.0, 255.0)
    return np.rint(levels).astype(np.uint8)


def grid(
    images: np.ndarray, columns: int | None = None, padding: int = 2
) -> np.ndarray:
    """Lays images out in rows on white, uint8 (height, width, 3).

    Args:
        images: Float in [-1, 1] or uint8, (n, height, width, 1 or 3).
        columns: Images in a row; by default the grid is nearly square.
        padding: White pixels around each image.

    Raises:
        ValueError: If `images` is empty or not a batch of images, or if
            `columns` is not positive or `padding` negative.
    """
    cells = _to_rgb(images)
    columns = math.ceil(math.sqrt(len(cells))) if columns is None else columns
    check("columns", columns, low=1)
    check("padding", padding, low=0)
    cells = _pad(cells, (0, -len(cells) % columns), (0, padding), (0, padding))
    return _pad(_tile(cells, columns), (padding, 0), (padding, 0))


def pairs_grid(
    rows: Sequence[np.ndarray], columns: int | None = None, padding: int = 2
) -> np.ndarray:
    """Lays out originals with their reconstructions directly below.

    The pairs are wrapped into blocks: one row of originals above one row for
    each further entry of `rows`. Blocks stand a double padding apart.

    Args:
        rows: Batches that belong together, originals first, as for `grid`.
        columns: Pairs in a block; by default the grid is nearly square.
        padding: White pixels around each image.

    Raises:
        ValueError: If `rows` is empty, its batches differ in size, or as for
            `grid`.
    """
    if not rows:
        raise ValueError("`rows` must hold at least one batch of images.")
    batches = [_to_rgb(row) for row in rows]
    if len({batch.shape for batch in batches}) > 1:
        raise ValueError(
            "All batches of `rows` must have the same number and size of "
            f"images. Received: {[batch.shape for batch in batches]}."
        )
    count = len(batches[0])
    if columns is None:
        columns = min(count, math.ceil(math.sqrt(len(batches) * count)))
    check("columns", columns, low=1)
    batches = [_pad(batch, (0, -count % columns)) for batch in batches]
    blocks = [
        np.concatenate([batch[start : start + columns] for batch in batches])
        for start in range(0, count, columns)
    ]
    return np.concatenate([grid(block, columns, padding) for block in blocks])


def strips(examples: np.ndarray, padding: int = 2) -> np.ndarray:
    """Lays out pictures in a grid, or clips below each other, frame by frame.

    Args:
        examples: Pictures, (n, height, width, channels), or clips, (n, frames,
            height, width, channels), as for `grid`.
        padding: White pixels around each image.
    """
    if examples.ndim == 4:
        return grid(examples, padding=padding)
    frames = examples.shape[1]
    return grid(examples.reshape(-1, *examples.shape[2:]), frames, padding)


def moving(clips: np.ndarray, padding: int = 2) -> list[np.ndarray]:
    """Frames of a film in which clips, as for `strips`, move side by side."""
    return [grid(frame, padding=padding) for frame in clips.swapaxes(0, 1)]


def contact_sheet_sprite(images: np.ndarray, size: int = 32) -> np.ndarray:
    """Draws the sheet of thumbnails that TensorBoard's projector shows.

    It is a square of ceil(sqrt(n)) * size pixels a side, filled row by row
    without padding; images as for `grid`.

    Raises:
        ValueError: If the sprite would exceed 8192 pixels a side, the most that
            browsers draw, or `size` is not positive.
    """
    check("size", size, low=1)
    cells = _to_rgb(images)
    columns = math.ceil(math.sqrt(len(cells)))
    if columns * size > _MAX_SPRITE_PIXELS:
        raise ValueError(
            f"A sprite holds at most {(_MAX_SPRITE_PIXELS // size) ** 2} "
            f"thumbnails of {size} pixels. Received: {len(cells)} images."
        )
    shape, resampling = (size, size), Image.Resampling.LANCZOS
    resized = [Image.fromarray(c).resize(shape, resampling) for c in cells]
    thumbnails = np.stack([np.asarray(image) for image in resized])
    return _tile(_pad(thumbnails, (0, columns**2 - len(cells))), columns)


def encode_png(image: np.ndarray) -> bytes:
    """An image, uint8 (height, width, 3), as the content of a PNG file."""
    content = io.BytesIO()
    Image.fromarray(_check_image(image)).save(content, "png")
    return content.getvalue()


def write_film(
    path: str | os.PathLike, frames: Sequence[np.ndarray], milliseconds: int
) -> None:
    """Writes frames that last so long each, as a GIF or, by its name, an MP4.

    Frames and errors are those of `write_gif` and `write_mp4`.
    """
    if pathlib.Path(path).suffix.lower() == ".gif":
        write_gif(path, frames, milliseconds, milliseconds)
    else:
        write_mp4(path, frames, 1000 // milliseconds)


def write_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes an image, uint8 (height, width, 3), atomically."""
    files.write_bytes(path, encode_png(image))


def write_gif(
    path: str | os.PathLike,
    frames: Sequence[np.ndarray],
    milliseconds: int = 200,
    last_milliseconds: int = 2000,
) -> None:
    """Writes uint8 (height, width, 3) frames as a looping GIF, atomically.

    Every frame has a palette of its own with error diffusion: skin has more
    shades than 256 colours shared by a whole animation can represent. GIF
    counts durations in steps of ten milliseconds.

    Raises:
        ValueError: If there is no frame, frames differ in size, or a duration
            is under 20 milliseconds, which browsers do not keep to.
    """
    _check_frames(frames)
    check("milliseconds", milliseconds, low=20)
    check("last_milliseconds", last_milliseconds, low=20)
    first, *rest = [_with_palette(_check_image(frame)) for frame in frames]
    content = io.BytesIO()
    first.save(
        content,
        "gif",
        save_all=True,
        append_images=rest,
        duration=[milliseconds] * len(rest) + [last_milliseconds],
        loop=0,
        optimize=False,
    )
    files.write_bytes(path, content.getvalue())


def write_mp4(
    path: str | os.PathLike,
    frames: Sequence[np.ndarray],
    frames_per_second: int = 12,
) -> None:
    """Writes uint8 (height, width, 3) frames as an MP4 of H.264, atomically.

    A white line is added where height or width is odd, as the format asks.

    Raises:
        ValueError: If there is no frame, frames differ in size, or the extra
            `video` is not installed.
    """
    height, width, _ = _check_frames(frames)
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ValueError(
            "MP4 needs the extra `video`: pip install 'vaegan-tf[video]'. GIF "
            "needs nothing more."
        ) from None
    even = [(0, height % 2), (0, width % 2)]
    with tempfile.TemporaryDirectory() as folder:
        film = os.path.join(folder, "film.mp4")
        writer = imageio_ffmpeg.write_frames(
            film,
            (width + width % 2, height + height % 2),
            fps=frames_per_second,
            quality=8,
            macro_block_size=1,
        )
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(_pad(_check_image(frame), *even)))
        writer.close()
        files.write_bytes(path, pathlib.Path(film).read_bytes())


def read_png(path: str | os.PathLike) -> np.ndarray:
    """The image in a PNG file as stored, uint8 (height, width, 3).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no PNG or is damaged.
    """
    files.check_regular(path)
    return _read(path, os.fspath(path), lambda i: i.convert("RGB"), ["PNG"])


def upright_rgb(image: Image.Image) -> Image.Image:
    """The first frame in 8-bit colour, turned upright, transparency white."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 or 32 bits: `convert` would clip
        image = image.convert("I").point(lambda level: level / 257).convert("L")
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Reads a file of one of `FORMATS` as `upright_rgb`, (height, width, 3).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not such an image, is damaged or too large.
    """
    files.check_regular(path)
    return _read(path, os.fspath(path))


def decode_image(
    content: bytes, name: str, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """As `read_image`, of a file's content; errors name it `name`."""
    return _read(io.BytesIO(content), name, max_pixels=max_pixels)


@contextlib.contextmanager
def opened(
    source: str | os.PathLike | BinaryIO,
    formats: Sequence[str] = FORMATS,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Image.Image]:
    """An image of one of the formats, whose pixels are not read yet.

    Pillow knows further formats, and starts programs for some of them.

    Raises:
        UNREADABLE: If it is another kind of file, damaged, or too large.
    """
    with Image.open(source, formats=formats) as image:
        if image.width * image.height > max_pixels:
            raise ValueError(
                f"it has {image.width} × {image.height} pixels, more than "
                f"{max_pixels:,}"
            )
        yield image


def _read(
    source, name, convert=upright_rgb, formats=FORMATS, max_pixels=MAX_PIXELS
):
    """The pixels of an image; errors say which it is, and what is wrong."""
    try:
        with opened(source, formats, max_pixels) as image:
            return np.asarray(convert(image))
    except UnidentifiedImageError:
        raise ValueError(
            f"Not an image: {name}. It must be one of {', '.join(formats)}."
        ) from None
    except UNREADABLE as error:
        raise ValueError(f"Cannot read the image {name}: {error}") from error


def _to_rgb(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or not images.size or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (n, height, width, 1 or 3) with n > 0. "
            f"Received: shape={images.shape}."
        )
    images = to_uint8(images)
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _check_frames(frames: Sequence[np.ndarray]) -> tuple[int, ...]:
    """The one shape of all frames."""
    if not len(frames):
        raise ValueError("`frames` must hold at least one image.")
    shapes = sorted({np.shape(frame) for frame in frames})
    if len(shapes) > 1:
        raise ValueError(f"`frames` must have one size. Received: {shapes}.")
    return shapes[0]


def _check_image(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    shape = image.shape
    if image.dtype != np.uint8 or shape[2:] != (3,) or not image.size:
        raise ValueError(
            "An image must be uint8 of shape (height, width, 3). "
            f"Received: dtype={image.dtype}, shape={shape}."
        )
    return image


def _pad(array: np.ndarray, *widths: tuple[int, int]) -> np.ndarray:
    """Appends white along the first axes: (before, after) of each."""
    rest = [(0, 0)] * (array.ndim - len(widths))
    return np.pad(array, [*widths, *rest], constant_values=_WHITE)


def _tile(cells: np.ndarray, columns: int) -> np.ndarray:
    _, height, width, channels = cells.shape
    cells = cells.reshape(-1, columns, height, width, channels)
    return cells.swapaxes(1, 2).reshape(-1, columns * width, channels)


def _with_palette(frame: np.ndarray) -> Image.Image:
    image = Image.fromarray(frame)
    # Searching the colours in a sample takes a tenth of the time.
    pixels = frame.reshape(-1, 1, 3)
    sample = Image.fromarray(pixels[:: len(pixels) // _PALETTE_PIXELS + 1])
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
