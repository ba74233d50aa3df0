"""A folder takes another's place in one step, or not at all."""

import types

import pytest

from tests.toy import make_toy
from vaegan_tf import files
from vaegan_tf.export import export_saved_model


def write(folder, text):
    with files.replacing_folder(folder, ".new") as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "a").write_text(text)


def content(folder):
    return (folder / "inner" / "a").read_text()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["exchange", "two renames"])
def system(request, monkeypatch):
    """A file system that exchanges folders in one step, and one that cannot."""
    if request.param == "two renames":
        library = types.SimpleNamespace(renameat2=lambda *_: -1)
        monkeypatch.setattr(files.ctypes, "CDLL", lambda _: library)


@pytest.mark.usefixtures("system")
def test_the_new_folder_replaces_the_old_whole(tmp_path):
    folder = tmp_path / "outer" / "folder"
    write(folder, "old")
    (folder / "stale").touch()
    write(folder, "new")
    assert content(folder) == "new"
    assert names(folder) == ["inner"]
    assert names(folder.parent) == ["folder"]


@pytest.mark.usefixtures("system")
def test_a_kill_before_the_exchange_leaves_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    write(folder, "old")

    def kill(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_exchange", kill)
    with pytest.raises(KeyboardInterrupt):
        write(folder, "new")
    assert content(folder) == "old"
    assert names(tmp_path) == ["folder"]


def test_the_old_one_comes_back_if_the_second_rename_fails(
    tmp_path, monkeypatch
):
    library = types.SimpleNamespace(renameat2=lambda *_: -1)
    monkeypatch.setattr(files.ctypes, "CDLL", lambda _: library)
    folder = tmp_path / "folder"
    write(folder, "old")
    rename = type(folder).rename

    def fail(path, target):
        if path.name == ".new":
            raise OSError("no space left")
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", fail)
    with pytest.raises(OSError, match="no space left"):
        write(folder, "new")
    assert content(folder) == "old"
    assert names(tmp_path) == ["folder"]


def test_what_a_kill_has_left_is_deleted(tmp_path):
    (tmp_path / ".new").mkdir()
    (tmp_path / ".new" / "half").touch()
    write(tmp_path / "folder", "new")
    assert names(tmp_path / "folder") == ["inner"]
    assert names(tmp_path) == ["folder"]


def test_an_export_onto_a_file_is_refused(tmp_path):
    (tmp_path / "1").write_text("mine")
    with pytest.raises(ValueError, match="1 is a file"):
        export_saved_model(make_toy(), tmp_path / "1")
    assert (tmp_path / "1").read_text() == "mine"
    assert names(tmp_path) == ["1"]


def test_an_export_onto_a_link_replaces_what_it_leads_to(tmp_path):
    served, link = tmp_path / "served", tmp_path / "1"
    link.symlink_to(served)
    for _ in range(2):
        export_saved_model(make_toy(), link)
        assert link.is_symlink()
        assert (served / "saved_model.pb").exists()
    assert names(tmp_path) == ["1", "served"]


def test_an_export_to_a_url_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="must be on this machine"):
        export_saved_model(make_toy(), "gs://bucket/1")
    assert names(tmp_path) == []
