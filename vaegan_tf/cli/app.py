"""How does a command start, explain itself and fail?

A command brings a function that defines its flags, one that does the work and a
sentence of summary. Flags live in a `FlagValues` of the command's own, so that
several commands can be imported into one process.
"""

import contextlib
import difflib
import json
import logging as python_logging
import os
import pathlib
import re
import shlex
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from absl import flags, logging

DefineFlags = Callable[[flags.FlagValues], Mapping[str, Sequence[str]]]

_HELP = {"-h", "-help", "--help", "--helpfull", "--helpshort"}
_HELP_COLUMN = 28
_MAX_COLUMNS = 100
# About this invocation, not about the experiment: never part of a record.
_COMMON_FLAGS = ("debug",)
_GPU_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/nvhost-ctrl-gpu")
_COMMON_HELP = (
    (
        "--flagfile=<file>",
        "Read flags from a file, one `--name=value` a line. A flag given later "
        "overrides an earlier one. The file may include others by --flagfile, "
        "relative to itself or to the working folder; lines that start with # "
        "are comments.",
    ),
    ("--help", "Show this page."),
)


class UsageError(ValueError):
    """The command line or a flag file cannot be understood."""


def run(
    main: Callable[[flags.FlagValues], int | None],
    define_flags: DefineFlags,
    summary: str,
    positional: str | None = None,
    argv: Sequence[str] | None = None,
) -> NoReturn:
    """Runs a command and leaves the process.

    The exit status is 0 after success and after `--help`, 2 if the flags are
    wrong, 1 if `main` raised ValueError, OSError or FloatingPointError (one
    line on stderr; the traceback too with `--debug`), and 130 after Ctrl-C.
    Other exceptions are faults of the program and pass through.

    Args:
        main: Does the work; may return an exit status.
        define_flags: Defines the command's flags in the `FlagValues` it is
            given and returns their names in groups by title, for the help page.
        summary: What the command does, a paragraph for the help page.
        positional: Name of a flag that may be repeated and takes the arguments
            without a name; by default these are refused.
        argv: Program name and arguments, by default the process's.

    Raises:
        SystemExit: Always.
    """
    argv = list(sys.argv if argv is None else argv)
    program = program_name(argv[0])
    if _wants_help(argv[1:]):
        columns = min(shutil.get_terminal_size().columns, _MAX_COLUMNS)
        sys.stdout.write(
            help_page(program, define_flags, summary, positional, columns)
        )
        sys.exit(0)
    try:
        flag_values = parse(argv, define_flags, positional)
    except UsageError as error:
        _fail(program, f"{error} (see {program} --help)", 2)
    _start_logging(flag_values.debug)
    try:
        _import_tensorflow_quietly()
        sys.exit(main(flag_values))
    except (ValueError, OSError, FloatingPointError) as error:
        if flag_values.debug:
            logging.exception("%s failed", program)
        _fail(program, _one_line(error), 1)
    except KeyboardInterrupt:
        _fail(program, "interrupted", 130)


def parse(
    argv: Sequence[str],
    define_flags: DefineFlags,
    positional: str | None = None,
) -> flags.FlagValues:
    """Reads a command line, flag files included.

    Args:
        argv: Program name and arguments.
        define_flags: As in `run`.
        positional: As in `run`.

    Returns:
        The command's flags, checked, values as attributes.

    Raises:
        UsageError: If a flag is unknown, a value is refused, a flag file cannot
            be read or an argument is left over; the message is one line.
    """
    flag_values, _ = _define(define_flags)
    arguments = _expand_flag_files(argv[1:])
    try:
        _, *rest = flag_values([argv[0], *arguments])
        if rest and positional:
            flag_values[positional].parse(rest)
            flag_values[positional].using_default_value = False
            flag_values.validate_all_flags()
    except flags.UnrecognizedFlagError as error:
        raise UsageError(_unknown(error.flagname, flag_values)) from None
    except (flags.Error, ValueError) as error:
        raise UsageError(_refusal(error)) from None
    if rest and not positional:
        raise UsageError(
            f"unexpected argument {rest[0]!r}; flags are written --name=value"
        )
    return flag_values


