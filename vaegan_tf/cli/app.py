"""How does a command start, explain itself and fail?

A command is a function that does the work, the groups of settings it takes,
from which flags derive, and a summary. Flags live in a `FlagValues` of the
command's own, so that several commands can be imported into one process.
"""

import contextlib
import dataclasses
import importlib
import io
import itertools
import logging as python_logging
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import textwrap
import threading
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from absl import flags, logging

from vaegan_tf.cli.flags import (
    Groups,
    UsageError,
    expand,
    explain,
    last_value,
    read,
    unknown,
)
from vaegan_tf.errors import first_line, one_line
from vaegan_tf.settings import Settings, fields, setting

_HELP = {"-h", "-help", "--help", "--helpfull", "--helpshort"}
_HELP_COLUMN = 28
_MAX_COLUMNS = 100
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_GPU_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/nvhost-ctrl-gpu")
_FLAGFILE_HELP = (
    "--flagfile=<file>",
    "Read flags from a file, one `--name=value` a line. A flag given later "
    "overrides an earlier one. The file may include others by --flagfile, "
    "relative to itself or to the working folder; lines that start with # "
    "are comments. Files of the package are known by name, such as demo or "
    "paper/vaegan.",
)


class CommonSettings(Settings):
    """What every command has; about one call, so never part of a record."""

    debug: bool = setting(False, "Show the traceback of an error.")


@dataclasses.dataclass(frozen=True)
class Command:
    """A command: call it to run it.

    The exit status is 0 after success and after `--help`, 2 if the flags are
    wrong, 1 if anything else fails, and 130 after Ctrl-C. A run that a signal
    has stopped exits with 128 + its number. What failed is one line on stderr,
    which says so if it is a fault of this package; `--debug` shows the
    traceback too.

    Args:
        main: Does the work; takes the settings of each group in their order.
        summary: What the command does.
        groups: Groups of settings by title, or a function of the arguments
            that returns them; by default those that `main` is annotated with.
        positional: Name of a flag that takes the arguments without a name; by
            default these are refused.
        unknown: Says more about an unknown flag, by its name and the
            arguments; an empty text if there is nothing to say.
    """

    main: Callable[..., None]
    summary: str
    groups: Groups | Callable[[Sequence[str]], Groups] | None = None
    positional: str | None = None
    unknown: Callable[[str, Sequence[str]], str] = lambda name, arguments: ""

    def __call__(self, argv: Sequence[str] | None = None) -> NoReturn:
        """Runs the command of `argv`, or of the process, and leaves it."""
        argv = list(sys.argv if argv is None else argv)
        program = program_name(argv[0])
        try:
            if not _HELP.isdisjoint(itertools.takewhile("--".__ne__, argv)):
                columns = min(shutil.get_terminal_size().columns, _MAX_COLUMNS)
                show(self.help_page(program, argv[1:], columns))
                sys.exit(0)
            *settings, common = self.parse(argv[1:])
            _start_logging(common.debug)
            _import_tensorflow_quietly()
            self.main(*settings)
            sys.exit(0)
        except UsageError as error:
            _fail(program, f"{error} (see {program} --help)", 2)
        except KeyboardInterrupt:
            _fail(program, "interrupted", 130)
        except BrokenPipeError:  # As of `| head`: nobody reads any more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as error:
            if "--debug" in argv:
                logging.exception("%s failed", program)
            _fail(program, _explained(error), 1)

    def parse(self, arguments: Sequence[str]) -> list[Any]:
        """The settings of each group and `CommonSettings`, as arguments say.

        Raises:
            UsageError: If a flag is unknown, a value is refused, a flag file
                cannot be read or an argument is left over; the message is one
                line.
        """
        arguments = expand(arguments)
        groups = self._groups_for(arguments)
        try:
            return read(groups, arguments, self.positional)
        except flags.UnrecognizedFlagError as error:
            more = self.unknown(error.flagname, arguments)
            more = more or unknown(error.flagname, groups)
            raise UsageError(more) from None
        except (flags.Error, ValueError) as error:
            raise UsageError(_one_line(error)) from None

    def help_page(
        self, program: str, arguments: Sequence[str] = (), columns: int = 80
    ) -> str:
        """Usage, summary and each group of flags, so many columns wide."""
        usage = f"Usage: {program} [--flagfile=<file>] [--name=value ...]"
        if self.positional:
            usage += f" [{self.positional} ...]"
        summary = textwrap.fill(" ".join(self.summary.split()), columns)
        parts = [usage, summary]
        common = [_FLAGFILE_HELP, ("--help", "Show this page.")]
        for title, group in self._groups_for(expand(arguments)).items():
            entries = common if group is CommonSettings else []
            entries = [*entries, *map(explain, fields(group).values())]
            parts.append(_section(title, entries, columns))
        return "\n\n".join(parts) + "\n"

    def _groups_for(self, arguments: Sequence[str]) -> Groups:
        """The groups of settings, once those of outside models are known."""
        try:
            if module := last_value(arguments, "import"):
                _import_models(module)
            known = self.groups or _annotated(self.main)
            groups = known(arguments) if callable(known) else known
        except Exception as error:  # Of the user's module, whatever it raises.
            raise UsageError(_one_line(error)) from error
        return {**groups, "Common": CommonSettings}


