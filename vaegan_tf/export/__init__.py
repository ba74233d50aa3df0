"""What does a server see? SavedModels."""

from vaegan_tf.export.saved_model import check_target, export_saved_model

__all__ = ["check_target", "export_saved_model"]
