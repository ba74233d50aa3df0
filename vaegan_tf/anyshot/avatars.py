"""Which features does the project have of its own? `avatars_anyshot`.

Classes are combinations of what cartoon faces wear and show; 40 are seen and
10 are not. Features are those of a small network that tells the training
classes apart and has seen images of no other: neither of unseen nor of
validation classes.
"""

import functools
import itertools
import os

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import files, locks
from vaegan_tf.anyshot.features import FeatureTable
from vaegan_tf.data import ImageDataset, load_dataset

IMAGE_SIZE = 32
NUM_SEEN, NUM_VALIDATION, NUM_NOVEL = 40, 10, 10
# Of each group a face has exactly one; None is none of them.
GROUPS = (
    ("Eyeglasses", "Sunglasses", None),
    ("Beard", "Mustache", None),
    ("Pale_Skin", "Dark_Skin", None),
    ("Smiling", None),
)
SEED = 0
VERSION = 1  # Of what is kept: another for other features.
EPOCHS, BATCH_SIZE, NUM_FEATURES = 8, 64, 16


def read_avatars_anyshot(
    data_dir: str | os.PathLike | None = None, images: str = "avatars"
) -> FeatureTable:
    """The features, computed at the first call and kept beside the images.

    Args:
        data_dir: Folder of prepared data sets.
        images: The data set of the images: `avatars`, or `avatars/tiny`.
    """
    dataset = load_dataset(images, data_dir=data_dir, image_size=IMAGE_SIZE)
    folder = dataset.splits["train"].images_path.parent
    path = folder / f"anyshot-{VERSION}.npz"
    labels, tested = _labels(dataset)
    locations = _locations(labels, tested)
    if not path.exists():
        with locks.exclusive(folder / ".anyshot.lock"):
            # Computed twice, they would differ in their last bits.
            if not path.exists():
                pixels = _images(dataset)
                made = _features(pixels, labels, locations["train"])
                files.write_npz(path, {"features": made}, compress=True)
    kept = labels >= 0
    positions = np.cumsum(kept) - 1
    return FeatureTable(
        name="avatars_anyshot",
        features=files.read_npz(path)["features"][kept],
        labels=labels[kept],
        class_attributes=_class_attributes(),
        class_names=tuple(map(_name, _combinations())),
        locations={key: positions[rows] for key, rows in locations.items()},
    )


def images_of(
    data_dir: str | os.PathLike | None = None, images: str = "avatars"
) -> np.ndarray:
    """The images of the features' table, uint8, in its order."""
    dataset = load_dataset(images, data_dir=data_dir, image_size=IMAGE_SIZE)
    labels, _ = _labels(dataset)
    return _images(dataset)[labels >= 0]


@functools.cache
def _combinations() -> tuple[tuple[str | None, ...], ...]:
    """The 50 classes: seen ones first, the validation classes last of them."""
    all_of_them = list(itertools.product(*GROUPS))
    order = np.random.default_rng(SEED).permutation(len(all_of_them))
    return tuple(all_of_them[n] for n in order[: NUM_SEEN + NUM_NOVEL])


def _class_attributes() -> np.ndarray:
    """One number for each member of each group, 1 for the class's own."""
    rows = [
        [
            float(own == member)
            for own, group in zip(c, GROUPS)
            for member in group
        ]
        for c in _combinations()
    ]
    return np.array(rows, np.float32)


def _labels(dataset: ImageDataset) -> tuple[np.ndarray, np.ndarray]:
    """Class of each image, −1 for none, and whether it is of the test."""
    names = dataset.attribute_names
    shown = np.concatenate([s.attributes for s in dataset.splits.values()])
    tested = np.concatenate(
        [
            np.full(len(split), name == "test")
            for name, split in dataset.splits.items()
        ]
    )
    labels = np.full(len(shown), -1, np.int64)
    for number, combination in enumerate(_combinations()):
        matches = np.ones(len(shown), bool)
        for own, group in zip(combination, GROUPS):
            for name in filter(None, group):
                present = shown[:, names.index(name)] > 0.5
                matches &= present == (name == own)
        labels[matches] = number
    return labels, tested


def _locations(labels: np.ndarray, tested: np.ndarray) -> dict[str, np.ndarray]:
    """The split, as `FeatureTable` has it, of positions among all images."""
    is_seen = (labels >= 0) & (labels < NUM_SEEN)
    is_train = is_seen & (labels < NUM_SEEN - NUM_VALIDATION)
    parts = {
        "trainval": is_seen & ~tested,
        "train": is_train & ~tested,
        "val": is_seen & ~is_train & ~tested,
        "test_seen": is_seen & tested,
        "test_unseen": labels >= NUM_SEEN,
    }
    return {name: np.flatnonzero(part) for name, part in parts.items()}


def _images(dataset: ImageDataset) -> np.ndarray:
    return np.concatenate([s.images for s in dataset.splits.values()])


def _features(
    images: np.ndarray, labels: np.ndarray, train: np.ndarray
) -> np.ndarray:
    """Features of all images by a network that learns from some, (n, d)."""
    backbone = feature_network()
    first = keras.initializers.GlorotUniform(SEED + 4)
    head = keras.layers.Dense(NUM_SEEN, kernel_initializer=first)
    network = keras.Sequential([backbone, head])
    network.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    order = np.random.default_rng(SEED)
    for _ in range(EPOCHS):
        mixed = order.permutation(train)
        rows = tf.data.Dataset.from_tensor_slices(
            (images[mixed], labels[mixed])
        )
        network.fit(rows.batch(BATCH_SIZE), verbose=0, shuffle=False)
    return backbone.predict(images, batch_size=256, verbose=0)


def feature_network() -> keras.Model:
    """From images, (batch, 32, 32, 3), to features, (batch, 16), from 0 on."""
    image = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    for number, filters in enumerate((32, 64, 128)):
        x = keras.layers.Conv2D(
            filters,
            3,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeUniform(SEED + number),
        )(x)
    x = keras.layers.Flatten()(x)
    feature = keras.layers.Dense(
        NUM_FEATURES,
        activation="relu",
        kernel_initializer=keras.initializers.HeUniform(SEED + 3),
    )(x)
    return keras.Model(image, feature)


def _name(combination: tuple[str | None, ...]) -> str:
    return "+".join(filter(None, combination)) or "none"
