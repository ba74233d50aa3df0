"""What does a server see? SavedModels."""

from vaegan_tf.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]
