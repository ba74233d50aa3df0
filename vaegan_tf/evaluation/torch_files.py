"""What does a file of PyTorch weights hold? Read without PyTorch.

`torch.save` writes a pickle. The one read here can only make tensors and
dictionaries: whatever else a file asks for is refused, not run.
"""

import collections
import dataclasses
import pathlib
import pickle
import zipfile

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
_UNREADABLE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


def read_state_dict(path):
    """The tensors of a file that `torch.save(model.state_dict(), path)` wrote.

    Both forms are read: the zip of PyTorch 1.6 and later, and the bare pickle
    before it.

    Args:
        path: The file.

    Returns:
        Arrays by name.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no such file, or damaged.
    """
    path = pathlib.Path(path)
    try:
        is_zip = zipfile.is_zipfile(path)
        with path.open("rb") as file:
            found = _read_zip(file) if is_zip else _read_pickles(file)
        return {name: tensor.array() for name, tensor in found.items()}
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} holds no weights of PyTorch that can be read "
            f"({type(error).__name__}: {error}). It must be a state dict "
            "written by torch.save, whole and of plain tensors."
        ) from error


@dataclasses.dataclass
class _Storage:
    dtype: np.dtype
    count: int
    data: bytes = b""


@dataclasses.dataclass
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self):
        size = self.storage.dtype.itemsize
        # The constructor refuses what lies outside of the data.
        return np.ndarray(
            self.shape,
            self.storage.dtype,
            self.storage.data,
            self.offset * size,
            [stride * size for stride in self.strides],
        )


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor, *_):
    return tensor


class _Unpickler(pickle.Unpickler):
    """Makes tensors and dictionaries, and nothing else."""

    _allowed = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    }

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if module == "torch" and name in _TYPES:
            return np.dtype(_TYPES[name])
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return self._allowed[module, name]

    def persistent_load(self, reference):
        _, dtype, key, _, count, *_ = reference
        if key not in self.storages:
            self.storages[key] = _Storage(dtype, count)
        return self.storages[key]


def _read_zip(file):
    with zipfile.ZipFile(file) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
        folder = name.removesuffix("data.pkl")
        unpickler = _Unpickler(archive.open(name))
        found = unpickler.load()
        for key, storage in unpickler.storages.items():
            storage.data = archive.read(f"{folder}data/{key}")
    return found


def _read_pickles(file):
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it does not begin as such a file")
    _Unpickler(file).load()  # Version of the format.
    _Unpickler(file).load()  # The machine's properties.
    unpickler = _Unpickler(file)
    found = unpickler.load()
    for key in _Unpickler(file).load():
        storage = unpickler.storages[key]
        count = int.from_bytes(file.read(8), "little")
        storage.data = file.read(count * storage.dtype.itemsize)
    return found
