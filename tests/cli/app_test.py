import json
import logging
import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from vaegan_tf.cli import app

ROOT = pathlib.Path(app.__file__).parents[2]


def define_flags(values):
    flags.DEFINE_enum(
        "model", "vaegan", ["vae", "vaegan"], "Which model.", flag_values=values
    )
    flags.DEFINE_float(
        "gamma", 1e-6, "Weight.", lower_bound=0, flag_values=values
    )
    flags.DEFINE_integer(
        "batch_size", 64, "Images a step.", 1, 512, flag_values=values
    )
    flags.DEFINE_bool("ema", True, "Average weights.", flag_values=values)
    flags.DEFINE_string("run_name", None, "A name.", flag_values=values)
    flags.DEFINE_list("names", ["Hat"], "Attributes.", flag_values=values)
    flags.DEFINE_multi_string(
        "images", [], "Pictures.", short_name="i", flag_values=values
    )
    return {
        "Model": ["model", "gamma", "ema"],
        "Run": ["batch_size", "run_name", "names", "images"],
    }


def define_required(values):
    flags.DEFINE_string(
        "model_dir", None, "Folder.", flag_values=values, required=True
    )
    return {}


def parse(*arguments, **options):
    return app.parse(["vaegan-test", *arguments], define_flags, **options)


def replay(folder, values):
    file = folder / "train.flags"
    file.write_text(app.flags_as_text(values), encoding="utf-8")
    return parse(f"--flagfile={file}")


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"--flagfile={path}"


def run(*arguments, main=lambda values: None, **options):
    """Returns the exit status of a run in this process."""
    with pytest.raises(SystemExit) as caught:
        app.run(
            main,
            define_flags,
            "Tests.",
            argv=["/usr/bin/vaegan-test", *arguments],
            **options,
        )
    return caught.value.code


def test_defaults_and_values():
    values = parse("--gamma=0.5", "--noema", "--batch_size", "8")
    assert (values.gamma, values.ema, values.batch_size) == (0.5, False, 8)
    assert (values.model, values.run_name, values.debug) == (
        "vaegan",
        None,
        False,
    )


def test_commands_do_not_share_flags():
    first, second = parse("--gamma=1"), parse("--gamma=2")
    assert (first.gamma, second.gamma) == (1, 2)
    assert "gamma" not in flags.FLAGS


def test_later_flags_override(tmp_path):
    file = write(tmp_path / "a.flags", "--gamma=1", "--gamma=2", "--model=vae")
    assert parse(file).gamma == 2
    assert parse(file, "--gamma=3").gamma == 3
    assert parse("--gamma=3", file).gamma == 2
    assert parse("--gamma=3", "--flagfile", file.split("=")[1]).model == "vae"


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
    values = parse(file)
    assert (values.gamma, values.ema) == (3, False)
    assert values.run_name == "a # b"


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
    values = parse(file)
    assert (values.gamma, values.batch_size) == (2, 5)


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
    ],
)
def test_faulty_flag_files(tmp_path, lines, message):
    with pytest.raises(app.UsageError, match=message):
        parse(write(tmp_path / "a.flags", *lines))


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


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--gama=1", r"^unknown flag --gama; did you mean --gamma\?$"),
        ("--no_ema", r"^unknown flag --no_ema; did you mean --noema\?$"),
        ("--qqqqqqq", "^unknown flag --qqqqqqq$"),
        ("--batch_size=0", r"--batch_size=0: .*\[1, 512\]"),
        ("--batch_size=x", "--batch_size=x: invalid literal"),
        ("--gamma=-1", "--gamma=-1: .*non-negative"),
        ("--model=gan", r"--model=gan: value should be one of <vae\|vaegan>"),
        ("--noema=1", "--noema=1 does not take an argument"),
        ("--run_name", "Missing value for flag --run_name"),
        ("stray", r"^unexpected argument 'stray'; .*--name=value"),
    ],
)
def test_refusals_are_one_line(argument, message):
    with pytest.raises(app.UsageError, match=message) as caught:
        parse(argument)
    assert "\n" not in str(caught.value)


def test_required_flags():
    with pytest.raises(app.UsageError, match=r"^--model_dir is required$"):
        app.parse(["x"], define_required)
    values = app.parse(["x", "--model_dir=a"], define_required)
    assert values.model_dir == "a"


