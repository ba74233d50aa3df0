"""What is mirrored to Weights & Biases?"""

import os
import pathlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from absl import logging

from vaegan_tf import files
from vaegan_tf.errors import one_line


class Mirror:
    """A Weights & Biases run, or nothing; never raises on its account."""

    def __init__(
        self, folder: pathlib.Path, project: str | None, *options: Any
    ):
        self._run: Any = None
        if project:
            self._attempt(lambda: self._start(folder, project, *options))

    def _start(
        self, folder: pathlib.Path, project: str, name: str | None, config: Any
    ) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")  # its login() too
        import wandb

        run_id = folder / "wandb_run_id"  # the same when the run is resumed
        if not run_id.exists():
            files.write_text(run_id, uuid.uuid4().hex)
        self._wandb = wandb
        self._run = wandb.init(
            project=project,
            name=name or folder.resolve().name,
            config=dict(config or {}),
            dir=os.fspath(folder),
            id=run_id.read_text(encoding="utf-8"),
            resume="allow",
            # No prompt for a key and no endless wait for a network.
            settings={"silent": True, "init_timeout": 20, "login_timeout": 10},
        )

    def log(self, step: int, values: Mapping[str, Any], kind: str) -> None:
        """Logs values, each made an instance of a class of `wandb`, if any."""

        def send() -> None:
            wrap = getattr(self._wandb, kind) if kind else float
            wrapped = {name: wrap(value) for name, value in values.items()}
            self._run.log(wrapped, step=int(step))

        if self._run is not None:
            self._attempt(send)

    def finish(self) -> None:
        """Ends the run there."""
        if self._run is not None:
            self._attempt(lambda: self._run.finish())
            self._run = None

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self._run = None
            logging.info(
                "Not mirroring to Weights & Biases: %s", one_line(error)
            )