def program_name(path: str) -> str:
    """A command's name: of `.../cli/train.py` it is vaegan-train."""
    file = pathlib.Path(path)
    return f"vaegan-{file.stem}" if file.suffix == ".py" else file.stem


def command_line(argv: Sequence[str] | None = None) -> str:
    """What was typed (`argv`, or the process's) as a shell understands it."""
    program, *arguments = sys.argv if argv is None else argv
    return shlex.join([program_name(program), *arguments])


def _annotated(main: Callable[..., None]) -> Groups:
    """The groups that a function is annotated with, by its arguments."""
    hints = typing.get_type_hints(main).items()
    return {name.capitalize(): hint for name, hint in hints if name != "return"}


def show(text: str) -> None:
    """Writes to standard output, names of files in it made harmless."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # In any locale.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def printable(text: str) -> str:
    """A text with escape codes for what could command a terminal."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else _escape(letter)
        for letter in text
    )


def _escape(letter: str) -> str:
    return ascii(letter)[1:-1]


def _explained(error: Exception) -> str:
    """What an error means, and whose fault it is."""
    if isinstance(error, ValueError | OSError | FloatingPointError):
        return _one_line(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory: {_one_line(error)}"
    if isinstance(error, ImportError):
        return f"A package is missing or broken: {_one_line(error)}"
    if said := _said_by_tensorflow(error):
        return said
    return (
        f"{type(error).__name__}: {_one_line(error)}. This is a fault of "
        "vaegan_tf: please report it, with the traceback that --debug shows."
    )


def _said_by_tensorflow(error: Exception) -> str:
    """What TensorFlow says of the machine or of files; empty if nothing."""
    import tensorflow as tf

    if not isinstance(error, tf.errors.OpError):
        return ""
    faults = (tf.errors.INVALID_ARGUMENT, tf.errors.INTERNAL)
    if error.error_code in (*faults, tf.errors.UNIMPLEMENTED):
        return ""
    what = "TensorFlow could not read, write or compute"
    if isinstance(error, tf.errors.ResourceExhaustedError):
        what = "The memory, the disk or open files do not suffice"
    return f"{what}: {first_line(error)}"


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror}: {error.filename}"
    return one_line(error)


def _fail(program: str, message: str, status: int) -> NoReturn:
    sys.stderr.write(printable(f"{program}: error: {message}\n"))
    sys.exit(status)


def _section(title, entries, columns):
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
    flags.FLAGS["logtostderr"].value = True
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    handler = logging.get_absl_handler()
    form = "%(asctime)s %(levelname)s %(message)s"
    handler.setFormatter(_Formatter(form, "%H:%M:%S"))
    handler.filters = [] if debug else [_is_for_people]
    if not debug:
        threading.excepthook = _log_failed_thread


def _log_failed_thread(failed: threading.ExceptHookArgs) -> None:
    """Says in a line that a thread has failed, which others may bear."""
    error = failed.exc_value or failed.exc_type()
    name = failed.thread.name if failed.thread else "unknown"
    logging.warning("The thread %s has failed: %s", name, _one_line(error))


class _Formatter(python_logging.Formatter):
    """Makes what is logged harmless for a terminal."""

    def format(self, record: python_logging.LogRecord) -> str:
        return printable(super().format(record))


def _is_for_people(record: python_logging.LogRecord) -> bool:
    """Whether a line is this package's own, or a warning of another."""
    path = os.path.abspath(record.pathname)
    return record.levelno >= python_logging.WARNING or path.startswith(_PACKAGE)


def _import_models(module: str) -> None:
    """Imports a module of models, of the working folder too."""
    _import_tensorflow_quietly()
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    importlib.import_module(module)


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
