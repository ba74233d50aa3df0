import os

import numpy as np
import pytest
from PIL import Image

from vaegan_tf import images

WHITE, BLACK = [255] * 3, [0] * 3


def solid(*levels, size=2):
    """One uint8 image of each grey level, (n, size, size, 3)."""
    cells = np.array(levels, np.uint8).reshape(-1, 1, 1, 1)
    return np.tile(cells, (1, size, size, 3))


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (-1.0, 0),
        (1.0, 255),
        (0.0, 128),  # 127.5, to the even neighbour
        (-0.996, 1),  # 0.51
        (0.2, 153),  # 153.0
        (-7.0, 0),
        (7.0, 255),
        (np.inf, 255),
        (-np.inf, 0),
        (np.nan, 0),
    ],
)
def test_levels(value, level):
    assert images.to_uint8(np.array([value])).tolist() == [level]


def test_levels_survive_the_way_to_floats_and_back():
    levels = np.arange(256, dtype=np.uint8)
    values = levels.astype(np.float32) / 127.5 - 1
    np.testing.assert_array_equal(images.to_uint8(values), levels)
    assert images.to_uint8(levels) is levels


def test_levels_of_half_precision():
    import ml_dtypes

    values = np.array([-1.0, 0.5, 1.0])  # 0.5 → 191.25
    for dtype in (np.float16, ml_dtypes.bfloat16):
        levels = images.to_uint8(values.astype(dtype))
        assert levels.tolist() == [0, 191, 255]


def test_levels_refuse_other_integers():
    with pytest.raises(ValueError, match=r"float in \[-1, 1\].*dtype=int32"):
        images.to_uint8(np.zeros(3, np.int32))


def test_grid_places_images_row_by_row_on_white():
    picture = images.grid(solid(10, 20, 30), columns=2, padding=1)
    assert picture.shape == (7, 7, 3)
    assert picture.dtype == np.uint8
    expected = [
        [255, 255, 255, 255, 255, 255, 255],
        [255, 10, 10, 255, 20, 20, 255],
        [255, 10, 10, 255, 20, 20, 255],
        [255, 255, 255, 255, 255, 255, 255],
        [255, 30, 30, 255, 255, 255, 255],
        [255, 30, 30, 255, 255, 255, 255],
        [255, 255, 255, 255, 255, 255, 255],
    ]
    for channel in range(3):
        assert picture[..., channel].tolist() == expected


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (4, 4)), (2, (4, 8)), (5, (8, 12)), (9, (12, 12)), (10, (12, 16))],
)
def test_grid_is_nearly_square(count, shape):
    picture = images.grid(np.zeros((count, 4, 4, 3)), padding=0)
    assert picture.shape == (*shape, 3)


def test_grid_expands_grey_and_keeps_colour_and_aspect():
    grey = images.grid(np.full((1, 2, 3, 1), -1.0), padding=0)
    assert grey.tolist() == [[BLACK] * 3] * 2
    red = np.array([1.0, -1.0, -1.0]).reshape(1, 1, 1, 3)
    assert images.grid(red, padding=0).tolist() == [[[255, 0, 0]]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((4, 4, 3)),), r"shape=\(4, 4, 3\)"),
        ((np.zeros((0, 4, 4, 3)),), "n > 0"),
        ((np.zeros((1, 4, 4, 2)),), r"1 or 3"),
        ((solid(1), 0), "`columns` must be at least 1. Received: columns=0"),
        ((solid(1), 1, -1), "`padding` must be at least 0.*padding=-1"),
    ],
)
def test_grid_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        images.grid(*arguments)


def test_each_reconstruction_stands_under_its_original():
    originals = solid(10, 20, 30, size=1)
    reconstructions = solid(11, 21, 31, size=1)
    picture = images.pairs_grid(
        [originals, reconstructions], columns=2, padding=0
    )
    assert picture[..., 0].tolist() == [
        [10, 20],
        [11, 21],
        [30, 255],
        [31, 255],
    ]


def test_blocks_of_pairs_stand_a_double_padding_apart():
    picture = images.pairs_grid([solid(1, 2), solid(3, 4)], columns=1)
    # Two blocks of 2 + (2 + 2) + (2 + 2) rows.
    assert picture.shape == (20, 6, 3)
    assert picture[:, 2, 0].tolist() == (
        [255] * 2
        + [1] * 2
        + [255] * 2
        + [3] * 2
        + [255] * 4
        + [2] * 2
        + [255] * 2
        + [4] * 2
        + [255] * 2
    )


@pytest.mark.parametrize(
    ("count", "shape"),
    [(1, (2, 1)), (2, (2, 2)), (8, (4, 4)), (32, (8, 8)), (9, (4, 5))],
)
def test_pairs_are_nearly_square(count, shape):
    batch = np.zeros((count, 1, 1, 1))
    picture = images.pairs_grid([batch, batch], padding=0)
    assert picture.shape == (*shape, 3)


def test_pairs_refuse():
    with pytest.raises(ValueError, match="at least one batch"):
        images.pairs_grid([])
    with pytest.raises(ValueError, match="same number and size"):
        images.pairs_grid([solid(1, 2), solid(1)])
    with pytest.raises(ValueError, match="columns=-1"):
        images.pairs_grid([solid(1)], columns=-1)
    with pytest.raises(ValueError, match="columns=0"):
        images.pairs_grid([solid(1)], columns=0)


