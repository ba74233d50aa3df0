"""What was a run made with? Versions, device and commit."""

import importlib.metadata
import os
import platform
import subprocess

import tensorflow as tf

from vaegan_tf import hardware

PACKAGES = ("vaegan-tf", "tensorflow", "keras", "tensorflow-datasets", "numpy")


def versions() -> dict[str, str | None]:
    """Versions of Python, the system and the packages results depend on."""
    known: dict[str, str | None] = {
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for package in PACKAGES:
        try:
            known[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            known[package] = None
    return known


def device() -> str:
    """Name of the device that a run computes on, as its maker calls it."""
    for gpu in hardware.gpus()[:1]:
        details = tf.config.experimental.get_device_details(gpu)
        return details.get("device_name", "GPU")
    return f"{hardware.processor()}, {os.cpu_count()} cores"


def git_commit() -> str | None:
    """Commit of the checkout this package runs from; `None` elsewhere."""
    # An environment inside another project's checkout is not that project.
    if _git("ls-files", "--error-unmatch", __file__) is None:
        return None
    return _git("describe", "--always", "--dirty")


def _git(*arguments: str) -> str | None:
    """What git says about the folder of this file; `None` if it fails."""
    command = ["git", "-C", os.path.dirname(__file__), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return None if result.returncode else result.stdout.strip()
