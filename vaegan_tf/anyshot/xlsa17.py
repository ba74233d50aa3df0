"""How are features read from the files that the field shares?

The layout is that of the archive xlsa17 of Xian et al. (2018): in one folder a
`.mat` with `features` (d × examples) and `labels` (examples × 1, from 1), and
`att_splits.mat` with `att` (attributes × classes) and the split, whose indices
count from 1.

For few-shot learning there is a file for each draw of the shots, such as
`sample_idx_split1.mat`. The row of a class in its `sample_idx_split` (classes ×
n) has indices of examples of that class, of which the first k are its shots.
The split has other names in `att_splits.mat` then: `train_base_loc`,
`test_base_loc` and `test_novel_loc`. That is what the code expects that comes
from Xian et al. (2019); such files themselves have not been tried.
"""

import os
import pathlib
from typing import Any

import numpy as np

from vaegan_tf import files
from vaegan_tf.anyshot.features import LOCATIONS, FeatureTable

SPLITS_FILE = "att_splits.mat"
SHOTS = "sample_idx_split"
_FEW_SHOT_NAMES = {
    "trainval": "train_base_loc",
    "test_seen": "test_base_loc",
    "test_unseen": "test_novel_loc",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_USER_BLOCK = 512  # of a version 7.3 file, before its HDF5 content


def read_xlsa17(
    folder: str | os.PathLike,
    features_file: str = "res101.mat",
    shots_file: str | None = None,
) -> FeatureTable:
    """Features, classes and split of a folder in the layout xlsa17.

    Args:
        folder: It holds `att_splits.mat` and the file of features.
        features_file: The latter's name.
        shots_file: Name of the file of shots, for the few-shot split.

    Raises:
        FileNotFoundError: If the folder or a file is missing.
        ValueError: If a file is damaged or of version 7.3, or the parts do not
            belong together.
    """
    place = files.local(folder)
    if not place.is_dir():
        raise FileNotFoundError(
            "`source_dir` must be a folder in the layout xlsa17. Received: "
            f"{str(place)!r}, which does not exist."
        )
    found = _read(place / features_file, ("features", "labels"))
    names, shots = LOCATIONS, None
    if shots_file is not None:
        names = LOCATIONS | _FEW_SHOT_NAMES
        shots = _read(place / shots_file, (SHOTS,))[SHOTS].astype(np.int64) - 1
    splits = _read(place / SPLITS_FILE, ("att", *names.values()))
    attributes = np.asarray(splits["att"], np.float32).T
    return FeatureTable(
        name=place.name,
        features=np.asarray(found["features"], np.float32).T,
        labels=_indices(found["labels"]),
        class_attributes=attributes,
        class_names=_class_names(splits, len(attributes)),
        locations={n: _indices(splits[name]) for n, name in names.items()},
        shots=shots,
        array_names=names,
    )


def _read(path: pathlib.Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Some arrays of a `.mat` file, and what lies beside them."""
    import scipy.io

    if not path.is_file():
        raise FileNotFoundError(
            f"{path.parent} lacks {path.name}. A folder in the layout xlsa17 "
            f"holds {SPLITS_FILE} and the files that `features_file` and "
            "`shots_file` name."
        )
    if _is_version_73(path):
        raise ValueError(
            f"{path} is of MATLAB's version 7.3, which is HDF5 and not read "
            "here. Save it again in MATLAB with the option -v7."
        )
    try:
        found = scipy.io.loadmat(path)
    # SciPy raises almost anything for bytes that it does not expect.
    except Exception as error:
        raise ValueError(
            f"{path} is damaged or no MATLAB file: {error}."
        ) from error
    for name in names:
        if name not in found:
            arrays = ", ".join(k for k in found if not k.startswith("__"))
            raise ValueError(f"{path} lacks `{name}`. It holds: {arrays}.")
        if found[name].ndim != 2 or found[name].dtype.kind not in "fiu":
            raise ValueError(f"`{name}` of {path} is no matrix of numbers.")
        if name not in ("features", "att") and (found[name] % 1 != 0).any():
            raise ValueError(f"`{name}` of {path} must hold whole numbers.")
    return found


def _is_version_73(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        start = file.read(_USER_BLOCK + len(_HDF5))
    return _HDF5 in (start[: len(_HDF5)], start[_USER_BLOCK:])


def _indices(values: np.ndarray) -> np.ndarray:
    """Indices from 0, (n,), of a row or column of indices from 1."""
    return np.asarray(values).ravel().astype(np.int64) - 1


def _class_names(splits: dict[str, Any], count: int) -> tuple[str, ...]:
    """Names of the classes; their numbers where the file has none."""
    cells = np.ravel(splits.get("allclasses_names", []))
    names = tuple(str(cell[0]) for cell in cells if np.size(cell))
    if len(names) == count:
        return names
    return tuple(f"class {number + 1}" for number in range(count))
