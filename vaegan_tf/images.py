"""What is a picture?

A *picture* is one uint8 array (height, width, 3); *images* are a batch as the
networks see it, float in [-1, 1], or already uint8.
"""

import io
import itertools
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_WHITE = 255
_MAX_SPRITE_PIXELS = 8192  # a side; WebGL's limit on most machines
_PALETTE_PIXELS = 30_000
_temporary_number = itertools.count()


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Converts values in [-1, 1] to the nearest of the 256 levels.

    Values outside the range are clipped. NaN becomes 0, black: a broken network
    shall show as black patches, not stop the run that draws it.

    Args:
        images: Float values in [-1, 1], or uint8 ones, which are returned as
            they are; any shape.

    Returns:
        Levels, uint8, of the same shape.

    Raises:
        ValueError: If `images` is neither float nor uint8.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if not _is_float(images.dtype):
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
    """Lays images out in rows, on white.

    Args:
        images: Float in [-1, 1] or uint8, (n, height, width, 1 or 3).
        columns: Images in a row; by default as many as make the grid nearly
            square.
        padding: White pixels around each image.

    Returns:
        One picture, uint8, (rows * (height + padding) + padding,
        columns * (width + padding) + padding, 3).

    Raises:
        ValueError: If `images` is empty or not a batch of images, or if
            `columns` is not positive or `padding` negative.
    """
    cells = _to_rgb(images)
    if padding < 0:
        raise ValueError(
            f"`padding` must not be negative. Received: padding={padding}."
        )
    columns = _check_columns(columns, len(cells))
    cells = _with_white_cells(cells, -len(cells) % columns)
    cells = np.pad(
        cells,
        ((0, 0), (0, padding), (0, padding), (0, 0)),
        constant_values=_WHITE,
    )
    picture = _tile(cells, columns)
    return np.pad(
        picture,
        ((padding, 0), (padding, 0), (0, 0)),
        constant_values=_WHITE,
    )


def pairs_grid(
    rows: Sequence[np.ndarray], columns: int | None = None, padding: int = 2
) -> np.ndarray:
    """Lays out originals with their reconstructions directly below.

    The pairs are wrapped into blocks: one row of originals above one row for
    each further entry of `rows`. Blocks stand a double padding apart.

    Args:
        rows: Batches that belong together, originals first; each float in
            [-1, 1] or uint8, (n, height, width, 1 or 3).
        columns: Pairs in a block; by default as many as make the grid nearly
            square.
        padding: White pixels around each image.

    Returns:
        One picture, uint8, (height, width, 3).

    Raises:
        ValueError: If `rows` is empty, its batches differ in size, or for what
            `grid` refuses.
    """
    if not len(rows):
        raise ValueError("`rows` must hold at least one batch of images.")
    batches = [_to_rgb(row) for row in rows]
    if len({batch.shape for batch in batches}) > 1:
        raise ValueError(
            "All batches of `rows` must have the same number and size of "
            f"images. Received: {[batch.shape for batch in batches]}."
        )
    count = len(batches[0])
    default = min(count, math.ceil(math.sqrt(len(batches) * count)))
    columns = _check_columns(default if columns is None else columns, count)
    blocks = []
    for start in range(0, count, columns):
        parts = [batch[start : start + columns] for batch in batches]
        missing = columns - len(parts[0])
        parts = [_with_white_cells(part, missing) for part in parts]
        blocks.append(grid(np.concatenate(parts), columns, padding))
    return np.concatenate(blocks)


def contact_sheet_sprite(images: np.ndarray, size: int = 32) -> np.ndarray:
    """Draws the sheet of thumbnails that TensorBoard's projector shows.

    Args:
        images: Float in [-1, 1] or uint8, (n, height, width, 1 or 3).
        size: Side of a thumbnail, in pixels.

    Returns:
        A square picture without padding, uint8, row by row from the top left,
        (ceil(sqrt(n)) * size, ceil(sqrt(n)) * size, 3).

    Raises:
        ValueError: If the sprite would exceed 8192 pixels a side, the most that
            browsers draw, or `size` is not positive.
    """
    if size < 1:
        raise ValueError(f"`size` must be positive. Received: size={size}.")
    cells = _to_rgb(images)
    columns = math.ceil(math.sqrt(len(cells)))
    if columns * size > _MAX_SPRITE_PIXELS:
        raise ValueError(
            f"A sprite holds at most {(_MAX_SPRITE_PIXELS // size) ** 2} "
            f"thumbnails of {size} pixels. Received: {len(cells)} images."
        )
    thumbnails = np.stack([_resize(cell, size) for cell in cells])
    missing = columns * columns - len(cells)
    return _tile(_with_white_cells(thumbnails, missing), columns)


