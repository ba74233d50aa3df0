"""What does one see of a run in the terminal? A live line, and sparklines."""

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

from absl import logging
from tqdm import tqdm

from vaegan_tf.training.callbacks import Logs, RunCallback, json_lines

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 32  # of a sparkline
_MOST_TERMS = 3  # in the live line
_FORMAT = (
    "{percentage:3.0f} %|{bar:16}| step {n_fmt} of {total_fmt}, "
    "{remaining} left{postfix}"
)
# Beginnings of the names of scores in `metrics.jsonl`.
_SCORES = ("validation/", "evaluation/")


@dataclasses.dataclass(eq=False, repr=False)
class LiveLine(RunCallback):
    """Shows how far a run is, how fast, and its first terms.

    The line is drawn anew on a terminal; elsewhere nothing is written. What is
    logged meanwhile stands above it.
    """

    batch_size: int
    _bar: Any = dataclasses.field(default=None, init=False)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begins the line."""
        self._bar = tqdm(
            total=self.last_step,
            initial=self.step,
            bar_format=_FORMAT,
            disable=None,
            dynamic_ncols=True,
            leave=False,
        )
        logging.get_absl_handler().addFilter(self._clear)
        super().on_train_begin(logs)

    def rewind(self, step: int) -> None:
        """Goes back to a step."""
        self._bar.n = step

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Draws the line, at most ten times a second."""
        if self._bar.disable:
            return
        words = self.terms_in(logs)[:_MOST_TERMS]
        if rate := self._bar.format_dict["rate"]:
            words.insert(0, f"{rate * self.batch_size:.1f} images/s")
        self._bar.set_postfix_str(", ".join(words), refresh=False)
        self._bar.update(self.step - self._bar.n)

    def on_train_end(self, logs: Logs = None) -> None:
        """Takes the line away."""
        self.close()

    def close(self) -> None:
        """Takes the line away, if there is one."""
        if self._bar is not None:
            logging.get_absl_handler().removeFilter(self._clear)
            self._bar.close()
            self._bar = None

    def _clear(self, record: Any) -> bool:
        """Makes room for what is logged; the next step draws the line again."""
        self._bar.clear()
        return True


def sparkline(values: Sequence[float], width: int = _WIDTH) -> str:
    """Numbers as a row of blocks, from the lowest to the highest.

    Of more than `width` numbers, as many are shown, evenly spaced, the first
    and the last among them. Where a number is not finite there is a gap.
    """
    last = len(values) - 1
    shown = min(len(values), width)
    places = [round(i * last / max(shown - 1, 1)) for i in range(shown)]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    step = (high - low) / (len(_BLOCKS) - 1)
    return "".join(
        " "
        if not math.isfinite(value)
        else _BLOCKS[round((value - low) / step) if step else 0]
        for value in (values[place] for place in places)
    )


def score_history(path: str | os.PathLike) -> str:
    """Scores of a run over its steps: a sparkline each, first and last value.

    Args:
        path: The run's `metrics.jsonl`.

    Returns:
        Lines of text; empty if there are not two values of any score.
    """
    history: dict[str, list[float]] = {}
    for _, values in json_lines(path) if os.path.exists(path) else ():
        for name, value in values.items():
            if name.startswith(_SCORES) and isinstance(value, int | float):
                history.setdefault(name, []).append(value)
    history = {k: values for k, values in history.items() if len(values) > 1}
    wide = max(map(len, history), default=0)
    return "\n".join(
        f"{name:{wide}}  {sparkline(values)}  {values[0]:.4g} to "
        f"{values[-1]:.4g}"
        for name, values in history.items()
    )
