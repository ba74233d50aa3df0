"""Scores samples of one picture or clip that somebody else has drawn.

`python -m sweeps.sheets clip.gif 40 NAME=fakes.gif ...` prints the table of the
plan `patch` for samples that lie side by side in a GIF or an image, as wide as
the example and ten pixels apart. 40 is the width that everything is brought to.
"""

import pathlib
import sys

import numpy as np

from sweeps.kinds import image_scores
from sweeps.table import Results, add, table
from vaegan_tf.patch.evaluation import evaluate_samples
from vaegan_tf.patch.single import fitted, load_single, read_clip

GAP = 10


def samples_in_sheet(path: str, width: int, size: int) -> np.ndarray:
    """Samples that lie side by side in a clip, (n, frames, h, w, 3)."""
    sheet = np.stack(read_clip(path, frames=10_000))
    starts = range(0, sheet.shape[2], width + GAP)
    return np.stack(
        [
            [fitted(frame[:, start : start + width], size) for frame in sheet]
            for start in starts
        ]
    )


def main(path: str, size: str, *sheets: str) -> None:
    """Prints the table."""
    kind = "clip" if pathlib.Path(path).suffix == ".gif" else "picture"
    example = load_single(kind, source_dir=path, image_size=int(size)).example
    width = read_clip(path, 2)[0].shape[1]
    results: Results = {}
    for name, _, sheet in (sheet.partition("=") for sheet in sheets):
        samples = samples_in_sheet(sheet, width, int(size))
        record = evaluate_samples(samples, example).as_dict()
        add(results, "", image_scores(name, record))
    print(table(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
