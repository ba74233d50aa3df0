"""What does a server, a telephone or a browser see? Exports of models."""

from vaegan_tf.export.portable import export_litert, export_onnx
from vaegan_tf.export.saved_model import export_saved_model, served_ability
from vaegan_tf.export.targets import FORMATS, check_target
from vaegan_tf.export.web import export_web

__all__ = [
    "FORMATS",
    "check_target",
    "export_litert",
    "export_onnx",
    "export_saved_model",
    "export_web",
    "served_ability",
]
