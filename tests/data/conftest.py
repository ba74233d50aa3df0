"""Tiny folders of files, written by code."""

import io
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from vaegan_tf.data import load_dataset

CELEB_NAMES = [f"{number:06d}.jpg" for number in range(1, 13)]
CELEB_ATTRIBUTES = ("Smiling", "Male", "Eyeglasses")


def picture(seed, size=(178, 218), mode="RGB", image_format="JPEG", **options):
    """An image file's bytes, of one random colour."""
    rng = np.random.default_rng(seed)
    color = tuple(int(level) for level in rng.integers(0, 255, 3))
    image = Image.new("RGB", size, color).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def celeb_rows():
    """Attributes (12, 3), −1 or 1."""
    rng = np.random.default_rng(0)
    return rng.choice([-1, 1], (len(CELEB_NAMES), len(CELEB_ATTRIBUTES)))


def write_celeb(root, images="folder", lists="txt", partition=True):
    """Write CelebA's layout, twelve images: 8 train, 2 validation, 2 test."""
    root.mkdir(parents=True, exist_ok=True)
    data = {name: picture(n) for n, name in enumerate(CELEB_NAMES)}
    if images == "zip":
        with zipfile.ZipFile(root / "img_align_celeba.zip", "w") as file:
            for name, content in data.items():
                file.writestr(f"img_align_celeba/{name}", content)
    else:
        nested = "img_align_celeba/img_align_celeba"
        folder = root / (nested if images == "nested" else "img_align_celeba")
        folder.mkdir(parents=True)
        for name, content in data.items():
            (folder / name).write_bytes(content)
    rows = celeb_rows().tolist()
    numbers = [0] * 8 + [1] * 2 + [2] * 2
    if lists == "txt":
        lines = [str(len(rows)), " ".join(CELEB_ATTRIBUTES)]
        lines += [
            f"{name} " + " ".join(f"{value:2d}" for value in row)
            for name, row in zip(CELEB_NAMES, rows)
        ]
        parts = [f"{n} {p}" for n, p in zip(CELEB_NAMES, numbers)]
    else:
        lines = ["image_id," + ",".join(CELEB_ATTRIBUTES)]
        lines += [
            ",".join(map(str, [name, *row]))
            for name, row in zip(CELEB_NAMES, rows)
        ]
        parts = ["image_id,partition"]
        parts += [f"{n},{p}" for n, p in zip(CELEB_NAMES, numbers)]
    (root / f"list_attr_celeba.{lists}").write_text("\n".join(lines) + "\n")
    if partition:
        path = root / f"list_eval_partition.{lists}"
        path.write_text("\n".join(parts) + "\n")
    return root


def write_images(root, count, damaged=(), size=(20, 16)):
    """Write numbered PNG images, some of them cut short."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        data = picture(number, size, image_format="PNG")
        if number in damaged:
            data = data[: len(data) // 2]
        (root / f"{number:03d}.png").write_bytes(data)
    return root


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory, tiny_dir):
    """Where the tests' data sets are prepared; the tiny avatars are there."""
    folder = tmp_path_factory.mktemp("data")
    unfinished = shutil.ignore_patterns(".*")
    shutil.copytree(tiny_dir, folder, dirs_exist_ok=True, ignore=unfinished)
    return folder


@pytest.fixture(scope="session")
def avatars(data_dir):
    """The tiny avatars at 32 × 32."""
    return load_dataset("avatars/tiny", data_dir=data_dir, image_size=32)
