"""What the machine at hand is and can do."""

import functools
import platform

import tensorflow as tf

_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def gpus() -> list[tf.config.PhysicalDevice]:
    """The GPUs that TensorFlow sees."""
    return tf.config.list_physical_devices("GPU")


def processor() -> str:
    """The processor's name on Linux; elsewhere its architecture."""
    return _about_cpu().get("model name", platform.machine())


def cpu_flags() -> set[str]:
    """The processor's instruction sets on Linux; empty elsewhere."""
    return set(_about_cpu().get("flags", "").split())


def free_memory_bytes() -> int | None:
    """Memory that this process may still take on Linux; `None` elsewhere.

    A container's limit counts, what it has used being unknown.
    """
    free = _number_in("/proc/meminfo", "MemAvailable:")
    limits = [_number_in(path) for path in _LIMITS]
    known = [limit for limit in limits if limit is not None]
    if free is not None:
        known.append(free * 1024)
    return min(known, default=None)


def _number_in(path: str, name: str = "") -> int | None:
    """The first number in a line of a file that begins with a name."""
    try:
        with open(path, encoding="utf-8") as file:
            line = next(line for line in file if line.startswith(name))
        return int(line.removeprefix(name).split()[0])
    except (OSError, ValueError, StopIteration):  # "max": without a limit.
        return None


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
