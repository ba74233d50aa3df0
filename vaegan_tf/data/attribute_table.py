"""Tables with one row per image: attributes, partitions."""

import csv
import dataclasses
import io
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Numbers (columns,) by the name of the image."""

    source: str  # Name of the file, for messages.
    columns: tuple[str, ...]
    rows: dict[str, np.ndarray]

    def check_matches(self, images: Iterable[str]) -> None:
        """Raises a ValueError unless each image has one row."""
        unmatched = {
            "rows without an image": sorted(self.rows.keys() - set(images)),
            "images without a row": sorted(set(images) - self.rows.keys()),
        }
        parts = [
            f"{len(names)} {what} ({_first(names)})"
            for what, names in unmatched.items()
            if names
        ]
        if parts:
            raise ValueError(
                f"{self.source} must have one row for each image. "
                f"Received: {' and '.join(parts)}."
            )

    def row(self, image: str) -> dict[str, np.float32]:
        """The numbers of one image by column."""
        return dict(zip(self.columns, self.rows[image]))

    def as_flags(self) -> "Table":
        """The table with −1 replaced by 0 where a column is of −1 and 1."""
        values = np.stack(list(self.rows.values()))
        signs = np.all(np.abs(values) == 1, axis=0)
        flags = np.where(signs, values > 0, values).astype(np.float32)
        return dataclasses.replace(self, rows=dict(zip(self.rows, flags)))


def decoded(source: str, content: bytes) -> str:
    """The text in a file; ValueError, which names it, if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source} must be text in UTF-8: save it as such. Received: byte "
            f"{content[error.start]:#04x} at position {error.start:,}."
        ) from error


def read_csv(source: str, text: str) -> Table:
    """Reads a table with a header; the first column names the image.

    `source` is the name of the file, for messages. A row that does not fit the
    header or is not of numbers is refused by a ValueError.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise ValueError(
            f"{source} must be a table in CSV. Received: line "
            f"{reader.line_num}, of which is said: {error}."
        ) from error
    if len(lines) < 2 or len(lines[0]) < 2:
        raise ValueError(
            f"{source} must have a header, two columns at least, and rows. "
            f"Received: {len(lines)} lines."
        )
    columns = tuple(name.strip() for name in lines[0][1:])
    return _parse(source, columns, lines[1:], first_line=2)


def read_celeba_list(source: str, text: str) -> Table:
    """Reads a list of CelebA, separated by blanks; else as `read_csv`.

    The list of attributes begins with the number of rows and the names of the
    columns, the partition with the first row.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) > 2 and len(lines[0]) == 1:
        return _parse(source, tuple(lines[1]), lines[2:], first_line=3)
    width = len(lines[0]) - 1 if lines else 0
    columns = tuple(f"column_{number}" for number in range(1, width + 1))
    return _parse(source, columns, lines, first_line=1)


def _parse(source, columns, lines, first_line):
    if not all(columns):
        raise ValueError(f"{source} must name each column; one has no name.")
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(
            f"{source} must name each column once. "
            f"Received: {_first(repeated)} more than once."
        )
    rows = {}
    for number, (title, *values) in enumerate(lines, start=first_line):
        name = title.strip()
        if len(values) != len(columns) or name in rows:
            raise ValueError(
                f"{source} must have {len(columns)} values in each row, and "
                "one row for each image. Received: line "
                f"{number} for {name[:60]} with {len(values)} values"
                f"{', the second for it' if name in rows else ''}."
            )
        rows[name] = _numbers(values)
        if not np.all(np.isfinite(rows[name])):
            raise ValueError(
                f"{source} must hold finite numbers. "
                f"Received: line {number} with {','.join(values)[:60]!r}."
            )
    return Table(source, columns, rows)


def _numbers(values):
    try:
        with np.errstate(over="ignore"):
            return np.array(values, np.float32)
    except ValueError:
        return np.full(len(values), np.nan, np.float32)


def _first(names, count=3):
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
