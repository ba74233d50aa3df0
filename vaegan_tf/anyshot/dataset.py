"""What does a batch of features look like? A function of (seed, step)."""

import dataclasses
import functools
import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from vaegan_tf.anyshot.avatars import read_avatars_anyshot
from vaegan_tf.anyshot.eszsl import choose_eszsl, fit_eszsl
from vaegan_tf.anyshot.features import FeatureTable
from vaegan_tf.anyshot.task import Part, Task, create_task
from vaegan_tf.anyshot.xlsa17 import read_xlsa17
from vaegan_tf.data.augmentation import Rows
from vaegan_tf.data.order import Stream, in_order, shuffled_indices
from vaegan_tf.settings import check
from vaegan_tf.settings.anyshot import PRIORS

# Streams of the same seed that are independent of each other, and of the order
# of examples.
_CLASSES, _NOVEL = 3, 4


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureDataset(Stream):
    """Features of a task in batches, as `ImageDataset` has images.

    Args:
        table: All features.
        task: Those of them that may be used, and for what.
        novel_prior: Shares of the novel classes, (novel,), if features of
            novel classes without labels belong to a batch.
        class_balanced: Whether classes of a batch are drawn uniformly.
    """

    table: FeatureTable
    task: Task
    novel_prior: np.ndarray | None = None
    class_balanced: bool = False

    @property
    def name(self) -> str:
        """What the data set is called."""
        return self.table.name

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The attributes have numbers for names."""
        count = self.task.class_attributes.shape[1]
        return tuple(f"attribute {number + 1}" for number in range(count))

    @property
    def splits(self) -> Mapping[str, Part]:
        """Examples of seen classes: `train`, and others to watch a run on."""
        return {"train": self.task.train, "validation": self.task.test_seen}

    @property
    def contents(self) -> dict[str, str]:
        """What each split holds, to recognise it."""
        return {
            name: f"{len(part):,} features, {self.table.digest}"
            for name, part in self.splits.items()
        }

    def load(self, split: str) -> None:
        """Makes the tensors of all splits."""
        _ = self._tensors

    def part_of_batch(
        self, split: str, step: tf.Tensor, rows: Rows, seed: int
    ) -> dict[str, tf.Tensor]:
        """As in every `Stream`; batches are shuffled, or balanced.

        Returns:
            `feature`, (batch, d), and `attributes`, (batch, a), of its class;
            with a prior of novel classes `novel_feature`, (batch, d), and
            `novel_attributes`, (batch, a), of classes drawn by the prior:
            those of the features are not known. All are float32.
        """
        chosen = rows.of(self._rows(split, step, rows.total, seed))
        return self._examples(split, chosen) | self._novel(step, rows, seed)

    def batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        """Examples of a split as from `train_batches`, each once, in order."""
        self.load(split)

        def batch_of(indices):
            size = tf.shape(indices)[0]
            novel = self._novel(indices[0], Rows(0, size, size), 0)
            return self._examples(split, indices) | novel

        rows = tf.data.Dataset.range(len(self.splits[split]))
        return in_order(rows.batch(batch_size), batch_of)

    @functools.cached_property
    def _tensors(self) -> dict[str, tf.Tensor]:
        task = self.task
        arrays = {
            "train": task.train.features,
            "train_labels": task.train.labels,
            "validation": task.test_seen.features,
            "validation_labels": task.test_seen.labels,
            "novel": task.test_novel.features,
            "attributes": task.class_attributes.astype(np.float32),
        }
        with tf.device("CPU:0"):
            return {name: tf.constant(value) for name, value in arrays.items()}

    def _examples(self, split, rows):
        tensors = self._tensors
        labels = tf.gather(tensors[f"{split}_labels"], rows)
        return {
            "feature": tf.gather(tensors[split], rows),
            "attributes": tf.gather(tensors["attributes"], labels),
        }

    def _rows(self, split, step, batch_size, seed):
        """Positions of a batch's examples."""
        labels = self.splits[split].labels
        if not self.class_balanced:
            return shuffled_indices(step, batch_size, len(labels), seed)
        order = np.argsort(labels, kind="stable")
        _, first, counts = np.unique(
            labels[order], return_index=True, return_counts=True
        )
        draw = _uniform(step, [2, batch_size], seed, _CLASSES)
        number = tf.cast(draw[0] * len(counts), tf.int64)
        within = tf.cast(
            draw[1] * tf.cast(tf.gather(counts, number), tf.float64), tf.int64
        )
        return tf.gather(order, tf.gather(first, number) + within)

    def _novel(self, step, rows, seed):
        """Novel features, and attributes of independently drawn classes.

        Nothing without a prior of the classes.
        """
        if self.novel_prior is None:
            return {}
        tensors, count = self._tensors, len(self.task.test_novel)
        draw = _uniform(step, [2, rows.total], seed, _NOVEL)
        chosen = tf.cast(draw[0] * count, tf.int64)
        bounds = tf.constant(np.cumsum(self.novel_prior)[:-1])
        number = tf.searchsorted(bounds, draw[1], side="right")
        classes = tf.gather(self.task.novel, number)
        return {
            "novel_feature": tf.gather(tensors["novel"], rows.of(chosen)),
            "novel_attributes": tf.gather(
                tensors["attributes"], rows.of(classes)
            ),
        }


