"""Draws images with a trained model.

Codes come from the prior or from a sampler beside it: the same seed, the same
images. Writes one image grid, or a file for each image if --output ends in a
slash. A model of one picture or clip draws at any size, and clips as frames
side by side (.png) or moving (.gif, .mp4). With --animate pictures move too.
"""

import math
import re

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import (
    ConditionSettings,
    SamplerParameters,
    TrainedModel,
)
from vaegan_tf.settings import MAX_SEED, Settings, setting
from vaegan_tf.settings.choices import SAMPLERS

BATCH_SIZE = 64
COUNT, COUNT_OF_ONE = 64, 4


_SIZE = re.compile(r"[1-9]\d{0,3}x[1-9]\d{0,3}")


class SampleSettings(ConditionSettings):
    """How many images, and where they go."""

    count: int | None = setting(
        None, "How many (default: 64; 4 of a model of one example).", low=1
    )
    seed: int = setting(0, "Seed of the codes.", low=0, high=MAX_SEED)
    output: str = setting(
        "samples.png", "File to write; a folder if it ends in a slash."
    )


class SamplerSettings(SamplerParameters):
    """Where codes come from."""

    sampler: str = setting(
        "prior",
        "Codes from the prior; from a Gaussian mixture fitted to the codes of "
        "the training images, which models with an encoder have; or from the "
        "prior within --truncation.",
        choices=SAMPLERS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.truncation != 1.5 and self.sampler != "truncated":
            raise ValueError("--truncation is for --sampler=truncated.")
        if self.components is not None and self.sampler != "mixture":
            raise ValueError("--components is for --sampler=mixture.")


class DrawingSettings(Settings):
    """How a model of one picture or clip draws."""

    size: str | None = setting(
        None, "Width and height, such as 256x128 (default: the example's)."
    )
    frames: int | None = setting(
        None,
        "Frames of a clip (default: as many as the example has).",
        low=1,
        high=1000,
    )
    first_scale: int = setting(
        0,
        "The first scale that draws; below it is the example, or --start. The "
        "higher, the more is kept of it.",
        low=0,
    )
    start: str | None = setting(
        None,
        "Your own picture, such as a collage or a painting, that the scales "
        "from --first_scale, 1 or higher, refine.",
        is_path=True,
    )
    mask: str | None = setting(
        None,
        "A picture as large as --start, white where something was pasted or "
        "painted: only there it is refined, with a border that fades.",
        is_path=True,
    )
    animate: int | None = setting(
        None,
        "Let pictures move: frames of a film that ends where it begins. With "
        "a high --first_scale the example itself moves.",
        low=2,
        high=1000,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is not None and not _SIZE.fullmatch(self.size):
            raise ValueError(
                "--size takes width and height up to 4 digits, such as "
                f"256x128. Received: {self.size!r}."
            )
        if self.start is not None and not self.first_scale:
            raise ValueError("--start is for --first_scale=1 or higher.")
        if self.mask is not None and self.start is None:
            raise ValueError("--mask is for --start, your own picture.")

    @property
    def angles(self) -> list[float]:
        """How far noise is turned in each frame, in radians."""
        count = self.animate or 1
        return [2 * math.pi * number / count for number in range(count)]

    def shape_for(self, own: tuple[int, ...]) -> tuple[int, ...]:
        """Sizes of samples: the example's `own` where none are given.

        Raises:
            ValueError: If frames are asked of a picture, or of a clip what
                only pictures have.
        """
        *frames, height, width = own
        for name in ("animate", "mask"):
            if getattr(self, name) is not None and frames:
                raise ValueError(f"--{name} is for models of pictures.")
        if self.frames is not None:
            if not frames:
                raise ValueError("--frames is for models of clips.")
            frames = [self.frames]
        if self.size is not None:
            width, height = map(int, self.size.split("x"))
        return (*frames, height, width)


def main(
    model: TrainedModel,
    images: SampleSettings,
    codes: SamplerSettings,
    drawing: DrawingSettings,
) -> None:
    """Loads the model, draws, writes."""
    import numpy as np

    from vaegan_tf.cli.images import check_output, conditions, write

    if model.run.model_class.can("draw"):
        _draw(model, images, drawing)
        return
    if drawing != DrawingSettings():
        raise ValueError(
            "--size, --frames, --first_scale, --start, --mask and --animate "
            "are for models of one picture or clip."
        )
    count = images.count or COUNT
    check_output(images.output, count)
    run, trained, _ = model.open("sample")
    sampler = model.sampler(codes.sampler, codes)
    latent = sampler.codes(count, images.seed)
    drawn = []
    for start in range(0, count, BATCH_SIZE):
        rows = latent[start : start + BATCH_SIZE]
        attributes = conditions(images.condition, run, trained, len(rows))
        drawn.append(trained.decode(rows, attributes).numpy())
        if images.output.endswith("/"):  # As they come, not all at once.
            write(images.output, drawn.pop(), first=start)
    if drawn:
        write(images.output, np.concatenate(drawn))
    logging.info("Wrote %d images to %s.", count, images.output)


def _draw(model, images, drawing):
    """Samples of a model of one picture or clip, one after the other."""
    import numpy as np

    from vaegan_tf.cli.images import (
        check_drawings,
        example_of,
        mask_of,
        write_drawings,
    )
    from vaegan_tf.patch.harmonise import blended

    run, trained, _ = model.open("draw")
    shape = drawing.shape_for(trained.shape)
    count = images.count or COUNT_OF_ONE
    moving = (drawing.animate, *shape) if drawing.animate else shape
    check_drawings(images.output, count, moving)
    given = mask = None
    if drawing.first_scale:
        given = example_of(run, trained, drawing.start)
        if drawing.mask is not None:
            mask = mask_of(drawing.mask, given, shape)

    def still(seed, angle):
        where = {"seed": seed, "shape": shape, "angle": angle}
        if given is None:
            return trained.draw(1, **where)[0]
        sample = trained.refine(given, drawing.first_scale, **where)
        return (sample if mask is None else blended(sample, given, mask))[0]

    drawn = []
    for number in range(count):
        seed = np.array([images.seed, number], np.int32)
        frames = [still(seed, angle).numpy() for angle in drawing.angles]
        sample = np.stack(frames) if drawing.animate else frames[0]
        drawn.append(sample[None])
        if images.output.endswith("/"):  # As they come, not all at once.
            write_drawings(images.output, drawn.pop(), first=number)
    if drawn:
        write_drawings(images.output, np.concatenate(drawn))
    logging.info("Wrote %d samples to %s.", count, images.output)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
