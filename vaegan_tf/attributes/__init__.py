"""What do attributes have to do with codes? Vectors, edits, faces to order."""

from vaegan_tf.attributes.kept import attribute_vectors, kept_vectors
from vaegan_tf.attributes.vectors import AttributeVectors, fit_vectors
from vaegan_tf.settings.choices import VECTORS

__all__ = [
    "VECTORS",
    "AttributeVectors",
    "attribute_vectors",
    "fit_vectors",
    "kept_vectors",
]
