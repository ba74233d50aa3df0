"""Which single picture or clip, and which scales grow on which?

Settings of models that learn from one example: Hierarchical Patch VAE-GAN.
"""

from typing import ClassVar

from vaegan_tf.settings.data import SourceSettings
from vaegan_tf.settings.fields import Settings, changeable, setting
from vaegan_tf.settings.models import ModelSettings, add_kind
from vaegan_tf.settings.training import OptimisationSettings

SINGLES = ("texture", "avatar_clip", "picture", "clip")
OWN_FILES = ("picture", "clip")


class SingleDataSettings(SourceSettings):
    """The one picture or clip."""

    dataset: str = setting(
        "texture",
        "What is learned: texture, a picture, or avatar_clip, a clip, both "
        "drawn on this machine; or your own picture or clip, which "
        "--source_dir names.",
        choices=SINGLES,
    )
    source_dir: str | None = setting(
        None,
        "Your own file: an image; or a GIF, an MP4 or WebM (with the extra "
        "video), or a folder of frames.",
        is_path=True,
    )
    image_size: int = setting(
        128, "Longer side of the picture in pixels.", low=16, high=2048
    )
    frames: int = setting(13, "Frames of a clip, at most.", low=2, high=256)
    first_frame: int = setting(0, "Where in the clip they begin.", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset in OWN_FILES and self.source_dir is None:
            raise ValueError(
                f"dataset={self.dataset!r} needs `source_dir`, your own file."
            )
        if self.dataset not in OWN_FILES and self.source_dir is not None:
            raise ValueError(
                f"`source_dir` is for {' and '.join(OWN_FILES)}. Received: "
                f"{self.source_dir!r} for dataset={self.dataset!r}."
            )


class PatchOptimisationSettings(OptimisationSettings):
    """How far and how often the networks of each scale step."""

    batch_size: int = setting(
        1, "Copies of the example in a step, each with its own noise.", low=1
    )
    train_steps: int = changeable(
        10**9,
        "Steps to train for, at most: training ends when all scales are "
        "trained.",
        low=1,
        high=10**9,
    )
    optimizer: str = "adam"
    learning_rate: float = 5e-4
    learning_rate_decay: str = setting(
        "none", "Rates stay, but for the encoder's.", choices=("none",)
    )
    augmentation: str = setting(
        "none", "The example is used as it is.", choices=("none",)
    )
    precision: str = "float32"


class HPVAEGANSettings(ModelSettings):
    """A Hierarchical Patch VAE-GAN, and by `vae_scales` its two baselines."""

    Data: ClassVar = SingleDataSettings
    Optimisation: ClassVar[type[OptimisationSettings]] = (
        PatchOptimisationSettings
    )
    vae_scales: int = setting(
        3,
        "How many of the coarsest scales are a VAE; on the others patch GANs "
        "refine. 0: none, SinGAN's game; 99 or so: all, a patch VAE alone.",
        low=0,
        high=99,
    )
    scale_steps: int = setting(
        1000,
        "Steps of each scale; 5,000 for images and 50,000 for clips in the "
        "authors' code.",
        low=1,
        high=10**7,
    )
    smallest_size: int = setting(
        32, "Longer side of the coarsest scale in pixels.", low=8, high=1024
    )
    scale_factor: float = setting(
        0.75,
        "How much smaller each coarser scale is, at most: it is adjusted so "
        "that the sizes of the finest and of the coarsest fit.",
        low=0.1,
        high=0.95,
    )
    sampling_rates: tuple[int, ...] = setting(
        (4, 3, 2, 1),
        "Of a clip, every so manieth frame is seen, from the coarsest scale "
        "to the finest.",
    )
    channels: int = setting(
        32, "Channels of every layer; 64 in the authors' code.", low=1, high=512
    )
    layers: int = setting(
        5, "Layers between the first and the last of a network.", low=1, high=32
    )
    latent_channels: int = setting(
        128, "Channels of the map of latent codes.", low=1, high=4096
    )
    reconstruction_weight: float = setting(
        10.0, "Weight of the squared error of pixels.", low=0
    )
    kl_weight: float = setting(
        1.0,
        "Weight of the divergence from the prior, a mean over all numbers of "
        "the code.",
        low=0,
    )
    penalty_weight: float = setting(
        0.1, "Weight λ of the critic's gradient penalty.", low=0
    )
    penalty_crop: int | None = setting(
        None,
        "Longest side, in pixels, of the random crop that the penalty is "
        "computed on, to save memory (default: the whole).",
        low=8,
        high=2048,
    )
    noise_weight: float = setting(
        0.1,
        "Noise of a scale, over the error of reconstructions when it begins.",
        low=0,
    )
    encoder_rate_factor: float = setting(
        0.2,
        "What the rate of encoder and decoder is multiplied by at each further "
        "scale of the VAE.",
        above=0,
        high=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        rates = self.sampling_rates
        if not rates or min(rates) < 1 or rates != tuple(sorted(rates)[::-1]):
            raise ValueError(
                "`sampling_rates` must be whole numbers from 1, none above "
                f"the one before. Received: {rates}."
            )
        if rates[-1] != 1:
            raise ValueError(
                "`sampling_rates` must end in 1: the finest scale sees every "
                f"frame. Received: {rates}."
            )


class PatchScoreSettings(Settings):
    """How samples of a model of a single example are scored."""

    patch_samples: int = setting(
        20, "Samples of a picture or clip that are scored.", low=2
    )
    patch_size: int = setting(
        7, "Height and width of the patches that are compared.", low=1, high=31
    )
    patch_frames: int = setting(
        3, "Frames of the patches of a clip.", low=1, high=31
    )


add_kind("hp_vae_gan", HPVAEGANSettings, "vaegan_tf.patch.model")
