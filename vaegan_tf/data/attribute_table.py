"""Lists of one row per image: attributes, partitions."""

import csv
import dataclasses
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Numbers by image and column.

    Args:
        source: Name of the file, for messages.
        columns: Names of the columns.
        rows: Numbers (columns,) by the name of the image.
    """

    source: str
    columns: tuple[str, ...]
    rows: dict[str, np.ndarray]

    def check_matches(self, images: Iterable[str]) -> None:
        """Refuse rows without an image and images without a row.

        Raises:
            ValueError: If there are such.
        """
        images = set(images)
        without_image = sorted(self.rows.keys() - images)
        without_row = sorted(images - self.rows.keys())
        if without_image or without_row:
            parts = [
                f"{len(names)} {what} ({_first(names)})"
                for names, what in (
                    (without_image, "rows without an image"),
                    (without_row, "images without a row"),
                )
                if names
            ]
            raise ValueError(
                f"{self.source} must have one row for each image. "
                f"Received: {' and '.join(parts)}."
            )

    def as_flags(self) -> "Table":
        """The table with −1 replaced by 0 where a column is of −1 and 1."""
        values = np.stack(list(self.rows.values()))
        signs = np.all(np.abs(values) == 1, axis=0)
        flags = np.where(signs, values > 0, values).astype(np.float32)
        rows = dict(zip(self.rows, flags))
        return dataclasses.replace(self, rows=rows)


def read_csv(source: str, text: str) -> Table:
    """Read a table with a header; the first column names the image.

    Args:
        source: Name of the file, for messages.
        text: Content of the file.

    Raises:
        ValueError: If a row does not fit the header or is not of numbers.
    """
    lines = [line for line in csv.reader(text.splitlines()) if line]
    if len(lines) < 2 or len(lines[0]) < 2:
        raise ValueError(
            f"{source} must have a header, two columns at least, and rows. "
            f"Received: {len(lines)} lines."
        )
    columns = tuple(name.strip() for name in lines[0][1:])
    return _parse(source, columns, lines[1:], first_line=2)


def read_celeba_list(source: str, text: str) -> Table:
    """Read a list of CelebA: words between blanks.

    The list of attributes begins with the number of rows and the names of the
    columns, the partition with the first row.

    Args:
        source: Name of the file, for messages.
        text: Content of the file.

    Raises:
        ValueError: If a row does not fit the header or is not of numbers.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) > 2 and len(lines[0]) == 1:
        return _parse(source, tuple(lines[1]), lines[2:], first_line=3)
    width = len(lines[0]) - 1 if lines else 0
    columns = tuple(f"column_{number}" for number in range(1, width + 1))
    return _parse(source, columns, lines, first_line=1)


def _parse(source, columns, lines, first_line):
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(
            f"{source} must name each column once. "
            f"Received: {_first(repeated)} more than once."
        )
    rows = {}
    for number, (name, *values) in enumerate(lines, start=first_line):
        if len(values) != len(columns) or name in rows:
            raise ValueError(
                f"{source} must have {len(columns)} values in each row, and "
                f"one row for each image. Received: line {number} for {name} "
                f"with {len(values)} values"
                f"{', the second for it' if name in rows else ''}."
            )
        rows[name.strip()] = _numbers(source, number, values)
    return Table(source, columns, rows)


def _numbers(source, number, values):
    try:
        row = np.array(values, np.float32)
    except ValueError as error:
        raise ValueError(
            f"{source} must hold numbers. Received: line {number} with "
            f"{','.join(values)[:60]!r}."
        ) from error
    if not np.all(np.isfinite(row)):
        raise ValueError(
            f"{source} must hold finite numbers. Received: line {number} with "
            f"{','.join(values)[:60]!r}."
        )
    return row


def _first(names, count=3):
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
