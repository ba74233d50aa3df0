"""A warning when a worker has waited for long."""

import threading
import time
from types import TracebackType
from typing import Self

from absl import logging

FIRST_SECONDS = 60.0


class Patience:
    """Warns while nothing moves: after a minute, then after twice as long.

    Workers compute every step together. One that is halted but alive keeps
    the others waiting, and no error ever comes.

    Args:
        who: What waits, the beginning of the warning.
    """

    def __init__(self, who: str):
        self.who = who
        self._last = time.monotonic()
        self._limit = FIRST_SECONDS
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def moved(self) -> None:
        """Something has moved: the minute begins anew."""
        self._last, self._limit = time.monotonic(), FIRST_SECONDS

    def check(self, now: float) -> None:
        """Warns if it is time, in seconds of `time.monotonic`."""
        still = now - self._last
        if still >= self._limit:
            self._limit *= 2
            logging.warning(
                "%s has waited for %d s. Unless the chief prepares data or "
                "evaluates, a worker may be halted: see their logs, and start "
                "all of them again if one hangs.",
                self.who,
                still,
            )

    def __enter__(self) -> Self:
        self.moved()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(FIRST_SECONDS / 4):
            self.check(time.monotonic())
