"""Which number format networks compute in."""

import contextlib

import keras
import tensorflow as tf

from vaegan_tf import hardware

PRECISIONS = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


def resolve_precision(precision):
    """Chooses a format: bfloat16 where the hardware computes it fast.

    Latent codes, losses and batch statistics stay in float32 in any case.

    Args:
        precision: `"auto"`, or a key of `PRECISIONS`.

    Returns:
        `(key of PRECISIONS, the reason in words)`.

    Raises:
        ValueError: If `precision` is neither.
    """
    if precision in PRECISIONS:
        return precision, "as asked for"
    if precision != "auto":
        raise ValueError(
            f"`precision` must be 'auto' or one of {sorted(PRECISIONS)}. "
            f"Received: precision={precision!r}."
        )
    gpus = hardware.gpus()
    if gpus:
        return _precision_of_gpus(gpus)
    return _precision_of_cpu(hardware.cpu_flags())


def set_precision(precision):
    """Makes Keras build networks in a format; returns it with its reason."""
    precision, reason = resolve_precision(precision)
    keras.mixed_precision.set_dtype_policy(PRECISIONS[precision])
    return precision, reason


@contextlib.contextmanager
def float32():
    """Makes Keras build networks in float32 for a while."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _precision_of_gpus(gpus):
    capabilities = [
        tf.config.experimental.get_device_details(gpu).get(
            "compute_capability", (0, 0)
        )
        for gpu in gpus
    ]
    lowest = ".".join(str(part) for part in min(capabilities))
    if min(capabilities) >= (8, 0):
        return "bfloat16", f"GPU of compute capability {lowest} (8.0 or later)"
    return "float32", f"GPU of compute capability {lowest} (before 8.0)"


def _precision_of_cpu(flags):
    for flag in ("amx_bf16", "avx512_bf16"):
        if flag in flags:
            return "bfloat16", f"the processor has {flag}"
    return "float32", "the processor has no fast bfloat16"
