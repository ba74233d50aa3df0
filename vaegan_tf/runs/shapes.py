"""Has a JSON value the expected form? Damaged files are refused by it."""

from typing import Any

NUMBER = int | float
COUNT = range(2**63)
OPTIONAL_NUMBER, OPTIONAL_COUNT, OPTIONAL_TEXT = (
    (kind, None) for kind in (NUMBER, COUNT, str)
)


def misfit(value: Any, shape: Any, name: str) -> str:
    """What of a JSON value has another form than it should; empty if nothing.

    A shape is a type (a boolean is no number), a range of whole numbers, or
    `None`; a tuple of these, one of which fits; `[shape]`, a list of such
    values; or a dict of shapes by key, `...` standing for all other keys. What
    is missing counts as `None`.

    Returns:
        Its place from `name` on, such as `evaluation.scores[3].value`.
    """
    if isinstance(shape, dict) and isinstance(value, dict):
        keys = dict.fromkeys([*shape, *(value if ... in shape else ())])
        parts = [
            (value.get(key), shape.get(key, shape.get(...)), f"{name}.{key}")
            for key in keys
            if key is not ...
        ]
    elif isinstance(shape, list) and isinstance(value, list | tuple):
        parts = [(v, shape[0], f"{name}[{n}]") for n, v in enumerate(value)]
    else:
        return "" if _fits(value, shape) else name
    return next(filter(None, (misfit(*part) for part in parts)), "")


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value is of a shape, but for what it contains."""
    if isinstance(shape, tuple):
        return any(not misfit(value, each, "it") for each in shape)
    if isinstance(shape, dict | list):
        return False
    if shape is None:
        return value is None
    if isinstance(shape, range):
        return type(value) is int and value in shape
    return isinstance(value, shape) and not isinstance(value, bool)
