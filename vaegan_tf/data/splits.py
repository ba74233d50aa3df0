"""Which examples are for training, validation and testing?"""

from collections.abc import Mapping

import numpy as np

from vaegan_tf.settings.choices import SPLITS

_SYNONYMS = {"val": "validation", "valid": "validation", "dev": "validation"}
_CARVED_SHARE = 0.1


def canonical_name(split: str) -> str | None:
    """`train`, `validation` or `test` for a split so meant, else None."""
    name = _SYNONYMS.get(split.lower(), split.lower())
    return name if name in SPLITS else None


def is_complete(sources: Mapping[str, int]) -> bool:
    """Whether the source has all three splits, so that nothing is carved."""
    return {canonical_name(name) for name in sources} >= set(SPLITS)


def assign(sources: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """The split of every example of the source.

    A validation or test split that the source lacks is carved from `train`: a
    tenth of it each, at random.

    Args:
        sources: Number of examples by split of the source.
        seed: Seed of the random choice.

    Returns:
        By split of the source, the index in `SPLITS` of each of its examples,
        uint8 (examples,).
    """
    assigned = {
        name: np.full(count, SPLITS.index(canonical_name(name)), np.uint8)
        for name, count in sources.items()
        if canonical_name(name)
    }
    if "train" not in assigned:
        raise ValueError(
            "The data set must have a split `train`. "
            f"Received: {', '.join(sources) or 'no splits'}."
        )
    present = {canonical_name(name) for name in assigned}
    missing = [name for name in SPLITS if name not in present]
    _carve(assigned["train"], missing, seed)
    return assigned


def _carve(train, missing, seed):
    count = len(train)
    size = max(1, round(_CARVED_SHARE * count))
    if count <= size * len(missing):
        raise ValueError(
            f"The data set must have at least {len(missing) + 1} images in "
            f"`train`, to carve {' and '.join(missing) or 'nothing'} from. "
            f"Received: {count}."
        )
    order = np.random.default_rng(seed).permutation(count)
    for position, name in enumerate(missing):
        chosen = order[position * size : (position + 1) * size]
        train[chosen] = SPLITS.index(name)
