"""Which scale is trained at which step, and at what cost?"""

import dataclasses
import math
from collections.abc import Iterator

from vaegan_tf.patch.pyramid import Pyramid
from vaegan_tf.settings import HPVAEGANSettings

# Passes through a network, each as costly as one forward: forward and twice as
# much backward, of reconstruction and fake; and the critic's of real and fake,
# of its gradient at the fake, and of the penalty and that one's gradient.
_VAE_PASSES = 3
_BLOCK_PASSES = 6
_CRITIC_PASSES = 6 + 1 + 6
# Maps of a layer that are kept at once in these passes, as measured.
_VAE_MAPS = 12
_GAN_MAPS = 32
_BYTES = 4


@dataclasses.dataclass(frozen=True)
class Stages:
    """The schedule: a stage for each scale, the coarsest first.

    Args:
        num_scales: How many there are.
        vae_scales: How many of them are a VAE's.
        steps: Steps of each stage.
    """

    num_scales: int
    vae_scales: int
    steps: int

    @property
    def last_step(self) -> int:
        """Steps of all stages."""
        return self.num_scales * self.steps

    def scale_at(self, step: int) -> int:
        """The scale that the step after so many steps trains."""
        return min(step // self.steps, self.num_scales - 1)

    def is_vae(self, scale: int) -> bool:
        """Whether the VAE grows at a scale, and not a GAN."""
        return scale < self.vae_scales

    def ends_with(self, step: int) -> bool:
        """Whether so many steps are those of whole stages."""
        return step > 0 and step % self.steps == 0


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one step of a stage takes: an estimate."""

    operations: float  # multiplications and additions
    memory_bytes: float


def costs(
    pyramid: Pyramid,
    stages: Stages,
    settings: HPVAEGANSettings,
    batch_size: int,
) -> Iterator[Cost]:
    """An estimate for one step of each stage, counted from its convolutions."""
    channels, layers = settings.channels, settings.layers
    taps = 27 if pyramid.is_clip else 9
    below = 0.0
    for scale, shape in enumerate(pyramid.shapes):
        positions = batch_size * math.prod(shape)
        forward = 2.0 * positions * taps * channels**2 * layers
        is_vae = stages.is_vae(scale)
        passes = _VAE_PASSES if is_vae else _BLOCK_PASSES + _CRITIC_PASSES
        maps = _VAE_MAPS if is_vae else _GAN_MAPS
        # A VAE's gradient passes through all that is below.
        through = 3 if is_vae else 2
        yield Cost(
            passes * forward + through * below,
            float(maps * positions * channels * layers * _BYTES),
        )
        below += forward
