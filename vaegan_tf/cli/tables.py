"""What the commands that compute numbers share: tables, shown and written."""

import csv
import io
import json
import pathlib

SUFFIXES = (".json", ".csv")


def check_output(path):
    """Refuses a file that could not be written, before anything is computed.

    Raises:
        ValueError: If it is neither JSON nor CSV.
    """
    if path is not None and pathlib.Path(path).suffix not in SUFFIXES:
        raise ValueError(
            f"--output must end in {' or '.join(SUFFIXES)}. Received: {path}"
        )


def text(rows, shown=20):
    """Rows as aligned lines of text, below their names.

    Args:
        rows: Dicts of the same keys, one at least.
        shown: How many rows to show; a line says how many more there are.
    """
    cells = [list(rows[0])]
    cells += [[_cell(value) for value in r.values()] for r in rows[:shown]]
    widths = [max(len(cell) for cell in column) for column in zip(*cells)]
    numeric = [isinstance(value, float) for value in rows[0].values()]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric)
        ).rstrip()
        for line in cells
    ]
    if len(rows) > shown:
        lines.append(f"... and {len(rows) - shown:,} more")
    return "".join(line + "\n" for line in lines)


def write(path, rows, **others):
    """Writes rows as CSV, or as JSON with others beside them.

    Args:
        path: The file; its folder is made if missing.
        rows: Dicts of the same keys, one at least.
        **others: What JSON holds besides `rows`.
    """
    from vaegan_tf.training.runs import write_text

    path = pathlib.Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        content = json.dumps({**others, "rows": rows}, indent=2) + "\n"
    else:
        lines = io.StringIO()
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        content = lines.getvalue()
    write_text(path, content)


def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
