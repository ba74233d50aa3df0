"""A table of scores of samples of one picture or clip, whoever has drawn them.

    python examples/patch_table.py clip.gif 40 runs/hp runs/singan \
        published=fakes.gif

The first argument is the example, the second the size that everything is
brought to. Then come runs of `vaegan-train --model=hp_vae_gan`, or samples of
others: `name=` and a GIF or an image in which they lie side by side, as wide as
the example and ten pixels apart.
"""

import pathlib
import sys

import numpy as np

from vaegan_tf.patch.evaluation import draw_levels, evaluate_samples
from vaegan_tf.patch.single import fitted, load_single, read_clip
from vaegan_tf.runs import Run
from vaegan_tf.settings import PatchScoreSettings

GAP = 10
COLUMNS = {
    "patch_frechet_distance": "Fréchet distance of patches",
    "nearest_patch": "to the nearest patch, levels",
    "field_diversity": "diversity of fields",
    "pixel_diversity": "diversity of pixels",
}


def samples_in_sheet(path, width, size):
    """Samples that lie side by side in a clip, (n, frames, h, w, 3)."""
    sheet = np.stack(read_clip(path, frames=10_000))
    count = (sheet.shape[2] + GAP) // (width + GAP)
    starts = [number * (width + GAP) for number in range(count)]
    return np.stack(
        [
            [fitted(frame[:, start : start + width], size) for frame in sheet]
            for start in starts
        ]
    )


def row(name, samples, example, settings):
    """A line of the table, and that of a copy which has moved."""
    scores = evaluate_samples(samples, example, settings).scores
    found = {score.name: score for score in scores}
    cells = [f"{found[key].value:.3g}" for key in COLUMNS]
    floors = [found[key].floor for key in COLUMNS]
    floors = ["" if floor is None else f"{floor:.3g}" for floor in floors]
    return [
        f"| {name} | {len(samples)} | {' | '.join(cells)} |",
        f"| a copy that has moved | | {' | '.join(floors)} |",
    ]


def main(path, size, *others, count=10):
    """The lines of the table."""
    settings = PatchScoreSettings()
    kind = "clip" if pathlib.Path(path).suffix == ".gif" else "picture"
    data = load_single(kind, source_dir=path, image_size=int(size))
    example = data.example
    lines = [f"| | samples | {' | '.join(COLUMNS.values())} |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for other in others:
        name, equals, sheet = other.partition("=")
        if equals:
            width = read_clip(path, 2)[0].shape[1]
            samples = samples_in_sheet(sheet, width, int(size))
        else:
            name = pathlib.Path(other).name
            samples = draw_levels(Run(other).model()[0], count)
        line, floor = row(name, samples, example, settings)
        lines.append(line)
    return [*lines, floor]


if __name__ == "__main__":
    print("\n".join(main(*sys.argv[1:])))
