"""What is drawn while a model trains: callbacks that write grids of images."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from absl import logging

from vaegan_tf import images as pictures
from vaegan_tf.training.callbacks import Logs, StepCallback

SAMPLE_SEED = 2016
MOST_FRAMES = 100


@dataclasses.dataclass(eq=False, repr=False)
class ImageGrid(StepCallback):
    """Draws grids of one example (images, attributes): `<name>-<step>.png`."""

    name: ClassVar[str]
    folder: str | os.PathLike
    example: Mapping[str, np.ndarray]

    def grid(self) -> np.ndarray:
        """The grid, uint8 (height, width, 3)."""
        raise NotImplementedError

    def rewind(self, step: int) -> None:
        """Deletes grids of steps that are made again; draws the first one."""
        folder = pathlib.Path(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".*.*.*.*"):  # Cut short by a kill.
            path.unlink()
        for path in self.paths():
            if _step_of_grid(path) > step:
                path.unlink()
        if step == 0:
            self.act()

    def act(self) -> None:
        """Draws and writes the grid."""
        grid = self.grid()
        name = f"{self.name}-{self.step:08d}.png"
        pictures.write_png(pathlib.Path(self.folder) / name, grid)
        if self.is_kept:
            self.write_images({self.name: grid})
        if self.stride > self.every:
            self._thin_out()

    def _thin_out(self) -> None:
        """Deletes grids between those that are kept, but for the newest."""
        for path in self.paths():
            step = _step_of_grid(path)
            if step % self.stride and step != self.step:
                path.unlink()

    def paths(self) -> list[pathlib.Path]:
        """The grids there are, by step."""
        pattern = f"{self.name}-{'[0-9]' * 8}.png"
        return sorted(pathlib.Path(self.folder).glob(pattern))


@dataclasses.dataclass(eq=False, repr=False)
class SampleGrid(ImageGrid):
    """Decodes the same codes every time; at the end makes `samples.gif`."""

    name = "samples"

    def grid(self) -> np.ndarray:
        """Samples of the same seed."""
        attributes = self.example.get("attributes")
        count = len(self.example["image"])
        samples = self.model.sample(count, SAMPLE_SEED, attributes)
        return pictures.grid(samples.numpy())

    def on_train_end(self, logs: Logs = None) -> None:
        """Puts the grids together into an animation."""
        super().on_train_end(logs)
        if self.is_interrupted:
            return
        paths = self.paths()
        chosen = np.linspace(0, len(paths) - 1, min(len(paths), MOST_FRAMES))
        read = (_frame(paths[round(index)]) for index in chosen)
        if frames := [frame for frame in read if frame is not None]:
            path = pathlib.Path(self.folder) / "samples.gif"
            pictures.write_gif(path, frames)


@dataclasses.dataclass(eq=False, repr=False)
class ReconstructionGrid(ImageGrid):
    """Reconstructs the same images every time."""

    name = "reconstructions"

    def grid(self) -> np.ndarray:
        """Images above their reconstructions."""
        images = self.model.reconstruct(**self.example).numpy()
        return pictures.pairs_grid([self.example["image"], images])


@dataclasses.dataclass(eq=False, repr=False)
class Drawings(ImageGrid):
    """Samples of a model of one example: clips a row each, frame by frame.

    Also at the end of each of the model's scales. At the end of the run clips
    move in `samples.gif`.
    """

    name = "samples"
    count: ClassVar[int] = 4

    def grid(self) -> np.ndarray:
        """Samples of the same seeds, at the newest scale."""
        return pictures.strips(self.drawn())

    def drawn(self) -> np.ndarray:
        """Samples, (count, *sizes, channels)."""
        return self.model.draw(self.count, SAMPLE_SEED).numpy()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Acts if it is time, or a scale is done."""
        if self.step % self.every and self.model.stages.ends_with(self.step):
            self.act()
        super().on_train_batch_end(batch, logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Lets clips move."""
        super().on_train_end(logs)
        drawn = self.drawn()
        if drawn.ndim == 5 and not self.is_interrupted:
            path = pathlib.Path(self.folder) / f"{self.name}.gif"
            frames = pictures.moving(drawn)
            pictures.write_film(path, frames, pictures.CLIP_MILLISECONDS)


@dataclasses.dataclass(eq=False, repr=False)
class OwnReconstruction(Drawings):
    """The one example, above its reconstruction at the newest scale."""

    name = "reconstructions"

    def drawn(self) -> np.ndarray:
        """Both, the example at that scale."""
        image = self.example["image"]
        own = self.model.pyramid.at(image, self.model.newest_scale)
        return np.concatenate([own, self.model.reconstruct(image)])


def _step_of_grid(path: pathlib.Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


def _frame(path: pathlib.Path) -> np.ndarray | None:
    """A grid that was drawn; `None` if its file is damaged."""
    try:
        return pictures.read_png(path)
    except ValueError as error:
        logging.warning("Left out of the animation: %s", error)
        return None
