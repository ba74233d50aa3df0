import numpy as np
import pytest
from PIL import Image

from tests.training.watched import (
    Painter,
    Writer,
    begin,
    example,
    named,
    pass_step,
)
from vaegan_tf import images as pictures
from vaegan_tf.training import (
    ReconstructionGrid,
    SampleGrid,
    callbacks,
    grids,
)


def test_sample_grids(tmp_path):
    writer, folder = Writer(), tmp_path / "samples"
    drawing = begin(SampleGrid(5, folder, example(9), writer=writer), Painter())
    pass_step(drawing, 5)
    names = ["samples-00000000.png", "samples-00000005.png"]
    assert named(folder) == names
    assert drawing.model.asked == (9, grids.SAMPLE_SEED, None)
    picture = pictures.read_png(folder / names[1])
    # Three by three of 4 pixels with 2 around each; level 0 is 127.5 of 255.
    assert picture.shape == (20, 20, 3)
    assert (picture[0] == 255).all()
    assert (picture[3, 3] == 128).all()
    (_, first), (step, second) = writer.of("images")
    assert set(first) == set(second) == {"samples"}
    assert step == 5
    np.testing.assert_array_equal(second["samples"], picture)


def test_reconstruction_grids(tmp_path):
    drawing = ReconstructionGrid(5, tmp_path, example(40))
    pass_step(begin(drawing, Painter(), step=1), 5)
    assert named(tmp_path) == ["reconstructions-00000005.png"]
    picture = pictures.read_png(tmp_path / "reconstructions-00000005.png")
    # The original is 1, white; below it, 1/2 is 0.75 · 255 = 191.25.
    assert (picture[2:6, 2:6] == 255).all()
    assert (picture[8:12, 2:6] == 191).all()


def test_conditional_samples_have_the_examples_attributes(tmp_path):
    attributes = np.eye(3, dtype=np.float32)
    conditional = {**example(3), "attributes": attributes}
    drawing = begin(SampleGrid(5, tmp_path, conditional), Painter())
    np.testing.assert_array_equal(drawing.model.asked[2], attributes)


def test_grids_after_a_resume(tmp_path):
    grids = [SampleGrid, ReconstructionGrid]
    for grid in grids:
        drawing = begin(grid(5, tmp_path, example(1)), Painter(), step=1)
        for step in (5, 10, 15):
            pass_step(drawing, step)
    for name in ("mine.png", "my-cat.png", "my-holidays.png"):
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / ".samples-00000015.png.123.0").write_bytes(b"cut sho")
    for grid in grids:
        begin(grid(5, tmp_path, example(1)), Painter(), step=10)
    assert named(tmp_path) == [
        "mine.png",
        "my-cat.png",
        "my-holidays.png",
        "reconstructions-00000005.png",
        "reconstructions-00000010.png",
        "samples-00000005.png",
        "samples-00000010.png",
    ]


def test_a_kill_between_the_first_two_grids_leaves_none_out(tmp_path):
    for grid in (SampleGrid, SampleGrid, ReconstructionGrid):
        begin(grid(5, tmp_path, example(1)), Painter())
    assert len(named(tmp_path)) == 2


def frames(path):
    """Red of a pixel inside the first image, by frame."""
    actual = []
    with Image.open(path) as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            actual.append(np.asarray(animation.convert("RGB"))[4, 4, 0])
    return actual


def draw(folder, levels, last_step=None):
    last_step = len(levels) if last_step is None else last_step
    drawing = SampleGrid(1, folder, example(1))
    begin(drawing, Painter(), step=1, last_step=last_step)
    for step, level in enumerate(levels, 1):
        drawing.model.level = level
        pass_step(drawing, step)
    return drawing


def test_the_animation_has_a_frame_for_each_grid(tmp_path):
    draw(tmp_path, [-1.0, 0.0, 0.6, 1.0]).on_train_end()
    # 127.5 · (1 + level), rounded to even.
    assert frames(tmp_path / "samples.gif") == [0, 128, 204, 255]


def test_a_long_animation_leaves_frames_out_but_not_the_ends(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(grids, "MOST_FRAMES", 3)
    draw(tmp_path, [-1.0, -0.5, 0.0, 0.5, 1.0]).on_train_end()
    assert frames(tmp_path / "samples.gif") == [0, 128, 255]


def test_a_run_stopped_by_a_signal_has_no_animation_yet(tmp_path):
    drawing = draw(tmp_path, [-1.0, 0.0], last_step=9)
    before = named(tmp_path)
    drawing.on_train_end()
    assert named(tmp_path) == before
    # One that a callback has stopped is over.
    drawing.model.stop_training = True
    drawing.on_train_end()
    assert frames(tmp_path / "samples.gif") == [0, 128]


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A function that draws at some steps; the steps that are left."""
    monkeypatch.setattr(callbacks, "MOST_KEPT", 4)
    writer = Writer()

    def draw(steps, step=0):
        grid = SampleGrid(5, tmp_path, example(1), writer=writer)
        begin(grid, Painter(), step)
        for each in steps:
            grid.model.step.assign(each)
            grid.act()
        files = [int(path.stem[-8:]) for path in grid.paths()]
        return files, [step for step, *_ in writer.of("images")]

    return draw


def test_few_are_all_kept(drawn):
    steps = [0, 5, 10, 15, 20]
    files, logged = drawn(steps[1:])
    assert files == logged == steps


def test_of_many_every_second_is_kept_and_the_newest(drawn):
    files, logged = drawn(range(5, 36, 5))
    assert files == [0, 10, 20, 30, 35]
    assert logged == [0, 5, 10, 15, 20, 30]


def test_there_are_never_many_more(drawn):
    files, logged = drawn(range(5, 1001, 5))
    assert files == [0, 320, 640, 960, 1000]
    assert len(logged) < 20


def test_a_resumed_run_keeps_the_same(drawn):
    files, _ = drawn(range(5, 36, 5))
    again, _ = drawn(range(25, 36, 5), step=20)
    assert again == files
