import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds

from tests.data.conftest import write_images
from vaegan_tf.data import load_dataset, loading, sources
from vaegan_tf.settings.data import CROPS


class DigitsForTest(tfds.core.GeneratorBasedBuilder):
    """Grey 10 × 12 images of three classes, in `train` and `test`."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(10, 12, 1)),
                    "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._examples(20), "test": self._examples(6)}

    def _examples(self, count):
        for number in range(count):
            image = np.full([10, 12, 1], number, np.uint8)
            yield number, {"image": image, "label": number % 3}

    def _generate_examples(self):
        raise NotImplementedError


class TextForTest(DigitsForTest):
    """No images."""

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)


class OfflineForTest(DigitsForTest):
    """Cannot be downloaded."""

    def _split_generators(self, dl_manager):
        raise requests.exceptions.ConnectionError("no route\nto host")


def test_labels_become_one_hot_attributes(data_dir):
    dataset = load_dataset("digits_for_test", data_dir=data_dir, image_size=8)
    assert dataset.attribute_names == ("a", "b", "c")
    assert dataset.image_shape == (8, 8, 3)
    assert [len(s) for s in dataset.splits.values()] == [18, 2, 6]
    for split in dataset.splits.values():
        value = split.images[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(split.images.std(axis=(1, 2, 3)), 0)
        np.testing.assert_array_equal(split.attributes, np.eye(3)[value % 3])
    carved = np.concatenate(
        [dataset.splits[s].images[:, 0, 0, 0] for s in ("train", "validation")]
    )
    assert sorted(carved) == list(range(20))


def test_channels_and_attributes_are_chosen(data_dir):
    dataset = load_dataset(
        "digits_for_test",
        data_dir=data_dir,
        image_size=8,
        num_channels=1,
        attributes=["c", "a"],
    )
    assert dataset.image_shape == (8, 8, 1)
    assert dataset.splits["train"].images.shape == (18, 8, 8, 1)
    assert dataset.attribute_names == ("c", "a")
    value = dataset.splits["test"].images[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(
        dataset.splits["test"].attributes, np.eye(3)[value % 3][:, [2, 0]]
    )


def test_crops_differ(data_dir):
    shapes = {}
    for crop in ("none", "square"):
        dataset = load_dataset(
            "avatars/tiny", data_dir=data_dir, image_size=16, crop=crop
        )
        shapes[crop] = dataset.splits["test"].images
    np.testing.assert_array_equal(shapes["none"], shapes["square"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"attributes": ["Smiling", "Glasses"]},
            "`attributes` must name attributes of the data set. Received: "
            r"'Glasses'. Did you mean .*'Eyeglasses'\? Available: Eyeg",
        ),
        ({"image_size": 0}, "must be at least 1. Received: image_size=0"),
        ({"num_channels": 4}, "must be one of 1, 3. Received: num_channels=4"),
        ({"crop": "round"}, "one of auto, celeb, square, none.*'round'"),
        ({"crop": "celeb"}, "at least 188 × 163 pixels.*128 × 128"),
        ({"source_dir": "x"}, "`source_dir` is for celeb_a, .*'avatars/tiny'"),
        ({"name": "avatars/big"}, "avatars, avatars/full, avatars/tiny"),
        ({"name": "celeb_a_file"}, "Did you mean celeb_a_files or celeb_a"),
        ({"name": "mnistt"}, "'mnistt'. Did you mean .*mnist"),
        ({"name": "text_for_test"}, "must have a feature `image`.*with text"),
        ({"name": "image_folder"}, "`source_dir` must name the folder or zip"),
        ({"name": "celeb_a_files"}, "for 'celeb_a_files'. Received: None"),
    ],
)
def test_refusals(data_dir, avatars, options, message):
    arguments = {"name": "avatars/tiny", "image_size": 32, **options}
    with pytest.raises(ValueError, match=message):
        load_dataset(data_dir=data_dir, **arguments)


def test_small_images_of_a_folder_refuse_the_celeb_crop(tmp_path, data_dir):
    root = write_images(tmp_path / "small", 5)
    with pytest.raises(ValueError, match="must allow crop='celeb'"):
        load_dataset(
            "image_folder", data_dir=data_dir, source_dir=root, crop="celeb"
        )


def test_celeb_a_names_the_files_that_do_not_match(tmp_path, data_dir):
    (tmp_path / "list_attr_celeba.txt").write_text("short")
    message = (
        "five official files.*img_align_celeba.zip is missing.*"
        "list_attr_celeba.txt has 5 bytes, not 26,721,026.*"
        "data set celeb_a_files"
    )
    with pytest.raises(FileNotFoundError, match=message):
        load_dataset("celeb_a", data_dir=data_dir, source_dir=tmp_path)


def test_a_failed_download_is_one_line(data_dir):
    message = (
        r"offline_for_test could not be downloaded \(ConnectionError: "
        r"no route\). Try again later"
    )
    with pytest.raises(ConnectionError, match=message):
        load_dataset("offline_for_test", data_dir=data_dir)


def test_a_failed_download_of_celeb_a_names_the_ways_out(data_dir, monkeypatch):
    error = sources.download_manager.NonMatchingChecksumError("got 3 KiB")

    def fail(*arguments, **options):
        raise error

    builder = type(tfds.builder("celeb_a", data_dir=data_dir))
    monkeypatch.setattr(builder, "download_and_prepare", fail)
    with pytest.raises(
        ConnectionError, match=r"NonMatching.*`source_dir`.*celeb_a_files"
    ):
        load_dataset("celeb_a", data_dir=data_dir)


def test_crops_are_those_of_the_settings():
    assert ("auto", *loading._CROPS) == CROPS