def flags_as_text(flag_values: flags.FlagValues) -> str:
    """Writes all flags as a flag file that replays the run.

    One `--name=value` a line, `--name` or `--noname` for booleans, in the order
    of definition, defaults included; flags without a value are left out. A
    value that does not fit a line as it is (line breaks, surrounding blanks, a
    leading quote) is written as a JSON string, which `--flagfile` reads back.

    Args:
        flag_values: The command's flags.

    Returns:
        The file's content.
    """
    lines = []
    for flag in _recorded(flag_values):
        if flag.value is None:
            continue
        if flag.boolean:
            lines.append(flag.serialize())
            continue
        lines += [
            f"--{flag.name}={_quoted(item)}" for item in _serialized(flag)
        ]
    return "".join(line + "\n" for line in lines)


def flags_as_dict(flag_values: flags.FlagValues) -> dict[str, Any]:
    """Returns all flags' values by name, in the order of definition."""
    return {
        flag.name: list(flag.value)
        if isinstance(flag.value, list)
        else flag.value
        for flag in _recorded(flag_values)
    }


def program_name(path: str) -> str:
    """Returns a command's name: of `.../cli/train.py` it is vaegan-train."""
    path = pathlib.Path(path)
    return f"vaegan-{path.stem}" if path.suffix == ".py" else path.stem


def command_line(argv: Sequence[str] | None = None) -> str:
    """Returns what was typed, as text that a shell understands.

    Args:
        argv: Program name and arguments, by default the process's.
    """
    program, *arguments = sys.argv if argv is None else argv
    return shlex.join([program_name(program), *arguments])


def help_page(
    program: str,
    define_flags: DefineFlags,
    summary: str,
    positional: str | None = None,
    columns: int = 80,
) -> str:
    """Explains a command and its flags.

    Args:
        program: The command's name.
        define_flags: As in `run`.
        summary: As in `run`.
        positional: As in `run`.
        columns: Width of the page.

    Returns:
        Lines of text: usage, summary, then each group of flags.
    """
    flag_values, groups = _define(define_flags)
    usage = f"Usage: {program} [--flagfile=<file>] [--name=value ...]"
    if positional:
        usage += f" [{positional} ...]"
    parts = [usage, textwrap.fill(" ".join(summary.split()), columns)]
    for title, names in groups.items():
        entries = [_explain(flag_values[name], flag_values) for name in names]
        parts.append(_section(title, entries, columns))
    common = [
        _explain(flag_values[name], flag_values) for name in _COMMON_FLAGS
    ]
    parts.append(_section("Common", [*_COMMON_HELP, *common], columns))
    return "\n\n".join(parts) + "\n"


def _define(
    define_flags: DefineFlags,
) -> tuple[flags.FlagValues, dict[str, Sequence[str]]]:
    flag_values = flags.FlagValues()
    flag_values.set_gnu_getopt()  # flags may follow positional arguments
    groups = dict(define_flags(flag_values))
    grouped = {name for names in groups.values() for name in names}
    others = [name for name in _names(flag_values) if name not in grouped]
    if others:
        groups["Other"] = others
    flags.DEFINE_bool(
        "debug",
        False,
        "Show the traceback of an error.",
        flag_values=flag_values,
    )
    return flag_values, groups


def _names(flag_values: flags.FlagValues) -> list[str]:
    # A short name is a second key of the same flag.
    return [name for name in flag_values if flag_values[name].name == name]


def _recorded(flag_values: flags.FlagValues) -> list[flags.Flag]:
    names = _names(flag_values)
    return [flag_values[name] for name in names if name not in _COMMON_FLAGS]


