"""Which class is a feature of? A linear softmax classifier."""

import dataclasses
from collections.abc import Iterator

import keras
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
        self.kernel = keras.Variable("zeros", shape)
        self.bias = keras.Variable("zeros", shape[1:])
        self._adam = keras.optimizers.Adam(
            options.learning_rate, beta_1=0.5, epsilon=1e-8
        )
        self._adam.build([self.kernel, self.bias])
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
        kernel, bias = self.kernel.value, self.bias.value
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels, features @ kernel + bias
            )
            penalty = tf.reduce_sum(tf.square(kernel))
            loss = tf.reduce_mean(losses) + self.options.weight_decay * penalty
        self._adam.apply(tape.gradient(loss, [kernel, bias]))
