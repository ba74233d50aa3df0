"""What the machine at hand is and can do."""

import functools
import platform

import tensorflow as tf


def gpus():
    """The physical GPUs that TensorFlow sees, a list."""
    return tf.config.list_physical_devices("GPU")


def processor():
    """What Linux calls the processor; elsewhere its architecture."""
    return _about_cpu().get("model name", platform.machine())


def cpu_flags():
    """What Linux says the processor can do, a set; empty elsewhere."""
    return set(_about_cpu().get("flags", "").split())


def has_vectors_of_bfloat16_only():
    """Whether the processor multiplies bfloat16 in vectors, not in tiles."""
    flags = cpu_flags()
    return "avx512_bf16" in flags and "amx_bf16" not in flags


@functools.cache
def _about_cpu():
    """Linux's words on the first core, by field."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            first, *_ = file.read().split("\n\n")
    except OSError:
        return {}
    fields = [line.split(":", 1) for line in first.splitlines()]
    return {
        field[0].strip(): field[1].strip()
        for field in fields
        if len(field) == 2
    }
