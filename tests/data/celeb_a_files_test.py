import shutil
import zipfile

import numpy as np
import pytest

from tests.data.conftest import (
    CELEB_ATTRIBUTES,
    CELEB_NAMES,
    celeb_rows,
    picture,
    write_celeb,
)
from vaegan_tf.data import load_dataset
from vaegan_tf.data.celeb_a_files import CelebAFolder


def load(root, data_dir, **options):
    return load_dataset(
        "celeb_a_files",
        data_dir=data_dir,
        source_dir=root,
        image_size=16,
        **options,
    )


def sizes(dataset):
    return [len(split) for split in dataset.splits.values()]


@pytest.mark.parametrize("lists", ["txt", "csv"])
@pytest.mark.parametrize("images", ["folder", "nested", "zip"])
def test_layouts(tmp_path, data_dir, images, lists):
    root = write_celeb(tmp_path / "celeb", images, lists)
    dataset = load(root, data_dir)
    assert sizes(dataset) == [8, 2, 2]
    assert dataset.attribute_names == CELEB_ATTRIBUTES
    expected = (celeb_rows() > 0).astype(np.float32)
    np.testing.assert_array_equal(
        dataset.splits["train"].attributes, expected[:8]
    )
    np.testing.assert_array_equal(
        dataset.splits["test"].attributes, expected[10:]
    )
    color = np.random.default_rng(10).integers(0, 255, 3)
    image = dataset.splits["test"].images[0].astype(int)
    assert np.abs(image - color).max() < 12


def test_the_official_download_has_further_folders(tmp_path, data_dir):
    flat = write_celeb(tmp_path / "flat", "zip")
    root = tmp_path / "celeb"
    for folder, name in (
        ("Img", "img_align_celeba.zip"),
        ("Anno", "list_attr_celeba.txt"),
        ("Eval", "list_eval_partition.txt"),
    ):
        (root / folder).mkdir(parents=True)
        shutil.move(flat / name, root / folder / name)
    assert sizes(load(root, data_dir)) == [8, 2, 2]


def test_kaggle_archive_as_it_comes(tmp_path, data_dir):
    root = write_celeb(tmp_path / "celeb", "nested", "csv")
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(root.rglob("*.*")):
            file.write(path, path.relative_to(root))
    assert sizes(load(archive, data_dir)) == [8, 2, 2]


def test_without_partition_by_seed(tmp_path, data_dir):
    root = write_celeb(tmp_path / "celeb", partition=False)
    one, other = load(root, data_dir, seed=1), load(root, data_dir, seed=2)
    assert sizes(one) == sizes(other) == [10, 1, 1]
    images = [dataset.splits["test"].images for dataset in (one, other)]
    assert not np.array_equal(*images)


def test_without_partition_the_whole_set_is_cut_officially(tmp_path):
    source = CelebAFolder(write_celeb(tmp_path / "celeb", partition=False))
    names = [f"{number:06d}.jpg" for number in range(1, 202_600)]
    source.image_names = names
    partition = source.partition()
    assert partition["train"][-1] == "162770.jpg"
    assert partition["validation"][-1] == "182637.jpg"
    assert partition["test"][-1] == "202599.jpg"


def test_attributes_in_the_order_asked(tmp_path, data_dir):
    root = write_celeb(tmp_path / "celeb")
    dataset = load(root, data_dir, attributes=["Eyeglasses", "Smiling"])
    assert dataset.attribute_names == ("Eyeglasses", "Smiling")
    np.testing.assert_array_equal(
        dataset.splits["train"].attributes, celeb_rows()[:8, [2, 0]] > 0
    )


def test_jpegs_are_copied(tmp_path):
    source = CelebAFolder(write_celeb(tmp_path / "celeb", "zip"))
    assert source.example(CELEB_NAMES[3])["image"] == picture(3)


def remove_images(root):
    shutil.rmtree(root / "img_align_celeba")


def remove_list(root):
    (root / "list_attr_celeba.txt").unlink()


def remove_an_image(root):
    (root / "img_align_celeba" / CELEB_NAMES[4]).unlink()


def add_an_image(root):
    path = root / "img_align_celeba" / "000099.jpg"
    path.write_bytes(picture(0))


def other_size(root):
    path = root / "img_align_celeba" / CELEB_NAMES[4]
    path.write_bytes(picture(0, (64, 32)))


def short_row(root):
    path = root / "list_attr_celeba.txt"
    path.write_text(path.read_text() + "000013.jpg 1 1\n")


def bad_number(root):
    path = root / "list_eval_partition.txt"
    path.write_text(path.read_text().replace("000012.jpg 2", "000012.jpg 5"))


def no_number(root):
    path = root / "list_eval_partition.txt"
    path.write_text(path.read_text().replace("000012.jpg 2", "000012.jpg x"))


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (
            remove_images,
            FileNotFoundError,
            "must hold img_align_celeba.zip or a folder img_align_celeba",
        ),
        (
            remove_list,
            FileNotFoundError,
            r"must hold list_attr_celeba.txt or .csv. Received: '.*celeb'",
        ),
        (
            remove_an_image,
            ValueError,
            r"list_attr_celeba.txt must have one row for each image. "
            r"Received: 1 rows without an image \(000005.jpg\)",
        ),
        (
            add_an_image,
            ValueError,
            r"Received: 1 images without a row \(000099.jpg\)",
        ),
        (
            other_size,
            ValueError,
            r"must be 178 × 218 pixels. Received: .*000005.jpg of 64 × 32.*"
            "data set image_folder",
        ),
        (
            short_row,
            ValueError,
            r"must have 3 values in each row.*line 15 for 000013.jpg with 2",
        ),
        (
            bad_number,
            ValueError,
            r"must hold 0 \(train\), 1 \(validation\) or 2 \(test\). "
            "Received: 5 for 000012.jpg",
        ),
        (
            no_number,
            ValueError,
            "must hold finite numbers. Received: line 12 with 'x'",
        ),
    ],
)
def test_refusals(tmp_path, data_dir, spoil, error, message):
    root = write_celeb(tmp_path / "celeb")
    spoil(root)
    with pytest.raises(error, match=message):
        load(root, data_dir)
