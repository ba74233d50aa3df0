"""Draws images with a trained model.

Codes come from the prior or from a sampler beside it: the same seed, the same
images. Writes one image grid, or a file for each image if --output ends in a
slash.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import (
    SAMPLERS,
    ConditionSettings,
    SamplerParameters,
    TrainedModel,
)
from vaegan_tf.settings import MAX_SEED, setting

BATCH_SIZE = 64


class SampleSettings(ConditionSettings):
    """How many images, and where they go."""

    count: int = setting(64, "How many images.", low=1)
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


def main(
    model: TrainedModel, images: SampleSettings, codes: SamplerSettings
) -> None:
    """Loads the model, draws, writes."""
    import numpy as np

    from vaegan_tf.cli.images import check_output, conditions, write

    check_output(images.output, images.count)
    run, trained, _ = model.open("sample")
    sampler = model.sampler(codes.sampler, codes)
    latent = sampler.codes(images.count, images.seed)
    drawn = []
    for start in range(0, images.count, BATCH_SIZE):
        rows = latent[start : start + BATCH_SIZE]
        attributes = conditions(images.condition, run, trained, len(rows))
        drawn.append(trained.decode(rows, attributes).numpy())
        if images.output.endswith("/"):  # As they come, not all at once.
            write(images.output, drawn.pop(), first=start)
    if drawn:
        write(images.output, np.concatenate(drawn))
    logging.info("Wrote %d images to %s.", images.count, images.output)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
