"""How well do runs classify without images, and how well baselines?"""

import dataclasses
from collections.abc import Sequence

from vaegan_tf.anyshot.evaluation import cells_of
from vaegan_tf.report.records import Record


@dataclasses.dataclass(frozen=True)
class AnyShotRow:
    """Scores of a run's model, or of a baseline."""

    record: Record | None  # The run; `None` for a baseline.
    name: str
    cells: tuple[str, ...]  # Those of `cells_of`.


def any_shot_rows(records: Sequence[Record]) -> list[AnyShotRow]:
    """Rows of baselines, each once, then of runs of one data set."""
    baselines: dict[tuple, AnyShotRow] = {}
    runs = []
    for record in records:
        for name, found in (record.any_shot or {}).items():
            cells = cells_of(found)
            if name == record.title:
                runs.append(AnyShotRow(record, name, cells))
            else:
                row = AnyShotRow(None, name, cells)
                baselines.setdefault((name, cells), row)
    return [*baselines.values(), *runs]