def _serialized(flag: flags.Flag) -> list[str]:
    if isinstance(flag, flags.MultiFlag):
        return [flag.serializer.serialize(item) for item in flag.value]
    return [flag.serializer.serialize(flag.value)]


def _quoted(text: str) -> str:
    fits = text == text.strip() and len(text.splitlines()) <= 1
    return text if fits and not text.startswith('"') else json.dumps(text)


def _unquoted(line: str) -> str:
    name, separator, text = line.partition("=")
    if not (len(text) > 1 and text.startswith('"') and text.endswith('"')):
        return line
    with contextlib.suppress(json.JSONDecodeError):
        return name + separator + json.loads(text)
    return line


def _expand_flag_files(arguments: Sequence[str]) -> list[str]:
    """Puts the lines of flag files where `--flagfile` stands."""
    expanded, rest = [], list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return [*expanded, argument, *rest]
        name, separator, path = argument.partition("=")
        if name not in ("--flagfile", "-flagfile"):
            expanded.append(argument)
            continue
        if not separator:
            if not rest:
                raise UsageError("--flagfile needs the name of a file")
            path = rest.pop(0)
        expanded += _read_flag_file(path, ())
    return expanded


def _read_flag_file(
    path: str, including: tuple[pathlib.Path, ...]
) -> list[str]:
    file = _find_flag_file(path, including)
    if file.resolve() in [other.resolve() for other in including]:
        raise UsageError(f"flag file {file} includes itself")
    arguments = []
    for number, line in enumerate(_lines(file, including), 1):
        line = line.strip()
        if not line or line.startswith(("#", "//")):
            continue
        if not line.startswith("-") or " " in line.partition("=")[0]:
            raise UsageError(
                f"{file}:{number}: not --name=value nor a # comment: {line!r}"
            )
        name, _, value = _unquoted(line).partition("=")
        if name in ("--flagfile", "-flagfile"):
            arguments += _read_flag_file(value.strip(), (*including, file))
        else:
            arguments.append(_unquoted(line))
    return arguments


def _find_flag_file(
    path: str, including: tuple[pathlib.Path, ...]
) -> pathlib.Path:
    file = pathlib.Path(path).expanduser()
    # absl knows the working folder only. The including file's comes first, so
    # that no file that happens to lie there replaces part of an experiment.
    if including and (including[-1].parent / file).is_file():
        return including[-1].parent / file
    return file


def _lines(
    file: pathlib.Path, including: tuple[pathlib.Path, ...]
) -> list[str]:
    source = f", included by {including[-1]}" if including else ""
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(
            f"cannot read flag file {file}{source}: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"flag file {file}{source} is not text") from None


def _unknown(name: str, flag_values: flags.FlagValues) -> str:
    known = ["flagfile", "help", *flag_values]
    known += [f"no{key}" for key in flag_values if flag_values[key].boolean]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean --{close[0]}?" if close else ""
    return f"unknown flag --{name}{hint}"


def _refusal(error: Exception) -> str:
    text = _one_line(error)
    required = re.search(
        r"Flag (--\S+) must have a value other than None", text
    )
    return f"{required[1]} is required" if required else text


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split()) or type(error).__name__


def _fail(program: str, message: str, status: int) -> NoReturn:
    sys.stderr.write(f"{program}: error: {message}\n")
    sys.exit(status)


def _wants_help(arguments: Sequence[str]) -> bool:
    arguments = list(arguments)
    if "--" in arguments:
        arguments = arguments[: arguments.index("--")]
    return not _HELP.isdisjoint(arguments)


def _explain(
    flag: flags.Flag, flag_values: flags.FlagValues
) -> tuple[str, str]:
    form = f"--[no]{flag.name}"
    if not flag.boolean:
        form = f"--{flag.name}=<{_kind(flag)}>"
    notes = [_bounds(flag.parser), _default(flag, flag_values)]
    if isinstance(flag, flags.MultiFlag):
        notes.insert(0, "may be repeated")
    return form, f"{_meaning(flag)} ({', '.join(filter(None, notes))})"


