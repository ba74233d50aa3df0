"""Reads files of PyTorch weights without PyTorch.

`torch.save` writes a pickle. Only tensors and dictionaries are made of it:
whatever else a file asks for is refused, not run.
"""

import collections
import math
import os
import pathlib
import pickle
import zipfile

import numpy as np

from vaegan_tf import files

_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
_UNREADABLE = (*files.DAMAGE, AttributeError, pickle.UnpicklingError)


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays by name, as `torch.save(model.state_dict(), path)` wrote them.

    Both forms are read: the zip of PyTorch 1.6 and later, and the bare pickle
    before it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another kind of file, or damaged.
    """
    path = pathlib.Path(path)
    files.check_regular(path)
    with path.open("rb") as file:
        return _read(file, path)


def _read(file, path):
    try:
        is_zip = zipfile.is_zipfile(file)
        file.seek(0)
        tensors = _read_zip(file) if is_zip else _read_pickles(file)
        return {str(name): value.array() for name, value in tensors.items()}
    except _UNREADABLE as error:
        raise ValueError(
            f"{path} holds no weights of PyTorch that can be read "
            f"({type(error).__name__}: {error}). It must be a state dict "
            "written by torch.save, whole and of plain tensors."
        ) from error


class _Tensor:
    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset = storage, offset
        self.shape, self.strides = shape, strides

    def array(self):
        dtype = self.storage["dtype"]
        count = len(self.storage["data"]) // dtype.itemsize
        if math.prod(self.shape) > count:  # Copying it would need the memory.
            raise ValueError("a tensor has more elements than are stored")
        strides = [stride * dtype.itemsize for stride in self.strides]
        # The constructor refuses what lies outside of the data.
        return np.ndarray(
            self.shape,
            dtype,
            self.storage["data"],
            self.offset * dtype.itemsize,
            strides,
        )


class _Unpickler(pickle.Unpickler):
    """Makes tensors and dictionaries, and nothing else."""

    _allowed = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
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
        _, dtype, key, *_ = reference
        return self.storages.setdefault(key, {"dtype": dtype, "data": b""})


def _read_zip(file):
    with zipfile.ZipFile(file) as archive:
        if any(info.compress_type for info in archive.infolist()):
            raise ValueError("it is compressed, as PyTorch's files never are")
        (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
        folder = name.removesuffix("data.pkl")
        unpickler = _Unpickler(archive.open(name))
        tensors = unpickler.load()
        for key, storage in unpickler.storages.items():
            storage["data"] = archive.read(f"{folder}data/{key}")
    return tensors


def _read_pickles(file):
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("it does not begin as such a file")
    _Unpickler(file).load()  # Version of the format.
    _Unpickler(file).load()  # The machine's properties.
    unpickler = _Unpickler(file)
    tensors = unpickler.load()
    size = os.fstat(file.fileno()).st_size
    for key in _Unpickler(file).load():
        storage = unpickler.storages[key]
        count = int.from_bytes(file.read(8), "little")
        length = min(count * storage["dtype"].itemsize, size)
        storage["data"] = file.read(length)
    return tensors
