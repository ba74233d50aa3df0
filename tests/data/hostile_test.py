"""What damaged, hostile or odd files make of a data set."""

import io
import os
import shutil
import stat
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.conftest import picture, write_images
from vaegan_tf import images, locks
from vaegan_tf.data import image_files, load_dataset
from vaegan_tf.data.attribute_table import read_csv
from vaegan_tf.data.celeb_a_files import _by_number
from vaegan_tf.data.image_folder import ImageFolder
from vaegan_tf.data.sources import ImageFolderFiles

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"


@pytest.fixture
def photos(tmp_path):
    return write_images(tmp_path / "photos", 20)


def load(tmp_path, source_dir, image_size=8):
    return load_dataset(
        "image_folder",
        data_dir=tmp_path / "data",
        source_dir=source_dir,
        image_size=image_size,
    )


def test_no_program_is_started_for_a_picture(tmp_path, monkeypatch):
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", None)
    path = tmp_path / "x.png"
    path.write_bytes(EPS)
    with Image.open(path) as image:  # Pillow itself would.
        assert image.format == "EPS"
    with pytest.raises(ValueError, match=r"Not an image: .*x\.png"):
        images.read_image(path)
    tree = image_files.Folder(tmp_path)
    with pytest.raises(ValueError, match="may be damaged"):
        image_files.whole_images(tree, ["x.png"])


@pytest.mark.parametrize("image_format", images.FORMATS)
def test_the_formats_that_are_read(image_format):
    with images.opened(io.BytesIO(picture(1, (4, 4), "RGB", image_format))):
        pass


def claim(width, height):
    """A PNG that says it has so many pixels."""
    data = bytearray(picture(0, (4, 4), image_format="PNG"))
    data[16:24] = struct.pack(">II", width, height)
    header = bytes(data[12:29])
    data[29:33] = struct.pack(">I", zlib.crc32(header))
    return bytes(data)


def test_images_too_large_for_memory_are_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(claim(20_000, 6_000))
    with pytest.raises(ValueError, match="20000 × 6000 pixels, more than"):
        images.read_image(tmp_path / "x.png")


def test_files_too_large_are_not_read(tmp_path):
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(2**40)  # It takes no place on the disk.
    with pytest.raises(ValueError, match=r"x\.png with 1,099,511,627,776"):
        image_files.Folder(tmp_path).read("x.png")


def packed(path, content=b"x", name="a.png", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr(name, content)
    return path


def patched(path, offset, value):
    """Sets two bytes in both headers of the only file of a zip."""
    data = bytearray(path.read_bytes())
    local, central = data.index(b"PK\3\4"), data.index(b"PK\1\2")
    for place in (local + 4 + offset, central + 6 + offset):
        data[place : place + 2] = struct.pack("<H", value)
    path.write_bytes(data)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = packed(
        tmp_path / "a.zip", bytes(2**28 + 1), compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(ValueError, match=r"a\.png with 268,435,457"):
        image_files.open_tree(path).read("a.png")


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (2, 1, "encrypted"),
        (4, 9, "compression"),  # Deflate64
        (4, 14, "cannot be read"),  # LZMA, which this is not
        (4, 12, "cannot be read"),  # bzip2
    ],
)
def test_zips_that_cannot_be_unpacked_say_why(tmp_path, offset, value, message):
    path = packed(tmp_path / "a.zip", bytes(100))
    patched(path, offset, value)
    tree = image_files.open_tree(path)
    with pytest.raises(ValueError, match=rf"a\.png in .*a\.zip .*{message}"):
        tree.read("a.png")
    with pytest.raises(ValueError, match=r"damaged\. .*of the first is said"):
        image_files.whole_images(tree, ["a.png"])


@pytest.mark.parametrize("seed", range(30))
def test_damaged_zips_are_named(tmp_path, seed):
    path = packed(tmp_path / "a.zip", picture(1, image_format="PNG"))
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(-100, 60, 6):
        content[place] = rng.integers(0, 256)
    path.write_bytes(content)
    said = ""
    try:
        tree = image_files.open_tree(path)
        for name in tree.names():
            tree.read(name)
    except ValueError as error:
        said = str(error)
    assert not said or "a.zip" in said


def test_loops_pipes_and_devices_are_no_images(tmp_path, photos):
    (photos / "again").symlink_to(photos, target_is_directory=True)
    (photos / "up").symlink_to(tmp_path, target_is_directory=True)
    (photos / "self.png").symlink_to(photos / "self.png")
    os.mkfifo(photos / "pipe.png")
    (photos / "zero.png").symlink_to("/dev/zero")
    names = image_files.Folder(photos).names()
    assert sorted(names) == [f"{n:03d}.png" for n in range(20)]
    assert len(load(tmp_path, photos).splits["train"]) == 16


@pytest.mark.parametrize("reader", ["read_image", "read_png"])
def test_a_pipe_is_not_waited_for(tmp_path, reader):
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"x\.png is no file"):
        getattr(images, reader)(tmp_path / "x.png")
    with pytest.raises(ValueError, match="another kind of file"):
        image_files.open_tree(tmp_path / "x.png")


