import dataclasses
import logging
import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from vaegan_tf.cli import app
from vaegan_tf.settings import REQUIRED, Settings, setting

ROOT = pathlib.Path(app.__file__).parents[2]


class Model(Settings):
    model: str = setting("vaegan", "Which model.", choices=["vae", "vaegan"])
    gamma: float = setting(1e-6, "Weight.", low=0)
    ema: bool = setting(True, "Average weights.")


class Run(Settings):
    batch_size: int = setting(64, "Images a step.", low=1, high=512)
    run_name: str | None = setting(None, "A name.")
    names: tuple[str, ...] = setting(("Hat",), "Attributes.")
    images: tuple[str, ...] | None = setting(None, "Pictures.")

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size == 13:
            raise ValueError("`batch_size` must be\nlucky.")


class Required(Settings):
    model_dir: str = setting(REQUIRED, "Folder.")


def nothing(*settings):
    pass


def command(main=nothing, groups=None, **options):
    groups = groups or {"Model": Model, "Run": Run}
    return app.Command(main, "Tests\n  much.", groups, **options)


def parse(*arguments, **options):
    """All settings of a command line, whatever their group."""
    values = {}
    for group in command(**options).parse(arguments):
        values |= dataclasses.asdict(group)
    return values


def run(*arguments, **options):
    """Returns the exit status of a run in this process."""
    with pytest.raises(SystemExit) as caught:
        command(**options)(["/usr/bin/vaegan-test", *arguments])
    return caught.value.code


def test_defaults_and_values():
    values = parse("--gamma=0.5", "--noema", "--batch_size", "8")
    assert values == {
        "model": "vaegan",
        "gamma": 0.5,
        "ema": False,
        "batch_size": 8,
        "run_name": None,
        "names": ("Hat",),
        "images": None,
        "debug": False,
    }


def test_settings_come_in_the_order_of_their_groups():
    model, run, common = command().parse([])
    assert (model, run) == (Model(), Run())
    assert common == app.CommonSettings()


def test_commands_do_not_share_flags():
    first, second = parse("--gamma=1"), parse("--gamma=2")
    assert (first["gamma"], second["gamma"]) == (1, 2)
    assert "gamma" not in flags.FLAGS


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--gama=1", r"^unknown flag --gama; did you mean --gamma\?$"),
        ("--no_ema", r"^unknown flag --no_ema; did you mean --noema\?$"),
        ("--qqqqqqq", "^unknown flag --qqqqqqq$"),
        ("--batch_size=0", "^`batch_size` must be at least 1 and at most 512"),
        ("--batch_size=513", r"at most 512\. Received: batch_size=513\.$"),
        ("--batch_size=x", "--batch_size=x: invalid literal"),
        ("--batch_size=2.5", r"--batch_size=2\.5: "),
        ("--gamma=-1", r"^`gamma` must be at least 0\. Received: gamma=-1\.0"),
        ("--gamma=nan", "^`gamma` must be finite"),
        ("--gamma=inf", "^`gamma` must be finite"),
        ("--gamma=much", "--gamma=much: could not convert"),
        ("--model=gan", "^`model` must be one of vae, vaegan.*'gan'"),
        ("--noema=1", "--noema=1 does not take an argument"),
        ("--ema=perhaps", "--ema=perhaps: "),
        ("--run_name", "Missing value for flag --run_name"),
        ("--batch_size=13", r"^`batch_size` must be lucky\.$"),
        ("stray", r"^unexpected argument 'stray'; .*--name=value"),
    ],
)
def test_refusals_are_one_line(argument, message):
    with pytest.raises(app.UsageError, match=message) as caught:
        parse(argument)
    assert "\n" not in str(caught.value)


def test_required_flags():
    groups = {"Run": Required}
    with pytest.raises(app.UsageError, match=r"^--model_dir is required$"):
        parse(groups=groups)
    assert parse("--model_dir=a", groups=groups)["model_dir"] == "a"


@pytest.mark.parametrize("text", ["007", "1e3", "true", "None", "0x1"])
def test_texts_that_look_like_something_else_stay_texts(text):
    values = parse(f"--run_name={text}", f"--names={text},{text}")
    assert values["run_name"] == text
    assert values["names"] == (text, text)


