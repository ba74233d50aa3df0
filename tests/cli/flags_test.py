"""Flag files: what may stand in them, and what a run writes into one."""

import pytest

from vaegan_tf.cli import app, flags
from vaegan_tf.settings import Settings, setting


class Everything(Settings):
    gamma: float = setting(1e-6, "Weight.", low=0)
    batch_size: int = setting(64, "Images a step.")
    ema: bool = setting(True, "Average weights.")
    run_name: str | None = setting(None, "A name.")
    names: tuple[str, ...] = setting(("Hat",), "Attributes.")
    images: tuple[str, ...] | None = setting(None, "Pictures.")
    import_: str | None = setting(None, "A module.")
    overwrite: bool = setting(False, "Start anew.", recorded=False)


def parse(*arguments):
    groups = {"All": Everything}
    return app.Command(print, "", groups).parse(arguments)[0]


def replay(folder, settings):
    file = folder / "train.flags"
    file.write_text(flags.as_text([settings]), encoding="utf-8")
    return parse(f"--flagfile={file}")


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"--flagfile={path}"


def test_later_flags_override(tmp_path):
    file = write(tmp_path / "a.flags", "--gamma=1", "--gamma=2", "--noema")
    assert parse(file).gamma == 2
    assert parse(file, "--gamma=3").gamma == 3
    assert parse("--gamma=3", file).gamma == 2
    assert not parse("--gamma=3", "--flagfile", file.split("=")[1]).ema


def test_flag_file_comments_and_blanks(tmp_path):
    file = write(
        tmp_path / "a.flags",
        "\ufeff# What it reproduces: --gamma=1",
        "",
        "   # indented",
        "// as absl",
        "  --gamma=3  \r",
        "-noema",
        "--run_name=a # b",
    )
    settings = parse(file)
    assert (settings.gamma, settings.ema) == (3, False)
    assert settings.run_name == "a # b"


def test_flag_files_include_others_relative_to_themselves(
    tmp_path, monkeypatch
):
    write(tmp_path / "flags" / "base.flags", "--gamma=1", "--batch_size=5")
    write(
        tmp_path / "flags" / "faces" / "mid.flags", "--flagfile=../base.flags"
    )
    file = write(
        tmp_path / "flags" / "faces" / "a.flags",
        "--flagfile=mid.flags",
        "--gamma=2",
    )
    # One of the same name in the working folder does not take its place.
    write(tmp_path / "elsewhere" / "mid.flags", "--batch_size=9")
    monkeypatch.chdir(tmp_path / "elsewhere")
    settings = parse(file)
    assert (settings.gamma, settings.batch_size) == (2, 5)


def test_flag_files_include_others_relative_to_the_working_folder(
    tmp_path, monkeypatch
):
    write(tmp_path / "flags" / "base.flags", "--gamma=7")
    write(
        tmp_path / "flags" / "faces" / "a.flags",
        "--flagfile=flags/base.flags",
    )
    monkeypatch.chdir(tmp_path)
    assert parse("--flagfile=flags/faces/a.flags").gamma == 7


def test_a_file_comes_before_one_of_the_package_of_its_name(
    tmp_path, monkeypatch
):
    write(tmp_path / "package" / "mine.flags", "--gamma=7")
    monkeypatch.setattr(flags, "FOLDERS", (tmp_path / "package",))
    monkeypatch.chdir(tmp_path)
    assert parse("--flagfile=mine").gamma == 7
    write(tmp_path / "mine", "--gamma=8")
    assert parse("--flagfile=mine").gamma == 8
    assert parse(write(tmp_path / "b.flags", "--flagfile=mine")).gamma == 8


def test_the_same_file_may_be_included_twice(tmp_path):
    write(tmp_path / "base.flags", "--gamma=1")
    file = write(
        tmp_path / "a.flags",
        "--flagfile=base.flags",
        "--gamma=2",
        "--flagfile=base.flags",
    )
    assert parse(file).gamma == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["--flagfile=a.flags"], r"flag file .*a\.flags includes itself"),
        (
            ["--flagfile=no.flags"],
            r"read flag file no\.flags, included by .*a\.flags: No such file",
        ),
        (["", "gamma=1"], r"a\.flags:2: not --name=value.*'gamma=1'"),
        (["--gamma 1"], r"a\.flags:1: not --name=value.*'--gamma 1'"),
        (["--gama=1"], "unknown flag --gama; did you mean --gamma"),
        (["--flagfile="], "--flagfile needs the name of a file"),
    ],
)
def test_faulty_flag_files(tmp_path, lines, message):
    with pytest.raises(app.UsageError, match=message):
        parse(write(tmp_path / "a.flags", *lines))


def test_files_that_include_each_other(tmp_path):
    write(tmp_path / "b.flags", "--flagfile=a.flags")
    with pytest.raises(app.UsageError, match=r"a\.flags includes itself"):
        parse(write(tmp_path / "a.flags", "--flagfile=b.flags"))


def test_unreadable_flag_files(tmp_path):
    with pytest.raises(app.UsageError, match="flag file no: No such file"):
        parse("--flagfile=no")
    with pytest.raises(app.UsageError, match=r"flag file .*: Is a directory"):
        parse(f"--flagfile={tmp_path}")
    (tmp_path / "a.flags").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(app.UsageError, match=r"a\.flags is not text"):
        parse(f"--flagfile={tmp_path / 'a.flags'}")
    with pytest.raises(app.UsageError, match="--flagfile needs the name"):
        parse("--flagfile")


def test_settings_as_text_are_readable():
    settings = parse("--gamma=0.25", "--noema", "--images=a,b", "--overwrite")
    assert flags.as_text([settings, settings]) == 2 * (
        "--gamma=0.25\n--batch_size=64\n--noema\n--names=Hat\n--images=a,b\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        "with blanks = and # marks",
        " surrounded ",
        "two\nlines\r\n",
        "line\u2028separator",
        '"quoted"',
        '"half',
        "back\\slash\\",
        "Zoë",
        "-x",
        "007",
        "a,b",
    ],
)
def test_any_text_is_replayed(tmp_path, text):
    settings = Everything(run_name=text)
    assert replay(tmp_path, settings) == settings
    item = text.strip()  # as absl does
    settings = Everything(names=(item, "x"), images=(item,))
    assert replay(tmp_path, settings) == settings


@pytest.mark.parametrize("names", [(), ("a,b", "c"), ("a,b",), ("a b", "")])
def test_lists_are_replayed(tmp_path, names):
    settings = Everything(names=names)
    assert replay(tmp_path, settings) == settings


def test_everything_else_is_replayed(tmp_path):
    settings = parse("--gamma=1e-17", '--names="a,b",c', "--import=json")
    assert settings.names == ("a,b", "c")
    assert settings.import_ == "json"
    assert replay(tmp_path, settings) == settings
    overwriting = parse("--overwrite")
    assert not replay(tmp_path, overwriting).overwrite


def test_quoted_values_in_flag_files_are_unquoted(tmp_path):
    file = write(tmp_path / "a.flags", '--run_name="two words"')
    assert parse(file).run_name == "two words"
