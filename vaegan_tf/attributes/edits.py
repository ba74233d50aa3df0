"""How is an image edited? Its code moves, and is decoded again."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vaegan_tf.attributes import paths
from vaegan_tf.attributes.figures import labelled_grid
from vaegan_tf.models import GenerativeModel
from vaegan_tf.settings import check
from vaegan_tf.settings.choices import KEEP

# A change of this size, of a whole range of 2, keeps nothing of the residual.
# On faces of CelebA 0.2 kept less of the person at equal success.
_CHANGE = 0.8
_BATCH_SIZE = 64


@dataclasses.dataclass(frozen=True)
class Editor:
    """Edits images with a model that encodes and decodes.

    Images are float in [−1, 1], (images, height, width, channels). Directions
    in latent space are (latent,), or one for each image.

    Args:
        model: The model, which is not conditional.
        keep: `"none"`, or `"residual"` to keep of the images what their
            reconstructions have lost; see `with_residual`.
    """

    model: GenerativeModel
    keep: str = "none"

    def __post_init__(self) -> None:
        check("keep", self.keep, choices=KEEP)

    def edit(self, images: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Images whose codes have moved along a direction."""
        codes = encode(self.model, images)
        edited = decode(self.model, codes + direction)
        if self.keep == "none":
            return edited
        return with_residual(edited, decode(self.model, codes), images)

    def figure(
        self, images: np.ndarray, directions: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Original, reconstruction, and a column for each direction's edit.

        Returns:
            The figure, uint8 (height, width, 3), columns under their names.
        """
        codes = encode(self.model, images)
        columns = [images, decode(self.model, codes)]
        columns += [self.edit(images, way) for way in directions.values()]
        names = ["original", "reconstruction", *directions]
        return labelled_grid(np.stack(columns, axis=1), names)

    def strips(
        self,
        images: np.ndarray,
        directions: Iterable[np.ndarray],
        strengths: Sequence[float],
    ) -> np.ndarray:
        """Every image moved along every direction by every strength.

        Returns:
            Rows of frames, (images · directions, strengths, height, width,
            channels).
        """
        steps = np.asarray(strengths, np.float32)[:, None]
        repeated = [np.repeat(image[None], len(steps), 0) for image in images]
        return np.stack(
            [
                self.edit(same, steps * direction)
                for same in repeated
                for direction in directions
            ]
        )

    def interpolations(
        self, images: np.ndarray, frames: int, path: str = "spherical"
    ) -> np.ndarray:
        """From each image to the next; rows of frames, one less than images.

        ValueError for a single image, and as `paths.interpolate` raises.
        """
        if len(images) < 2:
            raise ValueError("Interpolation takes two images at least.")
        codes = encode(self.model, images)
        between = [
            paths.interpolate(start, end, frames, path)
            for start, end in itertools.pairwise(codes)
        ]
        return np.stack([decode(self.model, codes) for codes in between])

    def walks(
        self, images: np.ndarray, frames: int, seed: int = 0
    ) -> np.ndarray:
        """A random walk from each image: rows of frames."""
        walks = [
            paths.random_walk(code, frames, seed + row)
            for row, code in enumerate(encode(self.model, images))
        ]
        return np.stack([decode(self.model, walk) for walk in walks])


def encode(model: GenerativeModel, images: np.ndarray) -> np.ndarray:
    """Mean codes of images, float32 (images, latent)."""
    batches = np.split(images, range(_BATCH_SIZE, len(images), _BATCH_SIZE))
    return np.concatenate([model.encode(b)["mean"].numpy() for b in batches])


def decode(model: GenerativeModel, codes: np.ndarray) -> np.ndarray:
    """Images of codes, float32 (codes, height, width, channels)."""
    batches = np.split(codes, range(_BATCH_SIZE, len(codes), _BATCH_SIZE))
    return np.concatenate([model.decode(b).numpy() for b in batches])


def with_residual(
    edited: np.ndarray, reconstruction: np.ndarray, original: np.ndarray
) -> np.ndarray:
    """An edit with what the reconstruction has lost of the original.

    Where the edit changed nothing, this is the original. Where it changed much
    it is the edit alone: what was lost there need not fit.

    Args:
        edited: Images of moved codes, in [−1, 1], (images, height, width,
            channels).
        reconstruction: Images of the codes before they moved.
        original: The images themselves.

    Returns:
        Images in [−1, 1] of the same shape.
    """
    change = np.abs(edited - reconstruction).max(axis=-1, keepdims=True)
    mask = np.clip(1 - _blurred(change) / _CHANGE, 0, 1)
    return np.clip(edited + mask * (original - reconstruction), -1, 1)


def _blurred(values: np.ndarray) -> np.ndarray:
    """Means over 5×5 pixels of (images, height, width, 1), edges repeated."""
    padded = np.pad(values, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="edge")
    for axis in (1, 2):
        windows = np.lib.stride_tricks.sliding_window_view(padded, 5, axis)
        padded = windows.mean(axis=-1)
    return padded
