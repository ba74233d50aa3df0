"""From settings to flags and flag files, and back.

Every flag is derived from a field; a flag file holds one a line.
"""

import contextlib
import csv
import difflib
import io
import json
import pathlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from absl import flags as absl

from vaegan_tf.settings import REQUIRED, Field, Settings, fields

Groups = Mapping[str, type[Settings]]

_PACKAGE = pathlib.Path(__file__).parents[1]
# Of an installed package, and of a checkout.
FOLDERS = (_PACKAGE / "flags", _PACKAGE.parent / "flags")
_DEFINERS: Mapping[type, Any] = {
    bool: absl.DEFINE_boolean,
    int: absl.DEFINE_integer,
    float: absl.DEFINE_float,
    str: absl.DEFINE_string,
    tuple: absl.DEFINE_list,
}
_FORMS = {int: "integer", float: "number", str: "text", tuple: "a,b,..."}
_DEFAULT = re.compile(r"(?P<meaning>.*) \(default: (?P<default>.*)\)\.")


class UsageError(ValueError):
    """The command line or a flag file cannot be understood."""


def flag_name(field: Field) -> str:
    """The flag of a field, whose name ends in `_` if it is a Python keyword."""
    return field.name.rstrip("_")


def read(
    groups: Groups, arguments: Sequence[str], positional: str | None = None
) -> list[Any]:
    """The settings of each group that arguments give.

    absl does not know bounds and choices: the groups check them themselves.
    Arguments without a name are those of the flag `positional`.

    Raises:
        absl.flags.Error: If a flag is unknown, or its value has another type.
        ValueError: If a required flag is missing, or a value is refused.
    """
    flags = absl.FlagValues()
    flags.set_gnu_getopt()  # flags may follow positional arguments
    known = _fields_of(groups)
    for field in known:
        default = None if field.default is REQUIRED else field.default
        if isinstance(default, tuple):
            default = list(default)
        define = _DEFINERS[field.type]
        define(flag_name(field), default, field.help, flag_values=flags)
    _, *rest = flags(["", *arguments])
    values = {
        field.name: _items(field, flags[flag_name(field)].value)
        for field in known
    }
    if rest and not positional:
        raise UsageError(
            f"unexpected argument {rest[0]!r}; flags are written --name=value"
        )
    if rest and positional:
        values[positional] = [*(values[positional] or []), *rest]
    for field in known:
        if field.default is REQUIRED and values[field.name] is None:
            raise UsageError(f"--{flag_name(field)} is required")
    return [
        group(**{name: values[name] for name in fields(group)})
        for group in groups.values()
    ]


def explain(field: Field) -> tuple[str, str]:
    """A flag's form and its meaning, for a help page."""
    form = f"--{flag_name(field)}"
    if field.type is bool:
        form = f"--[no]{flag_name(field)}"
    elif field.choices:
        more = ",..." if field.type is tuple else ""
        form += f"=<{'|'.join(map(str, field.choices))}{more}>"
    else:
        form += f"=<{_FORMS[field.type]}>"
    meaning, default = field.help, _default(field)
    if explained := _DEFAULT.fullmatch(meaning):
        meaning = f"{explained['meaning'].rstrip('.')}."
        if field.default in (None, ()):
            default = explained["default"]
    notes = [] if field.choices or not field.bounds else [field.bounds]
    required = field.default is REQUIRED
    notes.append("required" if required else f"default: {default}")
    return form, f"{meaning} ({', '.join(notes)})"


def unknown(name: str, groups: Groups) -> str:
    """What to say of a flag that there is not, with the nearest that is."""
    names = ["flagfile", "help"]
    for field in _fields_of(groups):
        prefixes = ("", "no") if field.type is bool else ("",)
        names += [prefix + flag_name(field) for prefix in prefixes]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean --{close[0]}?" if close else ""
    return f"unknown flag --{name}{hint}"


def last_value(arguments: Sequence[str], name: str) -> str | None:
    """The value that a flag is last given among some arguments, as a text."""
    value = None
    for place, argument in enumerate(arguments):
        key, separator, text = argument.partition("=")
        if argument == "--":
            break
        if key not in (f"--{name}", f"-{name}"):
            continue
        value = text if separator else "".join(arguments[place + 1 :][:1])
    return value or None


