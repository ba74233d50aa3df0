"""Which folder may an export replace? Only one of its own kind."""

import os

from vaegan_tf import files

GENERATOR = '<meta name="generator" content="vaegan-tf">'
_MARKERS = {
    "saved_model": ("saved_model.pb", "a SavedModel"),
    "onnx": ("decode.onnx", "an ONNX model"),
    "litert": ("model.tflite", "a LiteRT model"),
    "web": ("index.html", "a page of this package"),
}
FORMATS = tuple(_MARKERS)


def check_target(folder: str | os.PathLike, kind: str = "saved_model") -> None:
    """ValueError if an export would delete something, or cannot be there.

    Args:
        folder: Where it shall be.
        kind: One of `FORMATS`.
    """
    marker, what = _MARKERS[kind]
    files.check_replaceable_folder(folder, marker, what)
    page = files.local(folder) / marker
    if kind != "web" or not page.exists():
        return
    with open(page, encoding="utf-8", errors="replace") as file:
        is_own = GENERATOR in file.read(1000)
    if not is_own or len(list(page.parent.iterdir())) > 1:
        raise ValueError(
            f"{page.parent} holds something that is not {what}. Choose "
            "another folder."
        )
