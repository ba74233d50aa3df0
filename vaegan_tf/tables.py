"""How are rows of text shown? In columns."""

from collections.abc import Collection, Sequence
from typing import Any

Row = dict[str, Any]


def aligned(
    rows: Sequence[Sequence[str]], left: Collection[int] = (0,)
) -> list[str]:
    """Lines of cells below each other, two spaces apart.

    Columns at the places `left` are aligned to the left, all others, such as
    numbers, to the right.
    """
    columns = []
    for place, cells in enumerate(zip(*rows)):
        pad = str.ljust if place in left else str.rjust
        width = max(map(len, cells))
        columns.append([pad(cell, width) for cell in cells])
    return ["  ".join(cells).rstrip() for cells in zip(*columns)]


def table(rows: Sequence[Row], shown: int = 20) -> str:
    """Rows of the same keys as aligned lines of text, below their names.

    Args:
        rows: The rows, one at least.
        shown: How many rows to show; a line says how many more there are.
    """
    cells = [
        [f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()]
        for row in rows[:shown]
    ]
    first = enumerate(rows[0].values())
    left = [n for n, value in first if not isinstance(value, float)]
    lines = aligned([list(rows[0]), *cells], left)
    if len(rows) > shown:
        lines.append(f"... and {len(rows) - shown:,} more")
    return "".join(line + "\n" for line in lines)
