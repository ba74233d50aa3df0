"""How well are classes told of which there are few examples, or none?"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vaegan_tf.anyshot.classifier import ClassifierOptions, SoftmaxClassifier
from vaegan_tf.anyshot.task import Part, Task

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]
Draw = Callable[[tf.Tensor, Any], tf.Tensor]
BATCH_SIZE = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Shares of right answers, each a mean over classes.

    Args:
        t1: Of novel examples, told among novel classes.
        u: Of novel examples, told among all classes.
        s: Of seen examples, told among all classes.
    """

    t1: float
    u: float
    s: float

    @property
    def h(self) -> float:
        """Harmonic mean of u and s; 0 if both are.

        Reference:
            Xian et al. (2018), eq. 14.
        """
        total = self.u + self.s
        return 2.0 * self.u * self.s / total if total else 0.0

    def as_dict(self) -> dict[str, float]:
        """The scores by name, h included."""
        return {**dataclasses.asdict(self), "h": self.h}


def mean_class_accuracy(labels: np.ndarray, told: np.ndarray) -> float:
    """Mean over the classes of `labels` of the share that is told right.

    Reference:
        Xian et al. (2018), eq. 13.
    """
    classes = np.unique(labels)
    return float(np.mean([np.mean(told[labels == c] == c) for c in classes]))


def score(task: Task, predict: Predict) -> Scores:
    """Scores of what tells classes.

    Args:
        task: The task.
        predict: From features, (n, d), and the numbers of the classes that
            may be told, to the numbers of those that are, (n,).
    """
    novel, seen = task.test_novel, task.test_seen

    def accuracy(part: Part, classes: np.ndarray) -> float:
        return mean_class_accuracy(part.labels, predict(part.features, classes))

    return Scores(
        t1=accuracy(novel, task.novel),
        u=accuracy(novel, task.classes),
        s=accuracy(seen, task.classes),
    )


def synthesize(draw: Draw, task: Task, per_class: int, seed: int = 0) -> Part:
    """So many features of each novel class that a generator draws.

    Args:
        draw: From attributes, (n, a), and a seed to features, (n, d).
        task: The task.
        per_class: Features of each class.
        seed: Seed of their codes.
    """
    labels = np.repeat(task.novel, per_class)
    attributes = task.class_attributes[labels].astype(np.float32)
    drawn = []
    for number, start in enumerate(range(0, len(labels), BATCH_SIZE)):
        batch = tf.constant(attributes[start : start + BATCH_SIZE])
        drawn.append(draw(batch, tf.constant([seed, number], tf.int32)))
    return Part(np.concatenate(drawn), labels)


def epoch_scores(
    task: Task,
    for_novel: Part,
    beside_seen: Part,
    options: ClassifierOptions,
) -> list[Scores]:
    """Scores of softmax classifiers of synthetic features after each epoch.

    Args:
        task: The task.
        for_novel: Synthetic features from which, beside the shots if there are
            any, the classifier of T1 learns the novel classes.
        beside_seen: Those from which, beside all training examples, that of u
            and s learns all classes.
        options: How both are trained.
    """
    seen, novel = task.test_seen, task.test_novel
    train = joined(task.train.of_classes(task.novel), for_novel)
    among_novel = _accuracies(task, train, task.novel, options, novel)
    train = joined(task.train, beside_seen)
    among_all = _accuracies(task, train, task.classes, options, novel, seen)
    return [
        Scores(t1=t1, u=u, s=s) for (t1,), (u, s) in zip(among_novel, among_all)
    ]


def best_of(scores: Sequence[Scores]) -> Scores:
    """The greatest T1, and u and s of the greatest H."""
    pair = max(scores, key=lambda each: each.h)
    return Scores(t1=max(each.t1 for each in scores), u=pair.u, s=pair.s)


def softmax_on_seen(task: Task, options: ClassifierOptions) -> Scores:
    """Scores of a softmax classifier of labelled examples alone.

    Without shots it can tell seen classes only: u is 0, and T1 chance, the
    first novel class being told of every example.
    """
    train = task.train
    classifier = SoftmaxClassifier(
        train, np.unique(train.labels), train.features, options
    ).fit()
    return score(task, classifier.predict)


def repeated(part: Part, per_class: int) -> Part:
    """The examples of each class over and over, so many of each."""
    classes = np.unique(part.labels)
    rows = [np.flatnonzero(part.labels == label) for label in classes]
    return part.at(np.concatenate([np.resize(own, per_class) for own in rows]))


def joined(*parts: Part) -> Part:
    """The examples of several parts."""
    return Part(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )


def _accuracies(
    task: Task,
    train: Part,
    classes: np.ndarray,
    options: ClassifierOptions,
    *parts: Part,
) -> Iterator[list[float]]:
    """Those of a classifier on some parts after each of its epochs."""
    classifier = SoftmaxClassifier(train, classes, task.train.features, options)
    for _ in classifier.epochs():
        yield [
            mean_class_accuracy(part.labels, classifier.predict(part.features))
            for part in parts
        ]
