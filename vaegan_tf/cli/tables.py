"""How does a command show rows of numbers?"""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def table(rows: Sequence[Row], shown: int = 20) -> str:
    """Rows of the same keys as aligned lines of text, below their names.

    Args:
        rows: The rows, one at least.
        shown: How many rows to show; a line says how many more there are.
    """
    columns = []
    for name, value in rows[0].items():
        kind = ".4g" if isinstance(value, float) else ""
        cells = [name, *[format(row[name], kind) for row in rows[:shown]]]
        align = f"{'>' if kind else '<'}{max(map(len, cells))}"
        columns.append([format(cell, align) for cell in cells])
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns)]
    if len(rows) > shown:
        lines.append(f"... and {len(rows) - shown:,} more")
    return "".join(line + "\n" for line in lines)
