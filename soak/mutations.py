"""Valid files made invalid, at random."""

import json
import random
from typing import Any

_NUMBERS = (b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80")
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\x1b[2J\u202e",
    "../../../outside/owned",
    "/",
    "gs://bucket/x",
    "9" * 5000,
    [],
    {},
    [[[[[[]]]]]],
    ["x"],
    {"x": None},
)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The content with one to five changes."""
    for _ in range(rng.randint(1, 5)):
        change = rng.choice(_CHANGES)
        content = change(content, rng)
    return content


def mutated_json(content: bytes, rng: random.Random) -> bytes:
    """As `mutated`, or whole JSON with some values or names exchanged."""
    if rng.random() < 0.3:
        return mutated(content, rng)
    lines = content.decode().splitlines() if b"}\n{" in content else None
    parts = [json.loads(text) for text in lines or [content.decode()]]
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(parts))
        parts[place] = _exchanged(parts[place], rng)
    return "\n".join(json.dumps(part) for part in parts).encode() + b"\n"


def _exchanged(value, rng):
    """JSON in which one value is another."""
    if not value or not isinstance(value, dict | list) or rng.random() < 0.1:
        return rng.choice(_VALUES)
    if isinstance(value, list):
        place = rng.randrange(len(value))
        return [
            _exchanged(item, rng) if n == place else item
            for n, item in enumerate(value)
        ]
    key = rng.choice(sorted(value))
    if rng.random() < 0.15:
        return {k: v for k, v in value.items() if k != key}
    return {**value, key: _exchanged(value[key], rng)}


def _cut(content, rng):
    return content[: rng.randrange(len(content) + 1)]


def _flip(content, rng):
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert(content, rng):
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(_NUMBERS) + content[place:]


def _overwrite(content, rng):
    place, new = rng.randrange(len(content) + 1), rng.choice(_NUMBERS)
    return content[:place] + new + content[place + len(new) :]


def _drop(content, rng):
    place = rng.randrange(len(content) + 1)
    return content[:place] + content[place + rng.randint(1, 64) :]


def _repeat(content, rng):
    place = rng.randrange(len(content) + 1)
    part = content[place : place + rng.randint(1, 64)]
    return content[:place] + part * rng.randint(2, 20) + content[place:]


_CHANGES = (_cut, _flip, _insert, _overwrite, _drop, _repeat)
