import pytest

from vaegan_tf.similarity import files


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of empty files."""

    def make(name, *paths):
        for path in paths:
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / name

    return make


def test_images_are_found_in_folders_too(folder):
    place = folder("a", "b.png", "in/a.JPG", "note.txt", ".hidden.png")
    assert files.image_names(place) == ["b.png", "in/a.JPG"]


def test_a_folder_without_images_is_refused(folder):
    with pytest.raises(ValueError, match=r"a holds no images \(\.jpg, "):
        files.image_names(folder("a", "note.txt"))


def test_images_of_the_same_names_belong_together(folder):
    one = folder("a", "1.png", "in/2.png", "note.txt")
    other = folder("b", "in/2.png", "1.png")
    assert files.common_names(one, other) == ["1.png", "in/2.png"]


@pytest.mark.parametrize("turned", [False, True])
def test_images_without_a_partner_are_named(folder, turned):
    one = folder("a", *[f"{number}.png" for number in range(6)])
    other = folder("b", "0.png", "1.jpg")
    pair = (other, one) if turned else (one, other)
    message = (
        r"same names\. .*/(b lacks 5: 1\.png, 2\.png, 3\.png, …|a lacks 1)"
    )
    with pytest.raises(ValueError, match=message):
        files.common_names(*pair)


def test_folders_tell_what_is_anomalous():
    names = ["normal/a.png", "anomalous/b.png", "normal/in/c.png"]
    assert files.labels_of_folders(names) == dict(zip(names, (0, 1, 0)))


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png"],
        ["normal/a.png"],
        ["normal/a.png", "anomalous/b.png", "c.png"],
        ["normal/a.png", "odd/b.png"],
    ],
)
def test_other_folders_tell_nothing(names):
    assert files.labels_of_folders(names) is None


@pytest.mark.parametrize(
    "rows",
    [
        "a.png,normal\nin/b.png,anomalous\n",
        "in/b.png,1\na.png,0\n",
        "a.png, normal \r\nin/b.png, 1\r\n",
    ],
)
def test_labels_are_words_or_numbers(tmp_path, rows):
    path = tmp_path / "labels.csv"
    path.write_text(f"file,label\n{rows}", encoding="utf-8")
    names = ["a.png", "in/b.png"]
    assert files.read_labels(path, names) == {"a.png": 0, "in/b.png": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.png,0\n", r"Received: 1 images without a row \(b\.png"),
        (
            "file,label\na.png,0\nb.png,1\nc.png,1\n",
            r"Received: 1 rows without an image \(c\.png\)",
        ),
        (
            "file,label\na.png,0\nb.png,odd\n",
            r"must hold finite numbers\. .*'.*odd'",
        ),
        (
            "file,label\na.png,0\nb.png,2\n",
            r"normal \(0\) and .*\[0\.0, 2\.0\]",
        ),
        ("file,label\na.png,0\nb.png,0\n", r"both kinds, .*Received: \[0\.0\]"),
        ("file,hat\na.png,0\nb.png,1\n", r"columns file and label\. .*: hat a"),
        ("file,label\na.png,0\na.png,1\n", r"line 3 .*the second for it"),
        ("", r"must have a header"),
    ],
)
def test_labels_that_are_refused(tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        files.read_labels(path, ["a.png", "b.png"])


def test_labels_that_are_no_text(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match=r"labels\.csv must be text in UTF-8"):
        files.read_labels(path, ["a.png"])
    with pytest.raises(FileNotFoundError):
        files.read_labels(tmp_path / "none.csv", ["a.png"])