def expand(
    arguments: Iterable[str], including: tuple[pathlib.Path, ...] = ()
) -> list[str]:
    """Puts the lines of flag files where `--flagfile` stands.

    Args:
        arguments: Arguments of a command line, or of a flag file.
        including: That file, and those that include it.

    Raises:
        UsageError: If a file cannot be read, is no flag file, or includes
            itself.
    """
    expanded: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*expanded, argument, *rest]
        name, separator, path = argument.partition("=")
        if name not in ("--flagfile", "-flagfile"):
            expanded.append(argument)
            continue
        path = (path if separator else next(rest, "")).strip()
        if not path:
            raise UsageError("--flagfile needs the name of a file")
        file = _find(path, including)
        if file.resolve() in [other.resolve() for other in including]:
            raise UsageError(f"flag file {file} includes itself")
        expanded += expand(_arguments(file, including), (*including, file))
    return expanded


def as_text(groups: Iterable[Settings]) -> str:
    """Settings as a flag file that repeats the run.

    Defaults are included; settings without a value are left out, and those
    that belong to one call. A value that does not fit a line as it is (line
    breaks, surrounding blanks, a leading quote) is written as a JSON string.
    """
    lines = []
    for group in groups:
        for name, field in fields(type(group)).items():
            value = getattr(group, name)
            if value is None or not field.recorded:
                continue
            if field.type is bool:
                lines.append(f"--{'' if value else 'no'}{flag_name(field)}\n")
            else:
                lines.append(f"--{flag_name(field)}={_quoted(value)}\n")
    return "".join(lines)


def command_of(program: str, groups: Iterable[Settings]) -> str:
    """The command line that repeats a call with these settings."""
    return shlex.join([program, *as_text(groups).splitlines()])


def _fields_of(groups: Groups) -> list[Field]:
    return [f for group in groups.values() for f in fields(group).values()]


def _items(field, value):
    """A flag's value, with the items of a list in their type."""
    if field.type is not tuple or value is None:
        return value
    with contextlib.suppress(ValueError):  # The group says what is wrong.
        return [field.item(part) for part in value]
    return value


def _default(field):
    if field.default is None or field.default == ():
        return "none"
    if isinstance(field.default, tuple):
        return ",".join(map(str, field.default))
    text = str(field.default)
    return text.lower() if field.type is bool else text


def _find(path, including):
    """A flag file by its path, or one of the package by its name."""
    file = pathlib.Path(path).expanduser()
    # absl knows the working folder only. The including file's comes first, so
    # that no file that happens to lie there replaces part of an experiment.
    if including and (including[-1].parent / file).is_file():
        return including[-1].parent / file
    name = f"{path.removesuffix('.flags')}.flags"
    places = [file, *[folder / name for folder in FOLDERS]]
    return next((place for place in places if place.is_file()), file)


def _arguments(file, including):
    """The lines of a flag file that are no comments."""
    source = f"{file}, included by {including[-1]}" if including else file
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"cannot read flag file {source}: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"flag file {source} is not text") from None
    arguments = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith(("#", "//")):
            continue
        if not line.startswith("-") or " " in line.partition("=")[0]:
            raise UsageError(
                f"{file}:{number}: not --name=value nor a # comment: {line!r}"
            )
        arguments.append(_unquoted(line))
    return arguments


def _unquoted(line):
    name, separator, text = line.partition("=")
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        with contextlib.suppress(json.JSONDecodeError):
            return name + separator + json.loads(text)
    return line


def _quoted(value):
    """A value as a line of a flag file; lists are lines of CSV to absl."""
    text = str(value)
    if isinstance(value, tuple):
        line = io.StringIO()
        csv.writer(line).writerow(value)
        text = line.getvalue().removesuffix("\r\n")
    fits = text == text.strip() and len(text.splitlines()) <= 1
    return text if fits and not text.startswith('"') else json.dumps(text)
