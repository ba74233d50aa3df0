"""VAE/GAN (Larsen et al., 2016) for Keras 3 and TensorFlow.

The names below are imported when they are first used, so that a command's
`--help` does not wait for TensorFlow.
"""

import importlib
from typing import Any

from vaegan_tf.version import __version__

_HOMES = {
    "GAN": "models",
    "VAE": "models",
    "VAEGAN": "models",
    "AttributePredictor": "predictor",
    "Decoder": "networks",
    "Discriminator": "networks",
    "Encoder": "networks",
    "Experiment": "settings",
    "LearnedMetric": "similarity",
    "LearnedMetricVAE": "models",
    "Muon": "training",
    "Run": "runs",
    "create_model": "models",
    "create_sampler": "sampling",
    "export_saved_model": "export",
    "load_dataset": "data",
    "load_model": "runs",
    "load_pretrained": "pretrained",
    "register": "models",
    "train": "training",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vaegan_tf' has no attribute {name!r}")
    module = importlib.import_module(f"vaegan_tf.{_HOMES[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
