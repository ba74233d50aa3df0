"""What is a setting? A typed field with a default, bounds and a meaning.

A group of settings is a class that derives from `Settings`, which makes it a
frozen dataclass. It is checked when it is made; flags, records, tables and the
check of a resumed run all read its fields.
"""

import dataclasses
import functools
import math
import os
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

REQUIRED: Any = dataclasses.MISSING
MAX_SEED = 2**31 - 1  # of TensorFlow's stateless noise
_TYPES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}
_LISTS = {
    str: "a list of texts",
    int: "a list of whole numbers",
    float: "a list of numbers",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One setting: what `setting` says of it, and its name and type."""

    default: Any  # or `REQUIRED`
    help: str  # a sentence for a help page
    choices: Sequence[Any] | None = None  # the only values
    low: float | None = None  # the least value
    high: float | None = None  # the greatest value
    above: float | None = None  # a number that it must exceed
    below: float | None = None  # a number that it must stay under
    is_path: bool = False  # made absolute, so that records are true anywhere
    may_be_url: bool = False  # a path that is read from object storage too
    changeable: bool = False  # by a resumed run
    recorded: bool = True  # it belongs to the run, not to one call
    name: str = ""
    type: type = str  # `tuple` is a list of `item`s
    item: Any = str
    optional: bool = False  # it may be `None`

    @property
    def bounds(self) -> str:
        """The values it may have, in words; empty if there are no bounds."""
        is_list = self.type is tuple
        if self.choices:
            count = "one or more" if is_list else "one"
            return f"{count} of {', '.join(map(str, self.choices))}"
        words = {
            "at least": self.low,
            "above": self.above,
            "at most": self.high,
            "below": self.below,
        }
        known = " and ".join(
            f"{word} {bound if isinstance(bound, int) else format(bound, 'g')}"
            for word, bound in words.items()
            if bound is not None
        )
        return f"each {known}" if is_list and known else known

    def checked(self, value: Any) -> Any:
        """A value as it is stored: a tuple, a float, an absolute path.

        Raises:
            ValueError: If it has the wrong type or is out of range.
        """
        if self.type is tuple and isinstance(value, list):
            value = tuple(value)
        elif self.type is float and type(value) is int:
            value = float(value)
        elif self.is_path and isinstance(value, str) and not _is_url(value):
            value = os.path.abspath(os.path.expanduser(value))
        must = "" if value is None and self.optional else self._must(value)
        if must:
            must += " or None" if self.optional else ""
            raise ValueError(
                f"`{self.name}` must {must}. Received: {self.name}={value!r}."
            )
        return value

    def _must(self, value: Any) -> str:
        """What a value, or each item of a list, must be but is not."""
        is_list = self.type is tuple
        if not _is_of_type(value, self.type, self.item):
            return f"be {_LISTS[self.item] if is_list else _TYPES[self.type]}"
        parts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(p, float) and not math.isfinite(p) for p in parts):
            return "be finite"
        if any(isinstance(p, int) and abs(p) >= 2**63 for p in parts):
            return "have at most 64 bits"
        if not all(_is_unicode(str(part)) for part in parts):
            return "be valid Unicode without NUL characters"
        if self.is_path and _is_url(value) and not self.may_be_url:
            return "be on this machine, not at a URL"
        if all(map(self._is_within, parts)) and (parts or not self.bounds):
            return ""
        items = "" if self.choices or not is_list else f"{_LISTS[self.item]}, "
        return f"be {items}{self.bounds}"

    def _is_within(self, value: Any) -> bool:
        """Whether a value is one of the choices and within the bounds."""
        return (
            (not self.choices or value in self.choices)
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def setting(default: Any, help: str, **rules: Any) -> Any:  # noqa: A002
    """One field of a group of settings; `rules` are attributes of `Field`."""
    field = Field(default=default, help=" ".join(help.split()), **rules)
    return dataclasses.field(default=default, metadata={"field": field})


changeable = functools.partial(setting, changeable=True)  # by a resumed run


def check(name: str, value: Any, **rules: Any) -> None:
    """Refuses an argument of a function that breaks the rules of a field.

    Args:
        name: The argument's name.
        value: Its value.
        **rules: Attributes of `Field`, such as `low=1` or `choices=PATHS`.

    Raises:
        ValueError: If it breaks one.
    """
    kind = {"name": name, "type": type(value), "default": value, "help": ""}
    Field(**kind, **rules).checked(value)


def named_number(text: str, default: float = math.nan) -> tuple[str, float]:
    """Takes `name=number` apart.

    The number is the default if there is only a name, and NaN if it is none.
    """
    name, equals, number = text.partition("=")
    try:
        return name, float(number) if equals else default
    except ValueError:
        return name, math.nan


@typing.dataclass_transform(frozen_default=True, kw_only_default=True)
class Settings:
    """A group of settings: its subclasses are frozen dataclasses.

    A group that derives from another may give its settings other defaults,
    such as `kl_weight: float = 1.0`.

    Raises:
        ValueError: If a value has the wrong type or is out of range.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        for name, field in fields(type(self)).items():
            value = field.checked(getattr(self, name))
            object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Values by name, as JSON knows them."""
        values = {name: getattr(self, name) for name in fields(type(self))}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The settings of `as_dict`.

        Raises:
            ValueError: If a name is unknown, or a value is refused.
        """
        for name in sorted(set(values) - set(fields(cls))):
            known = ", ".join(fields(cls))
            raise ValueError(f"`{name}` is not one of the settings {known}.")
        return cls(**values)


def fields(group: type) -> dict[str, Field]:
    """The fields of a group of settings by name."""
    known: dict[str, Field] = {}
    for base in reversed(group.__bases__):
        known |= fields(base) if dataclasses.is_dataclass(base) else {}
    hints = typing.get_type_hints(group)
    found = {}
    for field in dataclasses.fields(group):
        name, hint = field.name, hints[field.name]
        kind, item, optional = _plain_type(hint)
        found[name] = dataclasses.replace(
            field.metadata.get("field") or known[name],
            default=field.default,
            name=name,
            type=kind,
            item=item,
            optional=optional,
        )
    return found


def _plain_type(hint: Any) -> tuple[type, type, bool]:
    """The type that a hint names, that of items, whether it may be `None`."""
    if isinstance(hint, types.UnionType):
        (kind,) = (kind for kind in hint.__args__ if kind is not type(None))
        return *_plain_type(kind)[:2], True
    items = typing.get_args(hint) or (str,)
    return typing.get_origin(hint) or hint, items[0], False


def _is_unicode(text: str) -> bool:
    """Whether it can be written; names of files that are not UTF-8 cannot."""
    return not any(a == "\0" or "\ud800" <= a <= "\udfff" for a in text)


def _is_url(value: str) -> bool:
    return "://" in value


def _is_of_type(value: Any, kind: type, item: type) -> bool:
    if isinstance(value, tuple) and kind is tuple:
        return all(_is_of_type(part, item, str) for part in value)
    return isinstance(value, kind) and (
        kind is bool or not isinstance(value, bool)
    )