def test_all_users_of_a_shared_folder_can_read_arrays(tmp_path, photos):
    before = os.umask(0o022)
    try:
        load(tmp_path, photos)
    finally:
        os.umask(before)
    (folder,) = tmp_path.rglob("8x8x3-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {0o644}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('file,Hat\n"a.png,1\nb.png,0\n', "be a table in CSV"),
        ('file,Hat\na.png,"1"x\n', "be a table in CSV"),
        ("file,Hat\na.png,1\n a.png,0\n", "the second for it"),
        ("file,Hat\na.png,1\na.png ,0\n", "the second for it"),
        ("file,\na.png,1\n", "one has no name"),
        ("file,Hat,Hat\na.png,1,1\n", "Hat more than once"),
        ("file,Hat\na.png,nan\n", "finite numbers"),
        ("file,Hat\na.png,1e39\n", "finite numbers"),
        ("file,Hat\na.png,\n", "finite numbers"),
        ("file,Hat\na.png\n", "with 0 values"),
        ("file,Hat\n", "1 lines"),
        ("", "0 lines"),
    ],
)
def test_tables_that_are_none(text, message):
    with pytest.raises(ValueError, match=rf"list\.csv must .*{message}"):
        read_csv("list.csv", text)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le"])
def test_lists_in_other_encodings_are_named(photos, encoding):
    lines = ["file,Größe", *[f"{n:03d}.png,1" for n in range(20)]]
    (photos / "attributes.csv").write_bytes("\n".join(lines).encode(encoding))
    message = r"attributes\.csv must be (text in UTF-8|a table|.* header)"
    with pytest.raises(ValueError, match=message):
        _ = ImageFolder(photos).attributes


def test_a_partition_without_numbers():
    table = read_csv("list_eval_partition.csv", "file,a,b\nx.jpg,0,1\n")
    with pytest.raises(ValueError, match="must have one number for each image"):
        _by_number(table, ["x.jpg"])


@pytest.mark.parametrize(
    "name",
    [
        "kaggle:my_faces",
        "huggingface:mnist",
        "mnist/data_dir='/'",
        "../mnist",
        "mnist//",
        "",
        "mnist\n",
    ],
)
def test_names_that_would_fetch_code_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="`dataset` must be a name such as"):
        load_dataset(name, data_dir=tmp_path)


def damage(path, how):
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "changed":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + b"\xff" * 9 + content[middle + 9 :])
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["cut", "empty", "gone"])
@pytest.mark.parametrize(
    "name",
    [
        "attributes.json",
        "digests.json",
        "train_images.npy",
        "test_attributes.npy",
    ],
)
def test_damaged_arrays_are_named(tmp_path, photos, name, how):
    load(tmp_path, photos)
    (path,) = tmp_path.rglob(name)
    damage(path, how)
    if (name, how) == ("digests.json", "gone"):
        return
    message = f"The prepared images in {path.parent} are damaged"
    with pytest.raises(ValueError, match=message):
        load(tmp_path, photos)


@pytest.mark.parametrize("how", ["cut", "empty", "changed", "gone"])
@pytest.mark.parametrize(
    "pattern", ["*.tfrecord*", "dataset_info.json", "features.json"]
)
def test_damaged_prepared_data_is_named(tmp_path, photos, pattern, how):
    load(tmp_path, photos)
    (arrays,) = tmp_path.rglob("arrays")
    shutil.rmtree(arrays)
    (path,) = tmp_path.rglob(pattern)
    damage(path, how)
    said = ""
    try:
        load(tmp_path, photos)
    except (ValueError, OSError) as error:
        said = str(error)
    assert said or "tfrecord" not in pattern


def test_who_prepares_second_waits_and_finds_it_done(
    tmp_path, photos, monkeypatch
):
    real, firsts = locks.exclusive, []

    def exclusive(path):
        """What is waited for: another process's preparation."""
        monkeypatch.setattr(locks, "exclusive", real)
        firsts.append(load(tmp_path, photos, image_size=4))
        return real(path)

    monkeypatch.setattr(locks, "exclusive", exclusive)
    second = load(tmp_path, photos)
    (first,) = firsts
    sizes = [
        {name: len(split.attributes) for name, split in d.splits.items()}
        for d in (first, second)
    ]
    assert sizes[0] == sizes[1] == {"train": 16, "validation": 2, "test": 2}


def test_what_is_prepared_is_not_locked_again(tmp_path, photos, monkeypatch):
    held = []
    real = locks.exclusive

    def exclusive(path):
        held.append(path.name)
        return real(path)

    monkeypatch.setattr(locks, "exclusive", exclusive)
    load(tmp_path, photos)
    assert held == [".1.0.0.lock", ".lock"]
    load(tmp_path, photos)
    assert len(held) == 2


def test_a_disk_that_is_full_while_data_are_prepared(
    tmp_path, photos, monkeypatch
):
    full = tf.errors.ResourceExhaustedError(None, None, "No space left")

    def fail(self):
        raise RuntimeError(f"ResourceExhaustedError: {full}") from full

    monkeypatch.setattr(ImageFolderFiles, "download_and_prepare", fail)
    message = r"image_folder/photos-\w+/1.0.0 could not be prepared: .*No space"
    with pytest.raises(OSError, match=message):
        load(tmp_path, photos)
