"""Which scale is trained at which step, and at what cost?"""

import dataclasses
import math
import time
from collections.abc import Iterator

import tensorflow as tf

from vaegan_tf import hardware
from vaegan_tf.patch.networks import KERNEL, PLAIN
from vaegan_tf.patch.pyramid import Pyramid, cropped
from vaegan_tf.settings import HPVAEGANSettings

# Passes through a network, each as costly as one forward: forward and twice as
# much backward, of reconstruction and fake; and the critic's of real and fake,
# of its gradient at the fake, and of the penalty and that one's gradient.
_VAE_PASSES = 3
_BLOCK_PASSES = 6
_CRITIC_PASSES = 6 + 1
_PENALTY_PASSES = 6
# Maps of a layer that are kept at once in these passes, and what a step takes
# whatever the size, as measured.
_VAE_MAPS = 13
_GAN_MAPS = 14
_PENALTY_MAPS = 3
_STEP_BYTES = 130 * 2**20
_BYTES = 4
_TRIALS = 9
_SUGGESTED_CROP = 64


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
        whole, crop = (
            batch_size * math.prod(sizes)
            for sizes in (shape, cropped(shape, settings.penalty_crop))
        )
        if stages.is_vae(scale):
            # A VAE's gradient passes through all that is below.
            passes, through = _VAE_PASSES * whole, 3
            maps = _VAE_MAPS * whole
        else:
            passes = (_BLOCK_PASSES + _CRITIC_PASSES) * whole
            passes, through = passes + _PENALTY_PASSES * crop, 2
            maps = _GAN_MAPS * whole + _PENALTY_MAPS * crop
        of_position = 2.0 * taps * channels**2 * layers
        yield Cost(
            of_position * (passes + through * below),
            float(_STEP_BYTES + maps * channels * layers * _BYTES),
        )
        below += whole


def forecast(
    pyramid: Pyramid,
    stages: Stages,
    settings: HPVAEGANSettings,
    batch_size: int,
) -> list[str]:
    """Sizes of the scales, and memory and time of training, as lines of text.

    Both are estimates. Time is that of a convolution on this machine, measured
    now.

    Raises:
        ValueError: If the memory that is free does not suffice.
    """

    def needed(settings):
        found = costs(pyramid, stages, settings, batch_size)
        return max(cost.memory_bytes for cost in found) / 2**30

    need = needed(settings)
    _check_memory(need, needed(_on_crops(settings)))
    estimated = costs(pyramid, stages, settings, batch_size)
    total = stages.steps * sum(cost.operations for cost in estimated)
    minutes = max(total / _speed(pyramid, settings) / 60, 1)
    sizes = [" × ".join(map(str, shape)) for shape in pyramid.shapes]
    return [
        f"{len(sizes)} scales of {stages.steps:,} steps: {', '.join(sizes)}.",
        f"Training will take about {need:.2g} GiB and {minutes:.0f} minutes, "
        "as fast as the machine is now.",
    ]


def _check_memory(need: float, on_crops: float) -> None:
    """Refuses to begin what has to end for lack of memory, in GiB.

    Crops are suggested where these would do, for which nothing else changes.
    """
    free = None if hardware.gpus() else hardware.free_memory_bytes()
    if free is None or need <= free / 2**30:
        return
    crops = (
        f"`penalty_crop={_SUGGESTED_CROP}`, with which it is about "
        f"{on_crops:.2g}, or "
    )
    raise ValueError(
        f"Training would take about {need:.2g} GiB of memory at the finest "
        f"scale, and {free / 2**30:.2g} are free. Choose "
        f"{crops if on_crops <= free / 2**30 else ''}a smaller `image_size`, "
        "or fewer `channels` or `frames`."
    )


def _on_crops(settings: HPVAEGANSettings) -> HPVAEGANSettings:
    """The same, with penalties on the crops that are suggested."""
    crop = min(settings.penalty_crop or _SUGGESTED_CROP, _SUGGESTED_CROP)
    return dataclasses.replace(settings, penalty_crop=crop)


def _speed(pyramid: Pyramid, settings: HPVAEGANSettings) -> float:
    """Operations a second of a layer at the finest scale, the best of some."""
    shape, channels = pyramid.shapes[-1], settings.channels
    layer = PLAIN[len(shape)](channels, KERNEL, padding="same")
    maps = tf.zeros([1, *shape, channels])
    seconds = []
    for _ in range(_TRIALS):
        started = time.perf_counter()
        float(tf.reduce_sum(layer(maps)))
        seconds.append(time.perf_counter() - started)
    operations = 2 * math.prod(shape) * KERNEL ** len(shape) * channels**2
    return operations / min(seconds)