def test_validators_are_one_line():
    def define(values):
        flags.DEFINE_integer("size", 3, "Size.", flag_values=values)
        flags.register_validator(
            "size", lambda n: n % 2, "must be\nodd", flag_values=values
        )
        return {}

    with pytest.raises(app.UsageError, match="flag --size=4: must be odd"):
        app.parse(["x", "--size=4"], define)


def test_positional_arguments_fill_their_flag(tmp_path):
    values = parse("a.png", "--gamma=2", "b.png", positional="images")
    assert values.images == ["a.png", "b.png"]
    assert values.gamma == 2
    values = parse("-i", "a", "--", "--gamma=3", positional="images")
    assert values.images == ["a", "--gamma=3"]
    assert replay(tmp_path, values).images == ["a", "--gamma=3"]


def test_flags_as_text_is_readable():
    values = parse("--gamma=0.25", "--noema", "--images=a", "--images=b")
    assert app.flags_as_text(values) == (
        "--model=vaegan\n"
        "--gamma=0.25\n"
        "--batch_size=64\n"
        "--noema\n"
        "--names=Hat\n"
        "--images=a\n"
        "--images=b\n"
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
    ],
)
def test_flags_as_text_replays_any_text(tmp_path, text):
    arguments = [f"--run_name={text}", f"--images={text}", "--images=x"]
    values = replay(tmp_path, parse(*arguments))
    assert values.run_name == text
    assert values.images == [text, "x"]


def test_flags_as_text_replays_lists_and_numbers(tmp_path):
    before = parse("--gamma=1e-17", '--names="a,b",c', "--debug")
    assert before.names == ["a,b", "c"]
    after = replay(tmp_path, before)
    assert after.names == ["a,b", "c"]
    assert after.gamma == 1e-17
    assert not after.debug
    assert replay(tmp_path, parse("--names=")).names == []
    assert replay(tmp_path, parse('--names="a,b"')).names == ["a,b"]


def test_quoted_values_in_flag_files_are_unquoted(tmp_path):
    file = write(tmp_path / "a.flags", '--run_name="two words"')
    assert parse(file).run_name == "two words"


def test_flags_as_dict():
    values = parse("--images=a", "--debug")
    assert json.dumps(app.flags_as_dict(values)) == json.dumps(
        {
            "model": "vaegan",
            "gamma": 1e-06,
            "batch_size": 64,
            "ema": True,
            "run_name": None,
            "names": ["Hat"],
            "images": ["a"],
        }
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/vaegan-train", "vaegan-train"),
        ("C:/bin/vaegan-train.exe", "vaegan-train"),
        ("/x/vaegan_tf/cli/train.py", "vaegan-train"),
    ],
)
def test_program_name(path, name):
    assert app.program_name(path) == name


def test_command_line_is_what_a_shell_reads():
    argv = ["/usr/bin/vaegan-train", "--model_dir=my runs/a", "--gamma=1"]
    assert app.command_line(argv) == (
        "vaegan-train '--model_dir=my runs/a' --gamma=1"
    )


def test_help_page():
    page = app.help_page(
        "vaegan-test", define_flags, "Tests\n  much.", "images", columns=70
    )
    head, common = page.split("\n\nCommon:\n")
    assert head == (
        "Usage: vaegan-test [--flagfile=<file>] [--name=value ...] "
        "[images ...]\n"
        "\n"
        "Tests much.\n"
        "\n"
        "Model:\n"
        "  --model=<vae|vaegan>      Which model. (default: vaegan)\n"
        "  --gamma=<number>          Weight. (at least 0, default: 1e-06)\n"
        "  --[no]ema                 Average weights. (default: true)\n"
        "\n"
        "Run:\n"
        "  --batch_size=<integer>    Images a step. (1 to 512, default: 64)\n"
        "  --run_name=<text>         A name. (default: none)\n"
        "  --names=<a,b,...>         Attributes. (default: Hat)\n"
        "  --images=<text>           Pictures. (may be repeated, default:\n"
        "                            empty)"
    )
    assert "  --help                    Show this page.\n" in common
    assert "  --[no]debug               Show the traceback" in common


