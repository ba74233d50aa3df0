import io
import os
import zipfile

import numpy as np
import pytest
from absl import logging
from PIL import Image

from tests.data.conftest import picture, write_images
from vaegan_tf.data import load_dataset
from vaegan_tf.data.image_files import encode_for_tensorflow


def load(root, data_dir, **options):
    return load_dataset(
        "image_folder",
        data_dir=data_dir,
        source_dir=root,
        image_size=8,
        **options,
    )


def sizes(dataset):
    return [len(split) for split in dataset.splits.values()]


def all_images(dataset):
    return np.concatenate([s.images for s in dataset.splits.values()])


def write_csv(root, text):
    (root / "attributes.csv").write_text(text)


def test_flat_folder_is_split_by_seed(tmp_path, data_dir):
    root = write_images(tmp_path / "flat", 30)
    one, same = load(root, data_dir, seed=1), load(root, data_dir, seed=1)
    other = load(root, data_dir, seed=2)
    assert sizes(one) == sizes(other) == [24, 3, 3]
    np.testing.assert_array_equal(all_images(one), all_images(same))
    assert not np.array_equal(all_images(one), all_images(other))
    assert one.attribute_names == ()
    assert len(np.unique(all_images(one)[:, 0, 0], axis=0)) == 30


def test_nested_folder_and_zip(tmp_path, data_dir):
    root = tmp_path / "nested"
    for number, folder in enumerate(["a", "a/b", "c"]):
        write_images(root / folder, 4 + number)
    (root / "notes.txt").write_text("not an image")
    (root / ".hidden.png").write_bytes(b"")
    assert sum(sizes(load(root, data_dir))) == 15
    archive = tmp_path / "nested.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(root.rglob("*.*")):
            file.write(path, path.relative_to(root))
    np.testing.assert_array_equal(
        all_images(load(archive, data_dir)), all_images(load(root, data_dir))
    )


def test_split_folders_are_splits(tmp_path, data_dir):
    root = tmp_path / "split"
    for folder, count in (("train/x", 7), ("val", 2), ("test", 3)):
        write_images(root / folder, count)
    assert sizes(load(root, data_dir)) == [7, 2, 3]


def test_a_missing_split_folder_is_carved(tmp_path, data_dir):
    root = tmp_path / "split"
    write_images(root / "train", 20)
    write_images(root / "test", 3)
    assert sizes(load(root, data_dir)) == [18, 2, 3]


RED = (200, 30, 60)


def flat(image_format, mode="RGB", **options):
    buffer = io.BytesIO()
    image = Image.new("RGB", (12, 12), RED)
    image = image.convert(mode, palette=Image.Palette.ADAPTIVE)
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def translucent():
    buffer = io.BytesIO()
    Image.new("RGBA", (12, 12), (0, 0, 0, 51)).save(buffer, "PNG")
    return buffer.getvalue()


