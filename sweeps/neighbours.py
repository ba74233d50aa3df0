"""Shows where in the one example each patch of a sample comes from.

`python -m sweeps.neighbours runs/picture figure.png 5` draws the example and
five samples, of a clip the frame in the middle. Below each, a colour stands for
the place of the nearest training patch: red from left to right, green from top
to bottom, of a clip blue from first to last. Below the example itself is the
key. A copy looks as the key does; one that has moved has its colours elsewhere,
and patches put together anew have borders between them.
"""

import sys

import numpy as np
from PIL import Image

from vaegan_tf.images import to_uint8
from vaegan_tf.patch.evaluation import draw_levels
from vaegan_tf.patch.scores import nearest_patches
from vaegan_tf.runs import Run

SIZE = 7
FRAMES = 3
GAP = 4
ENLARGED = 3


def origins(
    sample: np.ndarray, example: np.ndarray, window: tuple[int, ...]
) -> np.ndarray:
    """Places of the nearest training patches as colours, uint8.

    Args:
        sample: uint8 (*sizes, channels).
        example: uint8, of the same sizes.
        window: Sizes of a patch, odd.

    Returns:
        (*sizes, 3): 0 to 255 along the width in red, along the height in green
        and along the frames, if there are any, in blue. Where no patch is
        centred, at the border, it is white.
    """
    offsets = nearest_patches(sample, example, window).offsets
    *extent, axes = offsets.shape
    places = np.moveaxis(np.indices(extent), 0, -1) + offsets
    levels = places / np.maximum(np.array(extent) - 1, 1) * 255
    colours = np.zeros((*extent, 3), np.uint8)
    colours[..., :axes] = np.round(levels[..., ::-1])
    border = [(size // 2, size // 2) for size in window]
    return np.pad(colours, [*border, (0, 0)], constant_values=255)


def figure(example: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The example and samples above their `origins`, uint8 (h, w, 3)."""
    window = (FRAMES, SIZE, SIZE)[-(example.ndim - 1) :]
    rows = [[x, origins(x, example, window)] for x in (example, *samples)]
    if len(window) == 3:
        middle = len(example) // 2
        rows = [[clip[middle] for clip in row] for row in rows]
    padding = [(0, GAP), (0, GAP), (0, 0)]
    columns = [
        np.concatenate([np.pad(x, padding, constant_values=255) for x in row])
        for row in rows
    ]
    return np.concatenate(columns, axis=1)


def main(folder: str, output: str, count: str = "5") -> None:
    """Writes the figure of a run."""
    run = Run(folder)
    model, _ = run.model()
    batch = model.pyramid.at(run.dataset().batch, model.newest_scale)
    drawn = figure(to_uint8(batch)[0], draw_levels(model, int(count)))
    image = Image.fromarray(drawn)
    size = image.width * ENLARGED, image.height * ENLARGED
    image.resize(size, Image.Resampling.NEAREST).save(output, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
