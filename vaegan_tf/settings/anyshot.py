"""Which features, which classes are novel, and which parts play?

Settings of models that make features of classes without images, for any-shot
learning.
"""

from typing import ClassVar

from vaegan_tf.settings.data import SourceSettings
from vaegan_tf.settings.fields import Settings, changeable, setting
from vaegan_tf.settings.models import ModelSettings, add_kind
from vaegan_tf.settings.training import OptimisationSettings

PRIORS = ("known", "estimated", "uniform")
STAGES = ("test", "validation")


class FeatureDataSettings(SourceSettings):
    """The features, and which of their classes are novel."""

    dataset: str = setting(
        "avatars_anyshot",
        "Data set: avatars_anyshot (drawn and computed on this machine), or "
        "xlsa17, the layout of the field's feature files, in --source_dir.",
        choices=("avatars_anyshot", "xlsa17"),
    )
    source_dir: str | None = setting(
        None,
        "Folder of the layout xlsa17: att_splits.mat and the file of features.",
        is_path=True,
    )
    features_file: str = setting(
        "res101.mat", "Name of the file with `features` and `labels`."
    )
    stage: str = setting(
        "test",
        "Which classes are novel: those of the test, or the validation "
        "classes, on which everything is chosen.",
        choices=STAGES,
    )
    shots: int = setting(
        0, "Labelled examples of each novel class: 0 for zero-shot.", low=0
    )
    shots_file: str | None = setting(
        None,
        "Name of the file in --source_dir whose `sample_idx_split` says which "
        "examples these are, with the few-shot split (default: drawn by the "
        "seed).",
    )
    class_balanced: bool = setting(
        False,
        "Draw the classes of a batch uniformly, as in few-shot learning, "
        "instead of its examples.",
    )


class TransductiveDataSettings(FeatureDataSettings):
    """Features, those of novel classes without their labels among them."""

    novel_prior: str = setting(
        "known",
        "How often each novel class is generated for the unconditional critic: "
        "as often as in the test, which the released code knows; as often as "
        "ESZSL predicts it, an estimate; or all as often.",
        choices=PRIORS,
    )


class AnyShotSettings(Settings):
    """How classes are recognised by features that a model draws."""

    synthetic_for_novel: int = setting(
        300,
        "Features drawn of each novel class, to classify among novel ones.",
        low=1,
    )
    synthetic_beside_seen: int = setting(
        1000,
        "Features drawn of each novel class, to classify among all: the more, "
        "the more often an example is taken for a novel one.",
        low=1,
    )
    epochs: int = setting(30, "Epochs of the softmax classifier.", low=1)
    classifier_batch_size: int = setting(
        256, "Features in a step of the classifier.", low=1
    )
    classifier_rate: float = setting(
        1e-3, "Learning rate of the classifier.", above=0
    )
    classifier_decay: float = setting(
        0.03, "Weight of the classifier's squared weights.", low=0
    )
    every_checkpoint: bool = setting(
        False,
        "Score all checkpoints of the run for the column of the best on the "
        "test examples.",
    )


class FeatureOptimisationSettings(OptimisationSettings):
    """How far and how often the networks of features step."""

    batch_size: int = 64
    train_steps: int = changeable(5000, "Steps to train for.", low=1)
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    learning_rate_decay: str = "none"
    augmentation: str = setting(
        "none", "Features are used as they are.", choices=("none",)
    )
    precision: str = "float32"


class FeatureModelSettings(ModelSettings):
    """A model that draws features of classes from codes and attributes."""

    Data: ClassVar = FeatureDataSettings
    Optimisation: ClassVar[type[OptimisationSettings]] = (
        FeatureOptimisationSettings
    )
    observation: str = setting(
        "bernoulli",
        "How features are scaled and compared: to the unit interval, by a "
        "sigmoid and cross-entropy, as in the released code; or to mean 0 and "
        "variance 1, by squared errors.",
        choices=("bernoulli", "gaussian"),
    )
    hidden_units: int = setting(
        1024, "Units of the hidden layer of every network.", low=1
    )
    weight_decay: float = setting(
        0.0,
        "λ of the penalty λ Σ w² on the decoder's kernels, which makes "
        "features change smoothly with attributes.",
        low=0,
    )
    ema_momentum: float = setting(
        0.99,
        "Momentum of the running average of the decoder that draws features "
        "after training; 0 for none.",
        low=0,
        below=1,
    )
    latent_dim: int | None = setting(
        None,
        "Dimension of the latent code (default: as many as attributes).",
        low=1,
    )


class ReconstructionSettings(FeatureModelSettings):
    """The part of the VAE."""

    kl_weight: float = setting(
        1.0, "Weight of the divergence from the prior in the encoder.", low=0
    )


class CriticSettings(FeatureModelSettings):
    """The part of the Wasserstein GAN."""

    gamma: float = setting(
        10.0,
        "Weight γ of fooling the conditional critic, in the decoder.",
        low=0,
    )
    penalty_weight: float = setting(
        10.0, "Weight λ of the gradient penalty in each critic.", low=0
    )
    critic_steps: int = setting(
        5, "Steps of a critic for one of the other networks.", low=1
    )


class FVAESettings(ReconstructionSettings):
    """An f-VAE."""


class FWGANSettings(CriticSettings):
    """An f-WGAN."""


class FVAEGANSettings(CriticSettings, ReconstructionSettings):
    """An f-VAEGAN, the inductive model."""


class FVAEGAND2Settings(FVAEGANSettings):
    """An f-VAEGAN-D2, the transductive model."""

    Data: ClassVar = TransductiveDataSettings
    novel_gamma: float = setting(
        10.0,
        "Weight of fooling the unconditional critic of novel features, in the "
        "decoder.",
        low=0,
    )


for _kind, _group in {
    "f_vae": FVAESettings,
    "f_wgan": FWGANSettings,
    "f_vaegan": FVAEGANSettings,
    "f_vaegan_d2": FVAEGAND2Settings,
}.items():
    add_kind(_kind, _group, "vaegan_tf.anyshot.f_vaegan_d2")
