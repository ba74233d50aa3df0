import collections
import os
import types

import pytest
import tensorflow as tf

from vaegan_tf.data import load_dataset, remote

URL = "ram://bucket/data"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The user's cache, empty; and nothing on the storage."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if tf.io.gfile.exists(URL):
        tf.io.gfile.rmtree(URL)
    return tmp_path / "vaegan_tf" / "ram-bucket-data-913be74ade"


def put(path, text):
    tf.io.gfile.makedirs(f"{URL}/{path}".rpartition("/")[0])
    if tf.io.gfile.exists(f"{URL}/{path}"):  # Or it would be added to.
        tf.io.gfile.remove(f"{URL}/{path}")
    with tf.io.gfile.GFile(f"{URL}/{path}", "w") as file:
        file.write(text)


@pytest.mark.parametrize("url", [URL, "gs://bucket/data", "s3://b"])
def test_urls_are_told_from_folders(url, tmp_path):
    assert remote.is_url(url)
    assert not remote.is_url(None)
    assert not remote.is_url(tmp_path)
    assert not remote.is_url("~/data")


def test_a_data_set_is_copied_whole_and_no_other(cache):
    put("faces/1.0.0/info.json", "{}")
    put("faces/1.0.0/arrays/32/train.npy", "pixels")
    put("digits/1.0.0/info.json", "{}")
    assert remote.local_folder(URL, "faces/small:1.0.0") == cache
    copied = {
        path.relative_to(cache).as_posix(): path.read_text()
        for path in cache.rglob("*")
        if path.is_file() and path.name != ".lock"
    }
    assert copied == {
        "faces/1.0.0/info.json": "{}",
        "faces/1.0.0/arrays/32/train.npy": "pixels",
    }


def test_only_what_changed_is_copied_again(cache, monkeypatch):
    times = collections.Counter()  # The storage of tests has none.

    def stat(url, stat=tf.io.gfile.stat):
        time = 1e18 + times[url.rpartition("/")[2]]
        return types.SimpleNamespace(
            length=stat(url).length, mtime_nsec=int(time)
        )

    monkeypatch.setattr(tf.io.gfile, "stat", stat)
    put("faces/kept", "old")
    put("faces/changed", "old")
    put("faces/grown", "old")
    remote.local_folder(URL, "faces")
    kept = (cache / "faces" / "kept").stat().st_mtime_ns
    (cache / "faces" / "own").write_text("prepared here")
    (cache / "faces" / "kept").write_text("OLD")
    os.utime(cache / "faces" / "kept", ns=(0, kept))
    times["changed"] += 1e9
    put("faces/changed", "new")  # Of the same size, at another time.
    put("faces/grown", "newer")
    remote.local_folder(URL + "/", "faces")
    assert (cache / "faces" / "kept").read_text() == "OLD"
    assert (cache / "faces" / "changed").read_text() == "new"
    assert (cache / "faces" / "grown").read_text() == "newer"
    assert (cache / "faces" / "own").read_text() == "prepared here"


def test_a_copy_cut_short_is_not_taken_for_the_file(cache, monkeypatch):
    put("faces/images.npy", "pixels")

    def fail(url, path, overwrite):
        with open(path, "w") as file:
            file.write("pix")
        raise tf.errors.UnavailableError(None, None, "connection lost")

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.gfile, "copy", fail)
        with pytest.raises(ConnectionError, match=r"^ram://.* connection lost"):
            remote.local_folder(URL, "faces")
    assert not (cache / "faces" / "images.npy").exists()
    remote.local_folder(URL, "faces")
    assert (cache / "faces" / "images.npy").read_text() == "pixels"


def test_unknown_storage_is_refused():
    with pytest.raises(ValueError, match="TensorFlow does not read moon://"):
        remote.local_folder("moon://bucket", "faces")


def test_prepared_data_is_loaded_from_a_url(data_dir, cache):
    for path in (data_dir / "avatars").rglob("*"):
        if path.is_file():
            target = f"{URL}/{path.relative_to(data_dir).as_posix()}"
            tf.io.gfile.makedirs(target.rpartition("/")[0])
            tf.io.gfile.copy(str(path), target)
    here = load_dataset("avatars/tiny", data_dir=data_dir, image_size=32)
    there = load_dataset("avatars/tiny", data_dir=URL, image_size=32)
    split = there.splits["test"]
    assert split.images_path.is_relative_to(cache)
    assert (split.images == here.splits["test"].images).all()


def test_each_url_has_a_cache_of_its_own(cache):
    put("faces/a", "x")
    folders = {
        remote.local_folder(url, "faces")
        for url in (URL, "ram://bucket-data", "ram://bucket?data")
    }
    assert len(folders) == 3


def test_objects_that_lie_elsewhere_are_not_copied(cache, monkeypatch):
    put("faces/a", "x")
    listing = [(f"{URL}/faces/../..", [], ["authorized_keys"])]
    monkeypatch.setattr(tf.io.gfile, "walk", lambda url: listing)
    with pytest.raises(ConnectionError, match="lies outside of the data set"):
        remote.local_folder(URL, "faces")
    monkeypatch.setattr(
        tf.io.gfile, "walk", lambda url: [(url, [], ["../../key"])]
    )
    with pytest.raises(ConnectionError, match="lies outside of the data set"):
        remote.local_folder(URL, "faces")
    assert not list(cache.rglob("*key*"))
