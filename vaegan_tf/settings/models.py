"""Which model, on which networks, minimising what?

Each model has one group of settings, made of those of its parts. The classes
in `vaegan_tf.models` read them; here they are declared without TensorFlow, so
that a help page does not wait for it.
"""

from typing import ClassVar

from vaegan_tf.settings.choices import FEATURE_SCALES
from vaegan_tf.settings.data import (
    DataSettings,
    LabelledDataSettings,
    SourceSettings,
)
from vaegan_tf.settings.fields import Settings, fields, setting
from vaegan_tf.settings.training import OptimisationSettings


class ModelSettings(Settings):
    """What every model has: the base of its group of settings.

    Attributes:
        Data: The group of settings of its data sets.
        Optimisation: That of how its networks step.
    """

    Data: ClassVar[type[SourceSettings]] = DataSettings
    Optimisation: ClassVar[type[OptimisationSettings]] = OptimisationSettings


class NetworkSettings(ModelSettings):
    """What all networks of a model have in common."""

    width: float = setting(
        1.0,
        "Multiplies the channels and units of every layer; 0.5 trains about "
        "three times as fast.",
        low=0.01,
        high=16,
    )
    initializer: str = setting(
        "glorot", "First values of kernels.", choices=("glorot", "authors")
    )
    weight_decay: float = setting(
        0.0,
        "λ of the penalty λ Σ w² on kernels; 1e-5 in the authors' code.",
        low=0,
    )


class GenerativeSettings(NetworkSettings):
    """A model that draws images from codes."""

    conditional: bool = setting(
        False, "Give the networks the attributes as input."
    )
    latent_dim: int = setting(
        128, "Dimension of the latent code.", low=1, high=2**16
    )
    decoder_normalization: str = setting(
        "group",
        "What normalises the decoder's maps: the statistics of the batch, as "
        "in the paper; or those of groups of 16 channels of each image.",
        choices=("batch", "group"),
    )
    upsampling: str = setting(
        "nearest",
        "How the decoder enlarges maps: 5×5 transposed convolutions, as in "
        "the paper; or nearest neighbours and 3×3 convolutions, which leave "
        "no grain.",
        choices=("transposed", "nearest"),
    )
    ema_momentum: float = setting(
        0.999,
        "Momentum of the running averages of encoder and decoder that are "
        "used after training; 0 for none.",
        low=0,
        below=1,
    )


class EncoderSettings(GenerativeSettings):
    """The encoder."""

    encoder_units: int = setting(
        2048,
        "Units of the encoder's fully connected layer: 2048 in the paper, "
        "1024 in the authors' code.",
        low=1,
        high=2**16,
    )
    codes: str = setting(
        "white",
        "Codes over the data: free, as in the paper; centered at 0, where the "
        "prior is, by a batch normalisation of the posterior mean; or white, "
        "with the prior's covariance as well.",
        choices=("free", "centered", "white"),
    )


class DivergenceSettings(EncoderSettings):
    """An encoder whose codes are drawn to the prior by their divergence."""

    kl_weight: float | None = setting(
        None,
        "Weight of the divergence from the prior in the encoder; 1 in the "
        "paper. Higher: better samples, less faithful reconstructions "
        "(default: 1 for errors of pixels or of features as they are; else "
        "the number of features in a layer over 3,550, 24 for the paper's "
        "networks).",
        low=0,
    )
    uniformity_weight: float = setting(
        0.0,
        "Weight, beside each code's divergence, of how crowded the directions "
        "of a batch's codes are; none in the paper. Helps where images come in "
        "kinds: 250 for avatars.",
        low=0,
    )


class DiscriminatorSettings(GenerativeSettings):
    """The discriminator."""

    feature_layers: tuple[int, ...] = setting(
        (),
        "Layers l of the learned distance, as the numbers of downsamplings "
        "before them, 0 for the first convolution; a layer weighs as the "
        "square root of its size (default: all; 3 in the authors' code).",
    )
    discriminator_normalization: str = setting(
        "spectral",
        "What is normalised in the discriminator: maps, by the statistics of "
        "the batch, as in the paper; or kernels, by their spectral norm, with "
        "biases and leaky rectifiers (Miyato et al., 2018).",
        choices=("batch", "spectral"),
    )


class FeatureErrorSettings(DiscriminatorSettings):
    """The reconstruction error in layer l of a discriminator."""

    feature_scale: str = setting(
        "batch",
        "Features in the feature error: as they are, as in the paper, or in "
        "units of their standard deviation over the batch.",
        choices=FEATURE_SCALES,
    )


class AdversarialSettings(DiscriminatorSettings):
    """The game of decoder and discriminator."""

    adversarial: str = setting(
        "hinge",
        "The game: minimax, where the decoder minimises minus the "
        "discriminator's loss, as in the paper; non_saturating, where it "
        "minimises −log D, whose gradient does not vanish while the "
        "discriminator wins (Goodfellow et al., 2014); or hinge losses of the "
        "logits (Lim & Ye, 2017).",
        choices=("minimax", "non_saturating", "hinge"),
    )
    real_weight: float | None = setting(
        None,
        "Weight w of the loss on real images in the discriminator, the mean "
        "of the others weighing 1 − w, as the authors' real_vs_gen_weight "
        "(default: all weigh 1).",
        above=0,
        below=1,
    )
    log_epsilon: float = setting(
        0.0,
        "Added inside the discriminator's logarithms; 1e-3 in the authors' "
        "code.",
        low=0,
    )
    batch_statistics: str = setting(
        "separate",
        "Which images share batch statistics: all in a network; paired as in "
        "the authors' code, reconstructions with real images for features "
        "and samples with real images for logits; or each kind by itself, "
        "which keeps the discriminator from winning early.",
        choices=("joint", "paired", "separate"),
    )
    equilibrium_margin: float | None = setting(
        None,
        "Margin of the equilibrium rule, which skips updates of the network "
        "that is ahead; 0.35 in the authors' code (default: no rule).",
        above=0,
    )


