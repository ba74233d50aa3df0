"""Choices that settings, commands and the library have in common."""

CHECKPOINTS = ("latest", "best")
CONVENTIONS = ("tensorflow", "pytorch")  # of resizing images for Inception
FEATURE_SCALES = ("unit", "batch")
KEEP = ("none", "residual")  # of an image that is edited
PATHS = ("linear", "spherical")  # between two codes
SAMPLERS = ("prior", "mixture", "truncated")
SPLITS = ("train", "validation", "test")
VECTORS = ("plain", "balanced", "orthogonal")  # of attributes
