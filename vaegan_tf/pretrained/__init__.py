"""What works without training? Published weights."""

from vaegan_tf.pretrained.loading import (
    find_run,
    load_pretrained,
    names,
    pretrained_run,
)
from vaegan_tf.pretrained.publishing import check_target, publish

__all__ = [
    "check_target",
    "find_run",
    "load_pretrained",
    "names",
    "pretrained_run",
    "publish",
]
