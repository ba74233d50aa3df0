"""Which examples are trained on, and which are tested on?"""

import dataclasses

import numpy as np

from vaegan_tf.anyshot.features import FeatureTable

HELD_OUT = 5  # In validation, one of so many examples of seen classes.


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Some features and the numbers of their classes."""

    features: np.ndarray  # (examples, d)
    labels: np.ndarray  # (examples,)

    def __len__(self) -> int:
        return len(self.labels)

    def of_classes(self, classes: np.ndarray) -> "Part":
        """The examples of some classes."""
        return self.at(np.isin(self.labels, classes))

    def at(self, rows: np.ndarray) -> "Part":
        """The examples at some positions."""
        return Part(self.features[rows], self.labels[rows])


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """One any-shot problem: what is known, and what is asked.

    Args:
        train: Labelled examples: of seen classes, and with shots of novel
            ones.
        test_seen: Other examples of seen classes, to be told.
        test_novel: Examples of novel classes, to be told. Transductive models
            know their features, not their labels.
        class_attributes: Rows whose mean square is 1, (classes, a).
        seen: Numbers of the seen classes, ascending.
        novel: Numbers of the novel classes, ascending.
    """

    train: Part
    test_seen: Part
    test_novel: Part
    class_attributes: np.ndarray
    seen: np.ndarray
    novel: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        """Seen and novel classes, ascending."""
        return np.union1d(self.seen, self.novel)


def create_task(
    table: FeatureTable, stage: str = "test", shots: int = 0, seed: int = 0
) -> Task:
    """The task of a stage.

    In the stage `test` it is the Proposed Split. In `validation` the classes
    of `val` are novel, and a fifth of the examples of `train`'s classes is
    tested on. Examples of `test_seen`, which the split's authors count to
    `train` and `val` as well, are left out there: nothing is chosen on them.

    Args:
        table: All features.
        stage: `test` or `validation`.
        shots: Labelled examples of each novel class, which move from the
            tested to the training examples.
        seed: Seed of the choice of these, if the table does not make it or the
            stage is `validation`, and of the held-out fifth.

    Raises:
        ValueError: If a novel class has too few examples.
    """
    rows = table.locations
    draw = np.random.default_rng(seed)
    if stage == "test":
        train, seen = rows["trainval"], rows["test_seen"]
        novel = rows["test_unseen"]
    else:
        own = np.setdiff1d(rows["train"], rows["test_seen"])
        seen, train = np.split(draw.permutation(own), [len(own) // HELD_OUT])
        novel = np.setdiff1d(rows["val"], rows["test_seen"])
    order = draw.permutation(novel)
    if stage == "test" and table.shots is not None:
        order = np.concatenate(table.shots[np.unique(table.labels[novel])])
    chosen = _shots(table, novel, shots, order)
    seen_classes = np.unique(table.labels[train])
    novel_classes = np.unique(table.labels[novel])
    squares = np.mean(table.class_attributes**2, axis=1, keepdims=True)
    whole = Part(table.features, table.labels)
    return Task(
        train=whole.at(np.sort(np.concatenate([train, chosen]))),
        test_seen=whole.at(np.sort(seen)).of_classes(seen_classes),
        test_novel=whole.at(np.setdiff1d(novel, chosen)),
        class_attributes=table.class_attributes / np.sqrt(squares),
        seen=seen_classes,
        novel=novel_classes,
    )


def _shots(
    table: FeatureTable,
    novel: np.ndarray,
    shots: int,
    order: np.ndarray,
) -> np.ndarray:
    """Positions of the labelled examples of novel classes, first in order."""
    chosen = []
    for label in np.unique(table.labels[novel]):
        own = order[table.labels[order] == label]
        tested = np.setdiff1d(novel[table.labels[novel] == label], own[:shots])
        if len(own) < shots or not tested.size:
            raise ValueError(
                f"`shots` must leave something to test: {table.name} has "
                f"{len(own)} examples of {table.class_names[label]!r}. "
                f"Received: shots={shots}."
            )
        chosen.append(own[:shots])
    return np.concatenate(chosen)
