"""What does a data set of one picture or clip look like?"""

import dataclasses
import functools
import hashlib
import os
import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from PIL import Image, ImageSequence

from vaegan_tf import files
from vaegan_tf import images as pictures
from vaegan_tf.data.augmentation import Rows
from vaegan_tf.data.image_files import SUFFIXES
from vaegan_tf.data.order import Stream
from vaegan_tf.patch.drawn import draw_avatar_clip, draw_texture

FILMS = (".mp4", ".webm", ".mov", ".mkv")


@dataclasses.dataclass(frozen=True, eq=False)
class SingleDataset(Stream):
    """One example, in batches as `ImageDataset` has many.

    Args:
        name: What it is called.
        example: uint8 (height, width, channels) of a picture, or (frames,
            height, width, channels) of a clip.
    """

    name: str
    example: np.ndarray

    attribute_names: tuple[str, ...] = ()

    @property
    def splits(self) -> Mapping[str, np.ndarray]:
        """The one example, which is all there is."""
        return {"train": self.example[None]}

    @property
    def contents(self) -> dict[str, str]:
        """What there is, to recognise it."""
        sizes = " × ".join(map(str, self.example.shape[:-1]))
        digest = hashlib.sha256(self.example.tobytes()).hexdigest()[:16]
        return {"train": f"one example of {sizes}, {digest}"}

    @functools.cached_property
    def batch(self) -> np.ndarray:
        """The example as a batch of one, float32 in [−1, 1]."""
        return self.example[None].astype(np.float32) / 127.5 - 1.0

    @functools.cached_property
    def _tensor(self) -> tf.Tensor:
        with tf.device("CPU:0"):
            return tf.constant(self.batch)

    def load(self, split: str) -> None:
        """Makes the tensor of the example."""
        _ = self._tensor

    def part_of_batch(
        self, split: str, step: tf.Tensor, rows: Rows, seed: int
    ) -> dict[str, tf.Tensor]:
        """As in every `Stream`; all rows are the example.

        Returns:
            `image`, float32 (batch, *shape, channels) in [−1, 1].
        """
        image = self._tensor
        return {"image": tf.broadcast_to(image, [rows.size, *image.shape[1:]])}

    def batches(self, split: str, batch_size: int) -> tf.data.Dataset:
        """The example once, as a batch of `train_batches`, for every split."""
        return tf.data.Dataset.from_tensors({"image": self.batch})


def load_single(
    name: str = "texture",
    *,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
    image_size: int = 128,
    frames: int = 13,
    first_frame: int = 0,
    seed: int = 0,
) -> SingleDataset:
    """Loads one picture or clip.

    Args:
        name: `texture` or `avatar_clip`, which are drawn; or `picture` or
            `clip`, the user's own.
        data_dir: Not used: nothing has to be prepared.
        source_dir: The user's own file, or folder of frames.
        image_size: Longer side in pixels; files that are smaller stay so.
        frames: Frames of a clip, at most.
        first_frame: Where in the clip they begin.
        seed: Not used: what is drawn is always the same.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another kind of file, damaged, or too short.
    """
    if name == "texture":
        return SingleDataset(name, draw_texture(image_size))
    if name == "avatar_clip":
        return SingleDataset(name, draw_avatar_clip(image_size, frames))
    if name not in ("picture", "clip") or source_dir is None:
        raise ValueError(
            "`dataset` must be texture, avatar_clip, or picture or clip with "
            f"`source_dir`. Received: dataset={name!r}, "
            f"source_dir={source_dir!r}."
        )
    path = files.local(source_dir)
    if name == "picture":
        example = fitted(pictures.read_image(path), image_size)
        return SingleDataset(path.name, example)
    clip = read_clip(path, frames, first_frame)
    return SingleDataset(
        path.name, np.stack([fitted(frame, image_size) for frame in clip])
    )


def read_clip(
    path: str | os.PathLike, frames: int, first_frame: int = 0
) -> list[np.ndarray]:
    """Frames of a GIF, of a film or of a folder of images, in order.

    Args:
        path: The file or folder. Films need the extra `video`.
        frames: How many at most.
        first_frame: How many are left out first.

    Returns:
        Two frames or more, uint8 (height, width, 3).

    Raises:
        FileNotFoundError: If there is nothing of this name.
        ValueError: If it is another kind of file, damaged, has fewer than two
            such frames, or frames of several sizes.
    """
    path = pathlib.Path(path)
    clip = []
    for number, frame in enumerate(_frames(path)):
        if number >= first_frame + frames:
            break
        if number >= first_frame:
            clip.append(frame)
    if len(clip) < 2:
        raise ValueError(
            f"A clip must have at least 2 frames from `first_frame` on. "
            f"Received: {path} with {len(clip)}."
        )
    if len({frame.shape for frame in clip}) > 1:
        raise ValueError(f"The frames of {path} differ in size.")
    return clip


def fitted(image: np.ndarray, image_size: int) -> np.ndarray:
    """An image made smaller until its longer side fits, uint8."""
    height, width, _ = image.shape
    share = image_size / max(height, width)
    if share >= 1:
        return image
    size = max(1, round(width * share)), max(1, round(height * share))
    small = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(small)


def _frames(path: pathlib.Path) -> Iterator[np.ndarray]:
    if path.is_dir():
        names = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES]
        return map(pictures.read_image, sorted(names))
    files.check_regular(path)
    if path.suffix.lower() in FILMS:
        return _film_frames(path)
    return _gif_frames(path)


def _gif_frames(path: pathlib.Path) -> Iterator[np.ndarray]:
    try:
        with pictures.opened(path, ["GIF", "WEBP"]) as film:
            for frame in ImageSequence.Iterator(film):
                yield np.asarray(frame.convert("RGB"))
    except pictures.UNREADABLE as error:
        raise ValueError(
            f"{path} must be a GIF, a film ({', '.join(FILMS)}) or a folder "
            f"of images, and whole: {error}"
        ) from error


def _film_frames(path: pathlib.Path) -> Iterator[np.ndarray]:
    try:
        import imageio_ffmpeg
    except ImportError:
        raise ValueError(
            f"To read {path} takes the extra `video`: pip install "
            "'vaegan-tf[video]'. GIF needs nothing more."
        ) from None
    reader = imageio_ffmpeg.read_frames(str(path))
    try:
        width, height = next(reader)["size"]
        for frame in reader:
            yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
    except (OSError, RuntimeError, StopIteration) as error:
        raise ValueError(f"{path} cannot be read as a film: {error}") from error
    finally:
        reader.close()