def test_sprite_is_a_square_of_thumbnails():
    sprite = images.contact_sheet_sprite(solid(10, 20, 30, 40, 50, size=8), 4)
    assert sprite.shape == (12, 12, 3)
    assert sprite[::4, ::4, 0].tolist() == [
        [10, 20, 30],
        [40, 50, 255],
        [255, 255, 255],
    ]
    assert (sprite[:4, :4] == 10).all()


def test_sprite_refuses():
    with pytest.raises(ValueError, match=r"at most 4 thumbnails of 4096.*: 5 "):
        images.contact_sheet_sprite(solid(*range(5)), 4096)
    with pytest.raises(ValueError, match="size=0"):
        images.contact_sheet_sprite(solid(1), 0)


def test_png_keeps_every_level(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    path = tmp_path / "new" / "picture.png"
    images.write_png(path, picture)
    np.testing.assert_array_equal(images.read_png(path), picture)
    assert os.listdir(path.parent) == ["picture.png"]


@pytest.mark.parametrize(
    "image",
    [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8), solid(1)],
)
def test_png_refuses_other_types_and_shapes(tmp_path, image):
    with pytest.raises(
        ValueError, match=r"uint8 of shape \(height, width, 3\)"
    ):
        images.write_png(tmp_path / "image.png", image)
    assert os.listdir(tmp_path) == []


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    images.write_png(path, solid(7)[0])

    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        images.write_png(path, solid(8)[0])
    assert (images.read_png(path) == 7).all()
    assert os.listdir(tmp_path) == ["picture.png"]


def test_gif_frames_durations_and_loop(tmp_path):
    path = tmp_path / "a.gif"
    frames = [solid(level, size=4)[0] for level in (0, 100, 200)]
    images.write_gif(path, frames, milliseconds=120, last_milliseconds=1500)
    with Image.open(path) as gif:
        assert gif.n_frames == 3
        assert gif.info["loop"] == 0
        for index, (level, duration) in enumerate(
            zip((0, 100, 200), (120, 120, 1500))
        ):
            gif.seek(index)
            assert gif.info["duration"] == duration
            assert (np.asarray(gif.convert("RGB")) == level).all()


def test_gif_of_one_frame(tmp_path):
    images.write_gif(tmp_path / "a.gif", [solid(9)[0]])
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 1


def test_gif_colours_are_close_to_smooth_shades(tmp_path):
    x, y = np.meshgrid(np.linspace(-1, 1, 128), np.linspace(-1, 1, 128))
    shades = np.stack([0.8 - x * x / 2, 0.4 + x * y / 2, -y / 2], axis=-1)
    frame = images.to_uint8(shades)
    images.write_gif(tmp_path / "a.gif", [frame])
    with Image.open(tmp_path / "a.gif") as gif:
        shown = np.asarray(gif.convert("RGB"), np.float32)
    # 256 colours cannot be nearer to a surface of shades than a few levels;
    # their diffused mean must be.
    assert np.sqrt(np.mean((shown - frame) ** 2)) < 8
    means = [np.mean(array, axis=(0, 1)) for array in (shown, frame)]
    np.testing.assert_allclose(*means, atol=1)


def test_gif_refuses(tmp_path):
    path = tmp_path / "a.gif"
    with pytest.raises(ValueError, match="at least one image"):
        images.write_gif(path, [])
    with pytest.raises(ValueError, match=r"one size.*\(2, 2, 3\), \(4, 4, 3\)"):
        images.write_gif(path, [solid(1)[0], solid(1, size=4)[0]])
    with pytest.raises(
        ValueError, match=r"milliseconds` must be at least 20.*=10"
    ):
        images.write_gif(path, [solid(1)[0]], milliseconds=10)
    with pytest.raises(ValueError, match="uint8 of shape"):
        images.write_gif(path, [np.zeros((2, 2, 3))])
    assert not path.exists()


def test_read_image_turns_photographs_upright(tmp_path):
    # Orientation 6: the camera was turned; show it rotated clockwise.
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[:, :8] = 255  # white at the left, at the top once upright
    photograph = Image.fromarray(picture)
    exif = photograph.getexif()
    exif[274] = 6
    photograph.save(tmp_path / "a.jpg", exif=exif, quality=95)
    upright = images.read_image(tmp_path / "a.jpg")
    assert upright.shape == (16, 8, 3)
    assert upright[:7].min() > 250
    assert upright[9:].max() < 5


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp", "a.gif"])
def test_read_image_formats(tmp_path, name):
    Image.new("RGB", (3, 2), (200, 0, 0)).save(tmp_path / name)
    picture = images.read_image(tmp_path / name)
    assert picture.shape == (2, 3, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture[0, 0], [200, 0, 0], atol=3)


def test_read_image_puts_transparency_on_white(tmp_path):
    Image.new("RGBA", (1, 1), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert images.read_image(tmp_path / "a.png").tolist() == [[WHITE]]
    Image.new("L", (1, 1), 90).save(tmp_path / "a.png")
    assert images.read_image(tmp_path / "a.png").tolist() == [[[90] * 3]]


def test_read_image_refuses(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        images.read_image(tmp_path / "missing.png")
    path = tmp_path / "a.png"
    path.write_text("not a picture")
    with pytest.raises(ValueError, match=r"Not an image: .*a\.png"):
        images.read_image(path)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    images.write_png(path, noise)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"Cannot read the image .*a\.png"):
        images.read_image(path)
