"""How does a function become a signature?"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Functions of keyword arguments by the names of their signatures.
Endpoints = dict[str, Any]
COUNT = tf.TensorSpec((), tf.int32, "count")
SEED = tf.TensorSpec((2,), tf.int32, "seed")


def traced(function: Callable, *specs: tf.TensorSpec) -> Any:
    """A function of keyword arguments that returns a dict, traced."""
    graph = tf.function(lambda **inputs: function(**inputs), autograph=False)
    return graph.get_concrete_function(**{spec.name: spec for spec in specs})
