"""Which of the user's files are images, whole, and how are they stored?"""

import concurrent.futures
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

from absl import logging
from PIL import Image
from tqdm import tqdm

from vaegan_tf.data.drawing_pool import available_cores
from vaegan_tf.data.file_tree import FileTree
from vaegan_tf.images import upright_rgb

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")

_MOST_DAMAGED = 0.01
_NAMED_IN_LOG = 10
_DAMAGE = (
    OSError,
    SyntaxError,  # Pillow's, for a broken PNG
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
)
_ORIENTATION = 0x0112


def image_names(names: Sequence[str]) -> list[str]:
    """The names that end like an image's."""
    return [name for name in names if name.lower().endswith(SUFFIXES)]


def encode_for_tensorflow(data: bytes) -> bytes:
    """The same picture in a form that TensorFlow decodes alike.

    An upright JPEG or PNG of 8 bits in grey or colour stays as it is. Of all
    else the first frame is turned upright, laid over white and made a PNG.

    Args:
        data: The content of an image file.

    Returns:
        A JPEG or PNG.
    """
    with Image.open(io.BytesIO(data)) as image:
        plain = image.format in ("JPEG", "PNG") and image.mode in ("RGB", "L")
        upright = image.getexif().get(_ORIENTATION, 1) == 1
        if plain and upright and "transparency" not in image.info:
            return data
        buffer = io.BytesIO()
        upright_rgb(image).save(buffer, "PNG")
    return buffer.getvalue()


def whole_images(
    tree: FileTree,
    names: Sequence[str],
    required_size: tuple[int, int] | None = None,
) -> list[str]:
    """The names of the images that can be decoded; the others are logged.

    Args:
        tree: Where the images are.
        names: The images to look at.
        required_size: (width, height) that all of them must have.

    Returns:
        The names, in order.

    Raises:
        ValueError: If more than 1 % are damaged, or one has another size.
    """
    with concurrent.futures.ThreadPoolExecutor(available_cores()) as pool:
        sizes = list(
            tqdm(
                pool.map(lambda name: _whole_size(tree, name), names),
                total=len(names),
                desc="Checking images",
                unit=" images",
                disable=None,
            )
        )
    if required_size:
        _check_sizes(names, sizes, required_size)
    damaged = [name for name, size in zip(names, sizes) if size is None]
    _report(damaged, len(names))
    return [name for name, size in zip(names, sizes) if size is not None]


def _whole_size(tree, name):
    """(width, height) of an image, or None if it is damaged."""
    try:
        with Image.open(io.BytesIO(tree.read(name))) as image:
            image.load()
            return image.size
    except _DAMAGE:
        return None


def _report(damaged, count):
    if not damaged:
        return
    first = ", ".join(damaged[:_NAMED_IN_LOG])
    more = ", …" if len(damaged) > _NAMED_IN_LOG else ""
    if len(damaged) > _MOST_DAMAGED * count:
        raise ValueError(
            f"At most 1 % of the images may be damaged. Received: "
            f"{len(damaged)} of {count}: {first}{more}"
        )
    logging.warning(
        "Left out %d of %d images, which are damaged: %s%s",
        len(damaged),
        count,
        first,
        more,
    )


def _check_sizes(names, sizes, required):
    for name, size in zip(names, sizes):
        if size not in (None, required):
            raise ValueError(
                f"The images must be {required[0]} × {required[1]} pixels. "
                f"Received: {name} of {size[0]} × {size[1]}. Other images can "
                "be read with --dataset=image_folder."
            )
