"""How is a run stopped? SIGTERM and Ctrl-C, heeded between two steps."""

import signal
from types import FrameType
from typing import Any, Self

from absl import logging


class StopSignals:
    """Notes SIGTERM or Ctrl-C within a block, instead of ending the process.

    Only the first one is noted: a second does what it would do elsewhere.

    Attributes:
        received: The signal that was noted, if one was.
    """

    received: signal.Signals | None = None

    @property
    def exit_status(self) -> int:
        """What a shell expects of a command that a signal has stopped.

        128 + the number of the signal; of a worker that stops because another
        one was asked to, that of SIGTERM.
        """
        return 128 + (self.received or signal.SIGTERM)

    def __enter__(self) -> Self:
        self._handlers = {
            number: signal.signal(number, self._note)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def __exit__(self, *error: Any) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        signal.signal(number, self._handlers[self.received])
        logging.info(
            "%s: a checkpoint is written after this step.", self.received.name
        )
