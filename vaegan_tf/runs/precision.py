"""Which number format networks compute in."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from vaegan_tf import hardware
from vaegan_tf.settings import check

PRECISIONS = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


def resolve_precision(precision: str) -> tuple[str, str]:
    """Chooses a format: for `"auto"` bfloat16 where the hardware has it fast.

    Latent codes, losses and batch statistics stay in float32 in any case.

    Returns:
        `(key of PRECISIONS, the reason in words)`.
    """
    check("precision", precision, choices=["auto", *PRECISIONS])
    if precision != "auto":
        return precision, "as asked for"
    if hardware.gpus():
        lowest = min(map(_compute_capability, hardware.gpus()))
        name = "GPU of compute capability {}.{}".format(*lowest)
        if lowest >= (8, 0):
            return "bfloat16", f"{name} (8.0 or later)"
        return "float32", f"{name} (before 8.0)"
    for flag in ("amx_bf16", "avx512_bf16"):
        if flag in hardware.cpu_flags():
            return "bfloat16", f"the processor has {flag}"
    return "float32", "the processor has no fast bfloat16"


def _compute_capability(gpu: tf.config.PhysicalDevice) -> tuple[int, int]:
    details = tf.config.experimental.get_device_details(gpu)
    return details.get("compute_capability", (0, 0))


def set_precision(precision: str) -> tuple[str, str]:
    """Makes Keras build networks in a format; returns it with its reason."""
    precision, reason = resolve_precision(precision)
    keras.mixed_precision.set_dtype_policy(PRECISIONS[precision])
    return precision, reason


@contextlib.contextmanager
def float32() -> Iterator[None]:
    """Makes Keras build networks in float32 for a while."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