def test_help_page_wraps_marks_required_flags_and_forgets_none():
    def define(values):
        define_flags(values)
        define_required(values)
        flags.DEFINE_integer(
            "a_name_that_is_far_too_long", 1, "x " * 60, flag_values=values
        )
        return {"Model": ["model"]}

    lines = app.help_page("p", define, "s", columns=60).splitlines()
    assert max(map(len, lines)) <= 60
    start = lines.index("Other:")
    assert "  --model_dir=<text>        Folder. (required)" in lines[start:]
    long = lines.index("  --a_name_that_is_far_too_long=<integer>")
    assert lines[long + 1].startswith(" " * 28 + "x x")


@pytest.mark.parametrize("argument", ["--help", "-h", "--helpfull"])
def test_help_is_written_even_if_other_flags_are_wrong(
    capsys, monkeypatch, argument
):
    monkeypatch.setenv("COLUMNS", "250")
    assert run("--nonsense", argument) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Usage: vaegan-test ")
    assert max(map(len, output.out.splitlines())) <= 100
    assert output.err == ""


def test_help_after_two_dashes_is_an_argument():
    seen = []
    status = run(
        "--",
        "--help",
        main=lambda values: seen.append(values.images),
        positional="images",
    )
    assert (status, seen) == (None, [["--help"]])


def test_run_calls_main_with_its_flags():
    seen = []
    assert run("--gamma=2", main=lambda v: seen.append(v.gamma)) is None
    assert seen == [2]
    assert run(main=lambda values: 3) == 3


def test_wrong_flags_exit_with_2(capsys):
    assert run("--gama=1") == 2
    assert capsys.readouterr().err == (
        "vaegan-test: error: unknown flag --gama; did you mean --gamma? "
        "(see vaegan-test --help)\n"
    )


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ValueError("`gamma` must\n be positive."),
            "`gamma` must be positive.",
        ),
        (FileNotFoundError(2, "No such file", "a.zip"), "No such file: a.zip"),
        (OSError("disk full"), "disk full"),
        (FloatingPointError("kl is NaN at step 3"), "kl is NaN at step 3"),
        (ValueError(), "ValueError"),
    ],
)
def test_errors_of_users_are_one_line(capsys, error, line):
    def main(values):
        raise error

    assert run(main=main) == 1
    assert capsys.readouterr().err == f"vaegan-test: error: {line}\n"


def test_debug_shows_the_traceback(capsys):
    def main(values):
        raise ValueError("no good")

    assert run("--debug", main=main) == 1
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error
    assert error.endswith("vaegan-test: error: no good\n")


def test_faults_of_the_program_pass_through():
    def main(values):
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        app.run(main, define_flags, "Tests.", argv=["x"])


def test_interrupt_exits_with_130(capsys):
    def main(values):
        raise KeyboardInterrupt

    assert run(main=main) == 130
    assert capsys.readouterr().err == "vaegan-test: error: interrupted\n"


def test_log_lines_are_short_and_the_packages_own(capsys):
    logger = logging.getLogger("absl")

    def say(path, level, text):
        logger.handle(logger.makeRecord("absl", level, path, 1, text, (), None))

    def main(values):
        say(app.__file__, logging.INFO, "own")
        say("/lib/tfds.py", logging.INFO, "chatter")
        say("/lib/tfds.py", logging.WARNING, "beware")

    run(main=main)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "INFO own",
        "WARNING beware",
    ]
    run("--debug", main=main)
    assert "INFO chatter" in capsys.readouterr().err


def python(code):
    environment = dict(os.environ, PYTHONPATH=os.fspath(ROOT))
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_importing_a_command_does_not_import_tensorflow():
    output = python(
        "import sys; from vaegan_tf.cli import app; "
        "print({'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    )
    assert output.stdout == "set()\n"


def test_tensorflow_starts_silently():
    output = python(
        "from vaegan_tf.cli import app\n"
        "def main(values):\n"
        "    import tensorflow as tf\n"
        "    print(int(tf.constant(1) + 1))\n"
        "app.run(main, lambda values: {}, 'Adds.', argv=['x'])"
    )
    assert output.stdout == "2\n"
    assert output.stderr == ""


def test_held_back_lines_are_shown_when_the_import_fails(capfd):
    def fail():
        with app._held_back_stderr():
            os.write(2, b"no such library\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "no such library\nafterwards\n"
