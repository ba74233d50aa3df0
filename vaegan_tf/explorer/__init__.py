"""What can one try of trained models in a browser? A page on this machine."""

from vaegan_tf.explorer.server import create_server
from vaegan_tf.explorer.subject import Subject

__all__ = ["Subject", "create_server"]
