"""What does a linear map from features to attributes recognise? ESZSL."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from vaegan_tf.anyshot.task import Task

WEIGHTS = tuple(10.0**power for power in range(-6, 4))


@dataclasses.dataclass(frozen=True, eq=False)
class ESZSL:
    """A bilinear compatibility of features and attributes, in closed form.

    V = (XᵀX + γI)⁻¹ XᵀYS (SᵀS + λI)⁻¹, with examples in rows of X, seen
    classes' attributes in rows of S, and Y of 1 for an example's class and −1
    for the others. The class of greatest x V sᵀ is told.

    Args:
        kernel: V, (d, a).
        center: What is taken off features, (d,).
        unit: What they are divided by then.
        class_attributes: Those of all classes, (classes, a).

    Reference:
        Romera-Paredes & Torr (2015), "An embarrassingly simple approach to
        zero-shot learning", section 3.2.
    """

    kernel: np.ndarray
    center: np.ndarray
    unit: float
    class_attributes: np.ndarray

    def predict(self, features: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Numbers of the classes, among some, that features are told as."""
        scores = ((features - self.center) / self.unit) @ self.kernel
        scores = scores @ self.class_attributes[classes].T
        return classes[scores.argmax(axis=1)]


def fit_eszsl(
    task: Task, feature_weight: float, attribute_weight: float
) -> ESZSL:
    """The ESZSL of a task's training examples.

    Features are centred at their mean and divided by their root mean squared
    length, so that weights mean the same for features of any unit and width.

    Args:
        task: The task.
        feature_weight: γ over the number of examples, above 0.
        attribute_weight: λ, above 0.
    """
    return _Sums(task).solve(feature_weight, attribute_weight)


def choose_eszsl(
    validation: Task, weights: Sequence[float] = WEIGHTS
) -> tuple[float, float]:
    """The weights γ and λ of the greatest T1 on validation classes."""
    # Imported here: the protocol fits this baseline.
    from vaegan_tf.anyshot.protocol import mean_class_accuracy

    sums, novel = _Sums(validation), validation.test_novel
    scores = {}
    for pair in itertools.product(weights, weights):
        told = sums.solve(*pair).predict(novel.features, validation.novel)
        scores[pair] = mean_class_accuracy(novel.labels, told)
    return max(scores, key=scores.__getitem__)


class _Sums:
    """Sums over examples that do not depend on the weights."""

    def __init__(self, task: Task):
        train = task.train
        features = train.features.astype(np.float64)
        self.center = features.mean(axis=0)
        features -= self.center
        self.unit = float(np.sqrt(np.mean(np.sum(features**2, axis=1))))
        features /= self.unit
        classes = np.unique(train.labels)
        self.attributes = task.class_attributes[classes].astype(np.float64)
        self.all_attributes = task.class_attributes
        targets = np.where(train.labels[:, None] == classes, 1.0, -1.0)
        self.count = len(train)
        self.products = features.T @ features
        self.mixed = features.T @ targets @ self.attributes

    def solve(self, feature_weight: float, attribute_weight: float) -> ESZSL:
        width, count = self.mixed.shape
        left = self.products + self.count * feature_weight * np.eye(width)
        right = self.attributes.T @ self.attributes
        right += attribute_weight * np.eye(count)
        kernel = np.linalg.solve(left, self.mixed)
        kernel = np.linalg.solve(right, kernel.T).T
        return ESZSL(kernel, self.center, self.unit, self.all_attributes)
