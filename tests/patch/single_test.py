import numpy as np
import pytest
from PIL import Image

from vaegan_tf import images
from vaegan_tf.patch.single import SingleDataset, fitted, load_single, read_clip
from vaegan_tf.settings import SingleDataSettings


def film(frames=5, size=(12, 8)):
    """Grey frames, each lighter than the one before."""
    return [
        np.full((size[1], size[0], 3), 40 * number, np.uint8)
        for number in range(frames)
    ]


def test_what_is_drawn_needs_no_file_and_is_always_the_same():
    picture, again = (
        load_single("texture", image_size=40),
        load_single(image_size=40),
    )
    assert picture.example.shape == (30, 40, 3)
    np.testing.assert_array_equal(picture.example, again.example)
    assert picture.example.std() > 20
    clip = load_single("avatar_clip", image_size=32, frames=4).example
    assert clip.shape == (4, 18, 32, 3)
    assert (clip[0] != clip[1]).any()


def test_a_picture_is_made_to_fit_but_never_larger(tmp_path):
    path = tmp_path / "tall.png"
    Image.new("RGB", (30, 60), (10, 20, 30)).save(path)
    dataset = load_single("picture", source_dir=path, image_size=20)
    assert dataset.name == "tall.png"
    assert dataset.example.shape == (20, 10, 3)
    assert (dataset.example == [10, 20, 30]).all()
    image = np.zeros((6, 5, 3), np.uint8)
    assert fitted(image, 20) is image


@pytest.mark.parametrize("kind", ["gif", "folder"])
def test_a_clip_is_read_from_a_first_frame_on(tmp_path, kind):
    path = tmp_path / "clip.gif"
    if kind == "gif":
        images.write_gif(path, film(), 100, 100)
    else:
        path = tmp_path / "frames"
        for number, frame in enumerate(film()):
            images.write_png(path / f"{number:03d}.png", frame)
    clip = read_clip(path, frames=3, first_frame=1)
    assert [frame[0, 0, 0] for frame in clip] == pytest.approx(
        [40, 80, 120], abs=2
    )
    dataset = load_single("clip", source_dir=path, image_size=6)
    assert dataset.example.shape == (5, 4, 6, 3)


def test_a_film_is_read_by_the_extra(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "clip.mp4"
    images.write_mp4(path, film(size=(32, 16)))
    clip = read_clip(path, frames=13)
    assert len(clip) == 5
    assert [int(f[8, 16, 0]) for f in clip] == pytest.approx(
        [0, 40, 80, 120, 160], abs=12
    )


def test_what_is_no_clip_is_refused(tmp_path):
    short = tmp_path / "short.gif"
    images.write_gif(short, film(1), 100, 100)
    with pytest.raises(ValueError, match=r"at least 2 frames.*with 1"):
        read_clip(short, 5)
    text = tmp_path / "text.gif"
    text.write_text("no film")
    with pytest.raises(ValueError, match="must be a GIF, a film"):
        read_clip(text, 5)
    with pytest.raises(FileNotFoundError):
        read_clip(tmp_path / "none.gif", 5)
    for number, size in enumerate([(4, 4), (4, 5)]):
        path = tmp_path / "sizes" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", size).save(path)
    with pytest.raises(ValueError, match="differ in size"):
        read_clip(tmp_path / "sizes", 5)


def test_batches_are_copies_from_any_step_on():
    example = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    dataset = SingleDataset("own", example)
    parts = dataset.train_batches(
        3, seed=1, start_step=7, parts=(0, 1), num_parts=2
    )
    first, second = parts.take(2).as_numpy_iterator()
    assert (len(first["image"]), len(second["image"])) == (1, 2)
    np.testing.assert_allclose(
        first["image"][0], example / 127.5 - 1, atol=1e-6
    )
    with pytest.raises(ValueError, match=r"must be one of none\. Received"):
        dataset.train_batches(1, seed=1, augmentation="flip")
    other = SingleDataset("own", example + 1)
    assert dataset.contents != other.contents


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dataset": "clip"}, "needs `source_dir`"),
        ({"source_dir": "/a.png"}, "is for picture and clip"),
    ],
)
def test_files_belong_to_the_users_own(values, message):
    with pytest.raises(ValueError, match=message):
        SingleDataSettings(**values)
