import json
import os
import threading

import pytest

from vaegan_tf import files


def test_content_text_and_json(tmp_path):
    files.write_bytes(tmp_path / "a", b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"
    files.write_text(tmp_path / "a", "Fréchet\n")
    assert (tmp_path / "a").read_bytes() == "Fréchet\n".encode()
    files.write_json(tmp_path / "a", {"name": "Fréchet", "value": 1.5})
    text = (tmp_path / "a").read_text(encoding="utf-8")
    assert text == '{\n  "name": "Fréchet",\n  "value": 1.5\n}\n'


def test_missing_folders_are_created(tmp_path):
    files.write_text(str(tmp_path / "a" / "b" / "c.txt"), "x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    files.write_text(tmp_path / "a", "old")

    def interrupted():
        with files.replacing(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a", float("nan"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_the_old_file_stays_if_a_write_fails(tmp_path, monkeypatch, name):
    path = tmp_path / "a.json"
    files.write_json(path, 1)

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(files.os, name, fail)
    with pytest.raises(OSError, match="no space left"):
        files.write_json(path, 2)
    assert json.loads(path.read_text()) == 1
    assert os.listdir(tmp_path) == ["a.json"]


def test_file_and_folder_are_synced_around_the_rename(tmp_path, monkeypatch):
    calls = []

    def record(name):
        function = getattr(os, name)

        def call(*arguments):
            calls.append(name)
            return function(*arguments)

        monkeypatch.setattr(files.os, name, call)

    record("fsync")
    record("replace")
    files.write_bytes(tmp_path / "a", b"x")
    assert calls == ["fsync", "replace", "fsync"]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    fsync, calls = os.fsync, []

    def once(descriptor):
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError("invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", once)
    files.write_bytes(tmp_path / "a", b"x")
    assert len(calls) == 2
    assert os.listdir(tmp_path) == ["a"]


def test_temporary_names_are_hidden_and_unique(tmp_path, monkeypatch):
    names, replace = [], os.replace

    def record(source, target):
        names.append(os.path.basename(source))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", record)
    for _ in range(2):
        files.write_bytes(tmp_path / "a.png", b"x")
    assert all(name.startswith(".a.png.") for name in names)
    assert len(set(names)) == 2


def test_what_kills_have_left_is_deleted_once_it_is_old(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    with files.replacing(folder / "a.png") as temporary:
        leftover = temporary.name
        temporary.write_text("half")
    names = [leftover, ".lock", "..1.2x", "a.1.2", ".b.json.7.0"]
    for name in names:
        (folder / name).touch()
    files.delete_leftovers(tmp_path)
    assert set(names) <= set(os.listdir(folder))
    for name in names[:-1]:
        os.utime(folder / name, (0, 0))
    files.delete_leftovers(tmp_path)
    assert set(os.listdir(folder)) == {"a.png", *names[1:]}


def test_readers_never_see_half_a_file(tmp_path):
    path, size = tmp_path / "a", 200_000
    files.write_bytes(path, b"0" * size)
    stop, seen = threading.Event(), set()

    def read():
        while not stop.is_set():
            content = path.read_bytes()
            seen.add((len(content), len(set(content))))

    reader = threading.Thread(target=read)
    reader.start()
    for digit in b"123" * 5:
        files.write_bytes(path, bytes([digit]) * size)
    stop.set()
    reader.join()
    assert seen == {(size, 1)}