def encode_png(picture: np.ndarray) -> bytes:
    """Returns a picture, uint8, (height, width, 3), as a PNG file's content."""
    content = io.BytesIO()
    Image.fromarray(_check_picture(picture)).save(content, "png")
    return content.getvalue()


def write_png(path: str | os.PathLike, picture: np.ndarray) -> None:
    """Writes a picture; a reader sees the old file or the whole new one.

    Args:
        path: The file; its folder is made if missing.
        picture: uint8, (height, width, 3).

    Raises:
        ValueError: If `picture` is no picture.
    """
    _write_atomically(path, encode_png(picture))


def write_gif(
    path: str | os.PathLike,
    frames: Sequence[np.ndarray],
    milliseconds: int = 200,
    last_milliseconds: int = 2000,
) -> None:
    """Writes an endless animation, atomically as `write_png` does.

    Every frame has a palette of its own with error diffusion: skin has more
    shades than 256 colours shared by a whole animation can give.

    Args:
        path: The file; its folder is made if missing.
        frames: Pictures of one size, uint8, (height, width, 3).
        milliseconds: How long a frame stands; GIF counts in steps of ten.
        last_milliseconds: How long the last frame stands.

    Raises:
        ValueError: If there is no frame, frames differ in size, or a duration
            is under 20 milliseconds, which browsers do not keep to.
    """
    if not len(frames):
        raise ValueError("`frames` must hold at least one picture.")
    if min(milliseconds, last_milliseconds) < 20:
        raise ValueError(
            "Frames must stand for at least 20 milliseconds. Received: "
            f"milliseconds={milliseconds}, "
            f"last_milliseconds={last_milliseconds}."
        )
    shapes = sorted({np.shape(frame) for frame in frames})
    if len(shapes) > 1:
        raise ValueError(f"`frames` must have one size. Received: {shapes}.")
    first, *rest = [_with_palette(_check_picture(frame)) for frame in frames]
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
    _write_atomically(path, content.getvalue())


def read_png(path: str | os.PathLike) -> np.ndarray:
    """Returns a file's picture as it is stored, uint8, (height, width, 3)."""
    with Image.open(path, formats=["png"]) as image:
        return np.asarray(image.convert("RGB"))


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
    """Reads a photograph in any common format, turned upright.

    Transparent parts become white; of an animation the first frame is taken.

    Args:
        path: The file.

    Returns:
        The picture, uint8, (height, width, 3).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not an image or is damaged.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(upright_rgb(image))
    except FileNotFoundError:
        raise
    except UnidentifiedImageError:
        raise ValueError(f"Not an image: {os.fspath(path)}") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"Cannot read the image {os.fspath(path)}: {error}"
        ) from error


def _is_float(dtype: np.dtype) -> bool:
    # bfloat16 is a float to everyone but numpy.
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"


def _to_rgb(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or not images.size or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (n, height, width, 1 or 3) with n > 0. "
            f"Received: shape={images.shape}."
        )
    images = to_uint8(images)
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _check_columns(columns: int | None, count: int) -> int:
    if columns is None:
        return math.ceil(math.sqrt(count))
    if columns < 1:
        raise ValueError(
            f"`columns` must be positive. Received: columns={columns}."
        )
    return columns


def _check_picture(picture: np.ndarray) -> np.ndarray:
    picture = np.asarray(picture)
    if (
        picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[-1] != 3
        or not picture.size
    ):
        raise ValueError(
            "A picture must be uint8 of shape (height, width, 3). "
            f"Received: dtype={picture.dtype}, shape={picture.shape}."
        )
    return picture


def _with_white_cells(cells: np.ndarray, count: int) -> np.ndarray:
    return np.pad(
        cells, ((0, count), (0, 0), (0, 0), (0, 0)), constant_values=_WHITE
    )


def _tile(cells: np.ndarray, columns: int) -> np.ndarray:
    count, height, width, channels = cells.shape
    rows = count // columns
    cells = cells.reshape(rows, columns, height, width, channels)
    return cells.swapaxes(1, 2).reshape(
        rows * height, columns * width, channels
    )


def _resize(cell: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(
        Image.fromarray(cell).resize((size, size), Image.Resampling.LANCZOS)
    )


def _with_palette(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    # Searching the colours in a sample takes a tenth of the time.
    pixels = picture.reshape(-1, 1, 3)
    sample = Image.fromarray(pixels[:: len(pixels) // _PALETTE_PIXELS + 1])
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _write_atomically(path: str | os.PathLike, content: bytes) -> None:
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(
        f".{path.name}.{os.getpid()}.{next(_temporary_number)}"
    )
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
