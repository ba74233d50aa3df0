import numpy as np

from examples import patch_table
from vaegan_tf import images


def clip(seed):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (3, 12, 16, 3)).astype(np.uint8)


def test_samples_in_a_sheet_are_scored_beside_the_example(tmp_path):
    path, sheet = str(tmp_path / "clip.gif"), tmp_path / "sheet.gif"
    example, gap = clip(0), np.full((3, 12, 10, 3), 255, np.uint8)
    images.write_gif(path, example)
    parts = [example, gap, clip(1)]
    images.write_gif(sheet, np.concatenate(parts, axis=2))
    found = patch_table.samples_in_sheet(sheet, 16, 16)
    assert found.shape == (2, 3, 12, 16, 3)
    # Palettes of a GIF change levels a little.
    assert np.abs(found[0].astype(int) - example).mean() < 12
    assert np.abs(found[1].astype(int) - example).mean() > 50
    lines = patch_table.main(path, "16", f"theirs={sheet}")
    assert lines[2].startswith("| theirs | 2 | ")
    assert lines[-1].startswith("| a copy that has moved | | ")
    assert all(line.count("|") == 7 for line in lines)
