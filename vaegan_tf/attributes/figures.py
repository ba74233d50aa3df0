"""Figures with words beside them: edits of faces, angles between vectors."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vaegan_tf import images as layout

FONT_SIZE = 13
CELL = 30
PADDING = 4
INK = "#222222"
_BLUE, _ORANGE = np.array([59, 117, 175]), np.array([217, 130, 43])


def labelled_grid(
    cells: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str] = (),
    padding: int = PADDING,
) -> np.ndarray:
    """Lays rows of images out below the names of their columns.

    Args:
        cells: Images, float in [−1, 1] or uint8, (rows, columns, height,
            width, 1 or 3).
        columns: Names of the columns, written upwards.
        rows: Names of the rows, if they have any.
        padding: White pixels around each image.

    Returns:
        The figure, uint8 (height, width, 3).
    """
    num_rows, num_columns, *shape = np.shape(cells)
    flat = np.reshape(cells, (-1, *shape))
    body = layout.grid(flat, num_columns, padding)
    step = shape[1] + padding
    middles = [padding + step * n + shape[1] // 2 for n in range(num_columns)]
    head = _column(columns, middles, body.shape[1], "lm")
    head = np.asarray(head.transpose(Image.Transpose.ROTATE_90))
    figure = np.concatenate([head, body])
    if not rows:
        return figure
    step = shape[0] + padding
    top = len(head) + padding + shape[0] // 2
    middles = [top + step * n for n in range(num_rows)]
    side = np.asarray(_column(rows, middles, len(figure), "rm"))
    return np.concatenate([side, figure], axis=1)


def cosine_chart(cosines: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Draws a matrix of cosines, (k, k), as coloured cells with numbers.

    Orange is positive, blue negative and white none. The figure is uint8,
    (height, width, 3).
    """
    depth = np.clip(np.abs(cosines), 0, 1)[..., None]
    hue = np.where(cosines[..., None] >= 0, _ORANGE, _BLUE)
    colours = (255 - depth * (255 - hue)).astype(np.uint8)
    cells = np.tile(colours[:, :, None, None], (1, 1, CELL, CELL, 1))
    font = ImageFont.load_default(FONT_SIZE - 3)
    for row, column in np.ndindex(cosines.shape):
        image = Image.fromarray(cells[row, column])
        # A minus is read off the colour: hundredths fit into a cell.
        text = f"{abs(round(100 * float(cosines[row, column])))}"
        middle = (CELL / 2, CELL / 2)
        ImageDraw.Draw(image).text(middle, text, INK, font, "mm")
        cells[row, column] = np.asarray(image)
    return labelled_grid(cells, names, names, padding=1)


def _column(
    names: Sequence[str], middles: Sequence[int], height: int, anchor: str
) -> Image.Image:
    """Names below each other, whose middles are so far down.

    `anchor` is `"lm"` or `"rm"`: aligned to the left or to the right.
    """
    font = ImageFont.load_default(FONT_SIZE)
    width = round(max(map(font.getlength, names))) + 2 * PADDING
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    x = PADDING if anchor == "lm" else width - PADDING
    for name, middle in zip(names, middles):
        draw.text((x, middle), name, INK, font, anchor)
    return image