def load_features(
    name: str = "avatars_anyshot",
    *,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
    features_file: str = "res101.mat",
    shots_file: str | None = None,
    stage: str = "test",
    shots: int = 0,
    class_balanced: bool = False,
    novel_prior: str | None = None,
    seed: int = 0,
) -> FeatureDataset:
    """Loads features by the name of their data set.

    Args:
        name: `avatars_anyshot` or `xlsa17`.
        data_dir: Folder of prepared data sets, for `avatars_anyshot`.
        source_dir: Folder in the layout `xlsa17`.
        features_file: The file of features in it.
        shots_file: The file of shots in it; None to draw them.
        stage: `test`, or `validation` for novel classes to choose on.
        shots: Labelled examples of each novel class.
        class_balanced: Whether classes of a batch are drawn uniformly.
        novel_prior: `known`, `estimated` or `uniform`, if features of novel
            classes without labels belong to a batch.
        seed: Seed of the choice of shots and of held-out examples.

    Raises:
        FileNotFoundError: If a file or folder is missing.
        ValueError: If a value is out of range, or files are damaged.
    """
    table = read_table(name, data_dir, source_dir, features_file, shots_file)
    task = create_task(table, stage, shots, seed)
    prior = None
    if novel_prior is not None:
        prior = class_prior(novel_prior, table, task)
    return FeatureDataset(table, task, prior, class_balanced)


def read_table(
    name: str,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
    features_file: str = "res101.mat",
    shots_file: str | None = None,
) -> FeatureTable:
    """All features of a data set; arguments and errors of `load_features`."""
    if name == "avatars_anyshot":
        if shots_file is not None:
            raise ValueError(
                "`shots_file` must be left out for avatars_anyshot, whose "
                f"shots are drawn. Received: shots_file={shots_file!r}."
            )
        return read_avatars_anyshot(data_dir)
    if name != "xlsa17":
        raise ValueError(
            "`dataset` must be avatars_anyshot or xlsa17. "
            f"Received: dataset={name!r}."
        )
    if source_dir is None:
        raise ValueError(
            "dataset='xlsa17' needs `source_dir`, the folder that holds "
            f"att_splits.mat and {features_file}."
        )
    return read_xlsa17(source_dir, features_file, shots_file)


def class_prior(kind: str, table: FeatureTable, task: Task) -> np.ndarray:
    """Shares of the novel classes, (novel,), which sum to 1.

    Args:
        kind: `known`, those of the test, which the released code takes;
            `uniform`; or `estimated`, those of what ESZSL tells of the novel
            features, with one example more of each class. Its weights are
            those of the validation classes.
        table: All features.
        task: The task.
    """
    check("novel_prior", kind, choices=PRIORS)
    labels = task.test_novel.labels
    if kind == "uniform":
        labels = task.novel
    elif kind == "estimated":
        weights = choose_eszsl(create_task(table, "validation"))
        eszsl = fit_eszsl(task, *weights)
        told = eszsl.predict(task.test_novel.features, task.novel)
        labels = np.concatenate([told, task.novel])
    counts = (labels[:, None] == task.novel).sum(axis=0)
    return counts / counts.sum()


def _uniform(step, shape, seed, stream):
    """Numbers in [0, 1) of a step, float64."""
    key = tf.random.experimental.stateless_fold_in(
        tf.constant([seed, stream], tf.int64), step
    )
    return tf.random.stateless_uniform(shape, key, dtype=tf.float64)