class VAESettings(DivergenceSettings):
    """A VAE."""

    kl_weight: float = 1.0


class GANOptimisationSettings(OptimisationSettings):
    """How far and how often a GAN steps: by Muon it collapses."""

    optimizer: str = "adam"


class GANSettings(AdversarialSettings):
    """A GAN."""

    Optimisation: ClassVar[type[OptimisationSettings]] = GANOptimisationSettings


class VAEGANSettings(
    AdversarialSettings, FeatureErrorSettings, DivergenceSettings
):
    """A VAE/GAN."""

    gamma: float | None = setting(
        None,
        "Weight of the feature error against fooling the discriminator, in "
        "the decoder: the paper's γ (default: set by the gradient ratio).",
        above=0,
    )
    gradient_ratio: float = setting(
        1.5,
        "Without γ or w: sets γ at every step so that the gradient of the "
        "feature error at the decoder's images is so many times as long as "
        "that of fooling the discriminator.",
        above=0,
    )
    reconstruction_weight: float | None = setting(
        None,
        "The authors' w, instead of γ: weight w of the feature error and "
        "1 − w of fooling the discriminator.",
        above=0,
        below=1,
    )
    discriminate_reconstructions: bool = setting(
        True, "Let the discriminator learn from reconstructions too."
    )


class LearnedMetricVAESettings(FeatureErrorSettings, DivergenceSettings):
    """A VAE with the learned distance of a trained GAN."""

    discriminator_from: str | None = setting(
        None,
        "Run folder of the trained GAN whose discriminator measures distance.",
        is_path=True,
    )


class PredictorOptimisationSettings(OptimisationSettings):
    """How far and how often a predictor steps."""

    train_steps: int = 3000
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    learning_rate_decay: str = "cosine"
    final_learning_rate: float = 0.0
    beta_1: float = 0.9
    augmentation: str = "authors"


class PredictorSettings(NetworkSettings):
    """A predictor of attributes."""

    Data: ClassVar[type[SourceSettings]] = LabelledDataSettings
    Optimisation: ClassVar[type[OptimisationSettings]] = (
        PredictorOptimisationSettings
    )
    backbone: str = setting(
        "small",
        "Network from image to features: small has five or so convolutions "
        "and a million weights; encoder is that of the paper's models; "
        "resnet34 needs the package keras-hub.",
        choices=("small", "encoder", "resnet34"),
    )
    encoder_units: int = setting(
        2048, "Units of an encoder's fully connected layer.", low=1, high=2**16
    )
    from_run: str | None = setting(
        None,
        "Run folder of a trained model whose encoder's weights an encoder "
        "starts from (default: fresh ones).",
        is_path=True,
    )
    backbone_weights: str | None = setting(
        None,
        "Trained weights that resnet34 starts from: a preset of keras-hub, "
        "such as resnet_vd_34_imagenet, or its folder or .weights.h5 file "
        "(default: fresh ones).",
    )
    weight_decay: float = 1e-4
    balance: float = setting(
        0.5,
        "How much the loss makes up for rare attributes: 0 not at all, 1 "
        "until presence and absence weigh the same. Answers are corrected "
        "for it.",
        low=0,
        high=1,
    )
    dropout: float = setting(
        0.2, "Probability with which training hides a feature.", low=0, below=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        others = {
            "small": ("backbone_weights", "encoder_units", "from_run"),
            "encoder": ("backbone_weights",),
            "resnet34": (
                *("width", "weight_decay", "initializer"),
                *("encoder_units", "from_run"),
            ),
        }
        known = fields(type(self))
        for name in others[self.backbone]:
            if getattr(self, name) != known[name].default:
                raise ValueError(
                    f"`{name}` does not apply to backbone={self.backbone!r}."
                )


# The settings of each kind of model, and the module that registers its class.
_KINDS: dict[str, tuple[type[ModelSettings], str]] = {
    "vae": (VAESettings, "vaegan_tf.models.vae"),
    "gan": (GANSettings, "vaegan_tf.models.gan"),
    "vaegan": (VAEGANSettings, "vaegan_tf.models.vaegan"),
    "learned_metric_vae": (
        LearnedMetricVAESettings,
        "vaegan_tf.models.learned_metric_vae",
    ),
    "predictor": (PredictorSettings, "vaegan_tf.predictor.model"),
}


def add_kind(kind: str, group: type[ModelSettings], module: str) -> None:
    """Makes a kind of model known by its name.

    Args:
        kind: The name.
        group: Its settings.
        module: Dotted name of the module that registers its class.
    """
    _KINDS[kind] = group, module


def kinds() -> tuple[str, ...]:
    """Names of all kinds of models."""
    return tuple(_KINDS)


def settings_of(kind: str) -> type[ModelSettings]:
    """The group of settings of a kind of model.

    Raises:
        ValueError: If there is no such kind.
    """
    if kind not in _KINDS:
        raise ValueError(
            f"`model` must be one of {', '.join(_KINDS)}. A model of your own "
            "is registered by importing its module (--import). "
            f"Received: model={kind!r}."
        )
    return _KINDS[kind][0]


def module_of(kind: str) -> str | None:
    """The module that registers the class of a kind; `None` if none does."""
    return _KINDS[kind][1] if kind in _KINDS else None
