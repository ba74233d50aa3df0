"""What the machine at hand is and can do."""

import functools
import platform

import tensorflow as tf


def gpus() -> list[tf.config.PhysicalDevice]:
    """The GPUs that TensorFlow sees."""
    return tf.config.list_physical_devices("GPU")


def processor() -> str:
    """The processor's name on Linux; elsewhere its architecture."""
    return _about_cpu().get("model name", platform.machine())


def cpu_flags() -> set[str]:
    """The processor's instruction sets on Linux; empty elsewhere."""
    return set(_about_cpu().get("flags", "").split())


@functools.cache
def _about_cpu() -> dict[str, str]:
    """What Linux says of the first core, by field."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            first, *_ = file.read().split("\n\n")
    except OSError:
        return {}
    fields = [line.partition(":") for line in first.splitlines()]
    return {name.strip(): value.strip() for name, _, value in fields}
