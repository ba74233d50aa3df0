import numpy as np

from sweeps import sheets
from vaegan_tf import images


def clip(seed):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (3, 12, 16, 3)).astype(np.uint8)


def test_samples_in_a_sheet_are_scored_beside_the_example(tmp_path, capsys):
    path, sheet = str(tmp_path / "clip.gif"), tmp_path / "sheet.gif"
    example, gap = clip(0), np.full((3, 12, 10, 3), 255, np.uint8)
    images.write_gif(path, example)
    parts = [example, gap, clip(1)]
    images.write_gif(sheet, np.concatenate(parts, axis=2))
    found = sheets.samples_in_sheet(sheet, 16, 16)
    assert found.shape == (2, 3, 12, 16, 3)
    # Palettes of a GIF change levels a little.
    assert np.abs(found[0].astype(int) - example).mean() < 12
    assert np.abs(found[1].astype(int) - example).mean() > 50
    sheets.main(path, "16", f"theirs={sheet}")
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("|  | theirs | real halves |")
    assert len(rows) == 4
    assert "nearest patch" in rows[1]