def _kind(flag: flags.Flag) -> str:
    parser = flag.parser
    choices = getattr(parser, "enum_values", None)
    choices = choices or getattr(parser, "member_names", None)
    if choices:
        return "|".join(choices)
    kinds = {
        flags.IntegerParser: "integer",
        flags.FloatParser: "number",
        flags.BaseListParser: "a,b,...",
    }
    for kind, name in kinds.items():
        if isinstance(parser, kind):
            return name
    return "text"


def _meaning(flag: flags.Flag) -> str:
    # absl writes choices before the meaning and repetition behind it.
    text = " ".join((flag.help or "").split())
    if text.startswith("<") and ">: " in text:
        text = text.split(">: ", 1)[1]
    return text.split("; repeat this option to specify")[0]


def _bounds(parser: flags.ArgumentParser) -> str:
    lower = getattr(parser, "lower_bound", None)
    upper = getattr(parser, "upper_bound", None)
    if lower is None and upper is None:
        return ""
    # absl hands out one parser for equal bounds, 0 and 0.0 among them.
    low, high = (
        "" if bound is None else f"{bound:.10g}" for bound in (lower, upper)
    )
    if upper is None:
        return f"at least {low}"
    return f"at most {high}" if lower is None else f"{low} to {high}"


def _default(flag: flags.Flag, flag_values: flags.FlagValues) -> str:
    if flag.default is None:
        return (
            "required" if _is_required(flag, flag_values) else "default: none"
        )
    if flag.boolean:
        return f"default: {str(flag.default).lower()}"
    if isinstance(flag.default, list):
        text = ",".join(str(item) for item in flag.default)
    else:
        text = flag.serializer.serialize(flag.default)
    return f"default: {text or 'empty'}"


def _is_required(flag: flags.Flag, flag_values: flags.FlagValues) -> bool:
    """Whether some validator refuses that the flag has no value."""
    try:
        for validator in flag.validators:
            validator.verify(flag_values)
    except flags.ValidationError:
        return True
    return False


def _section(
    title: str, entries: Sequence[tuple[str, str]], columns: int
) -> str:
    lines = [f"{title}:"]
    indent = " " * _HELP_COLUMN
    for form, meaning in entries:
        start = f"  {form}"
        if len(start) > _HELP_COLUMN - 2:
            lines += textwrap.wrap(start, columns, subsequent_indent="      ")
            start = ""
        lines += textwrap.wrap(
            meaning,
            columns,
            initial_indent=start.ljust(_HELP_COLUMN),
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _start_logging(debug: bool) -> None:
    # absl's own flags stay global; unparsed they make it warn at each line.
    flags.FLAGS.mark_as_parsed()
    flags.FLAGS.logtostderr = True
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    handler = logging.get_absl_handler()
    handler.setFormatter(
        python_logging.Formatter(
            "%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"
        )
    )
    handler.filters = [] if debug else [_is_for_people]


def _is_for_people(record: python_logging.LogRecord) -> bool:
    """Whether a line is this package's own, or a warning of another."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return record.levelno >= python_logging.WARNING or os.path.abspath(
        record.pathname
    ).startswith(package)


def _import_tensorflow_quietly() -> None:
    """Imports TensorFlow without its C++ libraries' notices.

    Some of these are written before any log level applies, so stderr is
    held back; should the import fail, they are shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if "tensorflow" in sys.modules:
        return
    with _held_back_stderr():
        import tensorflow as tf

        # Where no GPU can be, asking for one is reported as a CUDA error.
        if not any(pathlib.Path(path).exists() for path in _GPU_DRIVERS):
            tf.config.list_physical_devices()


@contextlib.contextmanager
def _held_back_stderr() -> Iterator[None]:
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
