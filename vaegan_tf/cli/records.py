"""What a command has found out of a run, kept beside its weights."""

import pathlib
from typing import TYPE_CHECKING, Any

from vaegan_tf import files
from vaegan_tf.cli import app

if TYPE_CHECKING:
    from vaegan_tf.runs import Run


def keep(run: "Run", path: pathlib.Path, record: dict[str, Any]) -> None:
    """Writes a record into a run's folder; says where, or why not.

    Published weights stay as they are.
    """
    if run.is_published:
        app.show("Nothing is written to published weights.\n")
        return
    files.write_json(path, record)
    app.show(f"Written to {path}.\n")
