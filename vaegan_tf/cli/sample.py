"""Draws images with a trained model.

Codes come from the prior or from a sampler beside it: the same seed, the same
images. Writes one image grid, or a file for each image if --output ends in a
slash.
"""

from vaegan_tf.cli import app
from vaegan_tf.cli.options import (
    SAMPLERS,
    ConditionSettings,
    SamplerParameters,
    TrainedModel,
)
from vaegan_tf.settings import setting


class SampleSettings(ConditionSettings):
    """How many images, and where they go."""

    count: int = setting(64, "How many images.", low=1)
    seed: int = setting(0, "Seed of the codes.", low=0)
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
    from vaegan_tf.cli.images import conditions, write

    run, trained, _ = model.open("sample")
    attributes = conditions(images.condition, run, trained, images.count)
    sampler = model.sampler(codes.sampler, codes)
    latent = sampler.codes(images.count, images.seed)
    write(images.output, trained.decode(latent, attributes).numpy())


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
