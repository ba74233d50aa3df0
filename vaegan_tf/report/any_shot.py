"""How well do runs tell classes without images, and how well simpler ways?"""

import dataclasses
from collections.abc import Mapping, Sequence

from vaegan_tf.anyshot.evaluation import COLUMNS, HEADINGS
from vaegan_tf.report.records import Record

_PROTOCOLS = ("last", "best_on_test")
HEADS = (*HEADINGS, *[f"{name}, best on test" for name in HEADINGS])


@dataclasses.dataclass(frozen=True)
class AnyShotRow:
    """Scores of a run's model, or of a baseline."""

    record: Record | None  # The run; `None` for a baseline.
    name: str
    cells: tuple[str | None, ...]  # By `HEADS`, in per cent; `None` for none.


def any_shot_rows(records: Sequence[Record]) -> list[AnyShotRow]:
    """Rows of baselines, each once, then of runs of one data set."""
    baselines: dict[tuple, AnyShotRow] = {}
    runs = []
    for record in records:
        for name, found in (record.any_shot or {}).items():
            cells = _cells(found)
            if name == record.title:
                runs.append(AnyShotRow(record, name, cells))
            else:
                row = AnyShotRow(None, name, cells)
                baselines.setdefault((name, cells), row)
    return [*baselines.values(), *runs]


def _cells(
    found: Mapping[str, Mapping[str, float]],
) -> tuple[str | None, ...]:
    return tuple(
        f"{100 * found[protocol][column]:.1f}" if protocol in found else None
        for protocol in _PROTOCOLS
        for column in COLUMNS
    )
