"""Progress bars that count images, on a terminal only."""

import functools

from tqdm import tqdm

progress = functools.partial(tqdm, unit=" images", disable=None)
