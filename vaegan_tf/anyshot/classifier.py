"""Which class is a feature of? A linear softmax classifier."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from vaegan_tf.anyshot.task import Part


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """How the classifier is trained."""

    epochs: int = 30
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    seed: int = 0


class SoftmaxClassifier:
    """Multinomial logistic regression by Adam; one pass at a time.

    Args:
        train: Examples, real or synthetic.
        classes: Numbers of the classes that are learned, ascending.
        real: Real training features, (n, d), by whose mean and deviation all
            are scaled.
        options: How it is trained.

    Reference:
        Xian et al. (2019), section 3.3; Kingma & Ba (2015) with β1 = 0.5, as
        in the released code.
    """

    def __init__(
        self,
        train: Part,
        classes: np.ndarray,
        real: np.ndarray,
        options: ClassifierOptions,
    ):
        self.classes = classes
        self.options = options
        deviation = real.std(axis=0)
        self._unit = np.where(deviation > 0, deviation, 1.0)
        self._center = real.mean(axis=0)
        self._features = tf.constant(self._scaled(train.features))
        self._labels = tf.constant(np.searchsorted(classes, train.labels))
        shape = (train.features.shape[1], len(classes))
        self.kernel = tf.Variable(tf.zeros(shape))
        self.bias = tf.Variable(tf.zeros(shape[1]))
        self._slots = [
            tf.Variable(tf.zeros_like(weight))
            for weight in (self.kernel, self.bias)
            for _ in range(2)
        ]
        self._steps = tf.Variable(0.0)
        self._epoch = tf.function(self._one_epoch, autograph=False)

    def epochs(self) -> Iterator[int]:
        """Trains; yields the number of each epoch when it is done, from 1."""
        order = np.random.default_rng(self.options.seed)
        for number in range(1, self.options.epochs + 1):
            rows = order.permutation(len(self._labels))
            self._epoch(tf.constant(rows))
            yield number

    def fit(self) -> "SoftmaxClassifier":
        """Trains to the last epoch."""
        for _ in self.epochs():
            pass
        return self

    def predict(
        self, features: np.ndarray, among: np.ndarray | None = None
    ) -> np.ndarray:
        """Numbers of the classes, (n,), that features, (n, d), are told as.

        Only classes `among` some are told, if these are given. Of those that
        it has not learned, the first is told where it has learned none.
        """
        among = self.classes if among is None else among
        scores = self._scaled(features) @ self.kernel.numpy()
        scores += self.bias.numpy()
        known = np.full((len(features), len(among)), -np.inf)
        here = np.isin(among, self.classes)
        columns = np.searchsorted(self.classes, among[here])
        known[:, here] = scores[:, columns]
        return among[known.argmax(axis=1)]

    def _scaled(self, features):
        return np.float32((features - self._center) / self._unit)

    def _one_epoch(self, rows):
        size = self.options.batch_size
        count = rows.shape[0] or tf.shape(rows)[0]
        batches = -(-count // size)

        def step(number):
            chosen = rows[number * size : (number + 1) * size]
            self._step(
                tf.gather(self._features, chosen),
                tf.gather(self._labels, chosen),
            )
            return (number + 1,)

        tf.while_loop(
            lambda number: number < batches, step, (0,), parallel_iterations=1
        )

    def _step(self, features, labels):
        weights = [self.kernel, self.bias]
        with tf.GradientTape() as tape:
            logits = features @ self.kernel + self.bias
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels, logits
            )
            penalty = tf.reduce_sum(tf.square(self.kernel))
            loss = tf.reduce_mean(losses) + self.options.weight_decay * penalty
        self._adam(weights, tape.gradient(loss, weights))

    def _adam(self, weights, gradients, beta_1=0.5, beta_2=0.999):
        """One step of Adam; Kingma & Ba (2015), algorithm 1."""
        self._steps.assign_add(1.0)
        correction = tf.sqrt(1.0 - beta_2**self._steps)
        rate = self.options.learning_rate * correction
        rate /= 1.0 - beta_1**self._steps
        for number, (weight, gradient) in enumerate(zip(weights, gradients)):
            first, second = self._slots[2 * number : 2 * number + 2]
            first.assign(beta_1 * first + (1.0 - beta_1) * gradient)
            squared = tf.square(gradient)
            second.assign(beta_2 * second + (1.0 - beta_2) * squared)
            weight.assign_sub(rate * first / (tf.sqrt(second) + 1e-8))