def test_positional_arguments_fill_their_flag():
    values = parse("a.png", "--gamma=2", "b,c.png", positional="images")
    assert values["images"] == ("a.png", "b,c.png")
    assert values["gamma"] == 2
    values = parse("--images=a", "--", "--gamma=3", positional="images")
    assert values["images"] == ("a", "--gamma=3")


def test_groups_may_depend_on_the_arguments(tmp_path):
    def groups(arguments):
        if "--model=vae" in arguments:
            return {"Model": Model}
        raise ValueError("no such\nmodel")

    (tmp_path / "a.flags").write_text("--model=vae\n")
    found = parse(f"--flagfile={tmp_path / 'a.flags'}", groups=groups)
    assert "batch_size" not in found
    with pytest.raises(app.UsageError, match=r"^no such model$"):
        parse(groups=groups)


def test_a_command_can_say_more_of_an_unknown_flag():
    def unknown(name, arguments):
        return f"{name} of {arguments[0]}" if name == "gama" else ""

    with pytest.raises(app.UsageError, match=r"^gama of --gama=1$"):
        parse("--gama=1", unknown=unknown)
    with pytest.raises(app.UsageError, match=r"^unknown flag --qqqqqqq$"):
        parse("--qqqqqqq", unknown=unknown)


def test_modules_are_imported_from_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "my_own_models.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    imported = []

    def groups(arguments):
        imported.append("my_own_models" in sys.modules)
        return {"Model": Model}

    with pytest.raises(app.UsageError, match="unknown flag --import"):
        parse("--import=my_own_models", groups=groups)
    assert imported == [True]


def test_modules_that_are_not_there():
    with pytest.raises(app.UsageError, match=r"^No module named 'no_such'$"):
        parse("--import=no_such")


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
    page = command(positional="images").help_page("vaegan-test", columns=70)
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
        "  --batch_size=<integer>    Images a step. (at least 1 and at most\n"
        "                            512, default: 64)\n"
        "  --run_name=<text>         A name. (default: none)\n"
        "  --names=<a,b,...>         Attributes. (default: Hat)\n"
        "  --images=<a,b,...>        Pictures. (default: none)"
    )
    assert "  --help                    Show this page.\n" in common
    assert "  --[no]debug               Show the traceback" in common


def test_help_page_wraps_and_marks_required_flags():
    class Long(Required):
        a_name_that_is_far_too_long: int = setting(1, "x " * 60)

    groups = {"Long": Long}
    lines = command(groups=groups).help_page("p", columns=60).splitlines()
    assert max(map(len, lines)) <= 60
    start = lines.index("Long:")
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
        main=lambda model, run: seen.append(run.images),
        positional="images",
    )
    assert (status, seen) == (0, [("--help",)])


def test_run_calls_main_with_its_settings():
    seen = []
    assert run("--gamma=2", main=lambda *settings: seen.append(settings)) == 0
    assert seen == [(Model(gamma=2), Run())]


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
    def main(*settings):
        raise error

    assert run(main=main) == 1
    assert capsys.readouterr().err == f"vaegan-test: error: {line}\n"


def test_debug_shows_the_traceback(capsys):
    def main(*settings):
        raise ValueError("no good")

    assert run("--debug", main=main) == 1
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error
    assert error.endswith("vaegan-test: error: no good\n")


def test_faults_of_the_program_say_so(capsys):
    def main(*settings):
        raise KeyError("x")

    assert run(main=main) == 1
    assert capsys.readouterr().err == (
        "vaegan-test: error: KeyError: 'x'. This is a fault of vaegan_tf: "
        "please report it, with the traceback that --debug shows.\n"
    )
    assert run("--debug", main=main) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_exits_with_130(capsys):
    def main(*settings):
        raise KeyboardInterrupt

    assert run(main=main) == 130
    assert capsys.readouterr().err == "vaegan-test: error: interrupted\n"


def test_log_lines_are_short_and_the_packages_own(capsys):
    logger = logging.getLogger("absl")

    def say(path, level, text):
        logger.handle(logger.makeRecord("absl", level, path, 1, text, (), None))

    def main(*settings):
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


def test_tensorflow_starts_silently():
    output = python(
        "from vaegan_tf.cli import app\n"
        "def main():\n"
        "    import tensorflow as tf\n"
        "    print(int(tf.constant(1) + 1))\n"
        "app.Command(main, 'Adds.')(['x'])"
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
