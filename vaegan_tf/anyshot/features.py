"""Which features are there, of which classes, for which use?"""

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np

# Parts of the Proposed Split, and the arrays of its files that have them.
LOCATIONS = {
    name: f"{name}_loc"
    for name in ("trainval", "train", "val", "test_seen", "test_unseen")
}
# Pairs of them without a class in common: one is trained on, or seen, the other
# is novel.
APART = (
    ("trainval", "test_unseen"),
    ("test_seen", "test_unseen"),
    ("train", "val"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of images, attributes of classes, and the Proposed Split.

    Args:
        name: What the data set is called.
        features: float32 (examples, d).
        labels: Number of each example's class, int64 (examples,).
        class_attributes: float32 (classes, a).
        class_names: As many names.
        locations: Positions of examples by the names of `LOCATIONS`:
            `trainval` of seen classes for training, parted into `train` and
            `val` of different classes; `test_seen` and `test_unseen`.
        shots: In the row of each class positions of its examples, (classes,
            n), the first of which are its shots; None to draw them.
        array_names: What the arrays of `locations` are called in the files, to
            say what is wrong with them.

    Raises:
        ValueError: If the parts do not belong together.

    Reference:
        Xian et al. (2018), "Zero-shot learning — a comprehensive evaluation of
        the good, the bad and the ugly", section 4.2.
    """

    name: str
    features: np.ndarray
    labels: np.ndarray
    class_attributes: np.ndarray
    class_names: tuple[str, ...]
    locations: Mapping[str, np.ndarray]
    shots: np.ndarray | None = None
    array_names: Mapping[str, str] = dataclasses.field(
        default_factory=LOCATIONS.copy
    )

    def __post_init__(self) -> None:
        self._check_features()
        self._check_classes()
        self._check_locations()
        self._check_shots()

    @property
    def digest(self) -> str:
        """What tells these features, labels and attributes from others."""
        content = hashlib.sha256()
        for array in (self.features, self.labels, self.class_attributes):
            content.update(np.ascontiguousarray(array).tobytes())
        for name in LOCATIONS:
            content.update(self.locations[name].tobytes())
        if self.shots is not None:
            content.update(self.shots.tobytes())
        return content.hexdigest()[:16]

    def _check_features(self) -> None:
        count = len(self.features)
        if self.features.ndim != 2 or not self.features.size:
            self._refuse(f"`features` have the shape {self.features.shape}")
        if len(self.labels) != count:
            self._refuse(
                f"there are {count:,} features and {len(self.labels):,} labels"
            )
        bad = ~np.isfinite(self.features).all(axis=1)
        if bad.any():
            self._refuse(
                f"{int(bad.sum()):,} of {count:,} features hold NaN or "
                f"infinity, the first of which is number {bad.argmax() + 1:,}"
            )

    def _check_classes(self) -> None:
        known = len(self.class_attributes)
        without = np.setdiff1d(self.labels, np.arange(known))
        if without.size:
            self._refuse(
                f"class {without[0] + 1} has no attributes: `att` has columns "
                f"for classes 1 to {known}"
            )
        if not np.isfinite(self.class_attributes).all():
            self._refuse("attributes in `att` are NaN or infinite")
        empty = ~self.class_attributes.any(axis=1)
        if empty.any():
            self._refuse(f"all attributes of class {empty.argmax() + 1} are 0")

    def _check_locations(self) -> None:
        count, arrays = len(self.features), self.array_names
        for name, rows in self.locations.items():
            outside = rows[(rows < 0) | (rows >= count)]
            if outside.size:
                self._refuse(
                    f"`{arrays[name]}` holds the index {outside[0] + 1}, and "
                    f"there are {count:,} features, numbered from 1"
                )
            if not rows.size:
                self._refuse(f"`{arrays[name]}` is empty")
        for pair in APART:
            labels = [self.labels[self.locations[name]] for name in pair]
            both = np.intersect1d(*labels)
            if both.size:
                self._refuse(
                    f"class {both[0] + 1} is in `{arrays[pair[0]]}` and in "
                    f"`{arrays[pair[1]]}`, which may share no class"
                )

    def _check_shots(self) -> None:
        if self.shots is None:
            return
        if len(self.shots) != len(self.class_attributes):
            self._refuse(
                f"`sample_idx_split` has {len(self.shots)} rows, and there are "
                f"{len(self.class_attributes)} classes"
            )
        for label in np.unique(self.labels[self.locations["test_unseen"]]):
            others = np.setdiff1d(
                self.shots[label], np.flatnonzero(self.labels == label)
            )
            if others.size:
                self._refuse(
                    f"row {label + 1} of `sample_idx_split` holds the index "
                    f"{others[0] + 1}, which is no example of class {label + 1}"
                )

    def _refuse(self, problem: str) -> None:
        raise ValueError(f"{self.name} cannot be used: {problem}.")