def sixteen_bits():
    buffer = io.BytesIO()
    levels = np.full([12, 12], 100 * 257, np.uint16)
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def two_frames():
    frames = [Image.new("RGB", (12, 12), c) for c in (RED, "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


GREY = 84  # of RED: 0.299 · 200 + 0.587 · 30 + 0.114 · 60


@pytest.mark.parametrize(
    ("name", "data", "color"),
    [
        ("a.jpg", flat("JPEG", quality=95), RED),
        ("a.JPEG", flat("JPEG", "CMYK", quality=95), RED),
        ("a.jpeg", flat("JPEG", "L", quality=95), (GREY,) * 3),
        ("a.png", flat("PNG"), RED),
        ("a.png", flat("PNG", "L"), (GREY,) * 3),
        ("a.png", flat("PNG", "P"), RED),
        ("a.png", translucent(), (204,) * 3),
        ("a.png", sixteen_bits(), (100,) * 3),
        ("a.webp", flat("WEBP", lossless=True), RED),
        ("a.bmp", flat("BMP"), RED),
        ("a.gif", two_frames(), RED),
        ("a.png", flat("JPEG", quality=95), RED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_formats(tmp_path, data_dir, name, data, color):
    root = tmp_path / "formats"
    for folder in ("train", "validation", "test"):
        (root / folder).mkdir(parents=True)
        (root / folder / name).write_bytes(data)
    images = all_images(load(root, data_dir)).astype(int)
    assert images.shape == (3, 8, 8, 3)
    assert np.abs(images - color).max() <= 8


def test_exif_orientation_is_respected():
    pixels = np.zeros([8, 16, 3], np.uint8)
    pixels[:, :8] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise for display
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", exif=exif, quality=95)
    data = encode_for_tensorflow(buffer.getvalue())
    upright = np.array(Image.open(io.BytesIO(data)), int)
    assert upright.shape == (16, 8, 3)
    assert upright[:7].min() > 240
    assert upright[9:].max() < 15


def test_plain_images_stay_as_they_are():
    for image_format in ("JPEG", "PNG"):
        data = picture(0, image_format=image_format)
        assert encode_for_tensorflow(data) == data


def test_attributes(tmp_path, data_dir):
    root = tmp_path / "labelled"
    write_images(root / "train", 2)
    write_images(root / "val", 1)
    write_images(root / "test", 1)
    write_csv(
        root,
        "image,Happy,Old,age\n"
        "train/001.png,1,-1,31.5\n"
        "train/000.png,0,1,-2\n"
        "val/000.png,1,1,7\n"
        "test/000.png,0,-1,1\n",
    )
    dataset = load(root, data_dir)
    assert dataset.attribute_names == ("Happy", "Old", "age")
    np.testing.assert_array_equal(
        dataset.splits["train"].attributes, [[0, 1, -2], [1, 0, 31.5]]
    )
    np.testing.assert_array_equal(
        dataset.splits["test"].attributes, [[0, 0, 1]]
    )


def test_a_changed_folder_is_prepared_anew(tmp_path, data_dir):
    root = write_images(tmp_path / "photos", 10)
    assert sum(sizes(load(root, data_dir))) == 10
    write_images(root, 12)
    assert sum(sizes(load(root, data_dir))) == 12
    before = all_images(load(root, data_dir))
    path = root / "000.png"
    status = path.stat()
    path.write_bytes(picture(99, (20, 16), image_format="PNG"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert not np.array_equal(before, all_images(load(root, data_dir)))


def test_folders_of_one_name_do_not_collide(tmp_path, data_dir):
    one = write_images(tmp_path / "a" / "photos", 10)
    other = write_images(tmp_path / "b" / "photos", 14)
    assert sum(sizes(load(one, data_dir))) == 10
    assert sum(sizes(load(other, data_dir))) == 14


def test_one_damaged_image_of_200_is_left_out_and_named(
    tmp_path, data_dir, monkeypatch
):
    lines = []
    monkeypatch.setattr(
        logging, "warning", lambda text, *args: lines.append(text % args)
    )
    root = write_images(tmp_path / "damaged", 200, damaged=[17])
    assert sum(sizes(load(root, data_dir))) == 199
    expected = "Left out 1 of 200 images, which are damaged: 017.png"
    assert lines[-1] == expected


def test_five_damaged_images_of_100_are_an_error(tmp_path, data_dir):
    root = write_images(tmp_path / "damaged", 100, damaged=range(5))
    message = (
        "At most 1 % of the images may be damaged. Received: 5 of 100: "
        "000.png, 001.png, 002.png, 003.png, 004.png"
    )
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            load(root, data_dir)


def test_missing_folder(tmp_path, data_dir):
    with pytest.raises(
        FileNotFoundError,
        match=r"folder or zip that exists. Received: '.*none'",
    ):
        load(tmp_path / "none", data_dir)


def test_another_kind_of_file(tmp_path, data_dir):
    path = tmp_path / "photos.tar"
    path.write_text("tar")
    with pytest.raises(ValueError, match="which is another kind of file"):
        load(path, data_dir)


def test_empty_folder(tmp_path, data_dir):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(
        ValueError, match=r"must hold images \(.jpg.*with 1 other files"
    ):
        load(tmp_path, data_dir)


def test_too_few_images(tmp_path, data_dir):
    root = write_images(tmp_path / "two", 2)
    with pytest.raises(ValueError, match=r"at least 3 images.*Received: 2"):
        load(root, data_dir)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image,Old\n000.png,1\n001.png,0\n002.png,0\n003.png,1\n",
            r"attributes.csv must have one row for each image. "
            r"Received: 1 rows without an image \(003.png\)",
        ),
        (
            "image,Old\n000.png,1\n",
            r"Received: 2 images without a row \(001.png, 002.png\)",
        ),
        (
            "image,Old\n000.png,1\n001.png,0\nc.png,0\n",
            r"1 rows without an image \(c.png\) and "
            r"1 images without a row \(002.png\)",
        ),
        ("image\n000.png\n", "must have a header, two columns at least"),
        ("image,Old\n000.png,1,0\n", "must have 1 values in each row.*line 2"),
        (
            "image,Old\n000.png,1\n000.png,1\n",
            "line 3 for 000.png with 1 values, the second for it",
        ),
        (
            "image,Old\n000.png,yes\n",
            "must hold finite numbers.*line 2 with 'yes'",
        ),
        ("image,Old\n000.png,nan\n", "must hold finite numbers.*line 2"),
        ("image,Old,Old\n000.png,1,1\n", "name each column once.*Old"),
    ],
)
def test_lists_that_do_not_match(tmp_path, data_dir, text, message):
    root = write_images(tmp_path / "labelled", 3)
    write_csv(root, text)
    with pytest.raises(ValueError, match=message):
        load(root, data_dir)
