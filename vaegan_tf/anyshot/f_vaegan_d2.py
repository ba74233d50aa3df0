"""f-VAEGAN-D2 and its parts: which networks make which model?"""

from vaegan_tf.anyshot.model import FeatureModel
from vaegan_tf.anyshot.networks import (
    ConditionalCritic,
    FeatureEncoder,
    FeatureGenerator,
    NovelCritic,
)
from vaegan_tf.models.registry import register
from vaegan_tf.settings import (
    FVAEGAND2Settings,
    FVAEGANSettings,
    FVAESettings,
    FWGANSettings,
)

RECONSTRUCTION = ("kl", "reconstruction_nll")
GAME = ("real", "generated", "penalty")
NOVEL_GAME = ("novel_real", "novel_generated", "novel_penalty")


@register("f_vae")
class FVAE(FeatureModel):
    """f-VAE: a conditional VAE of features."""

    title = "f-VAE"
    Settings = FVAESettings
    networks = {"encoder": FeatureEncoder, "decoder": FeatureGenerator}
    term_names = RECONSTRUCTION


@register("f_wgan")
class FWGAN(FeatureModel):
    """f-WGAN: a conditional Wasserstein GAN of features."""

    title = "f-WGAN"
    Settings = FWGANSettings
    networks = {"decoder": FeatureGenerator, "critic": ConditionalCritic}
    term_names = GAME


@register("f_vaegan")
class FVAEGAN(FeatureModel):
    """f-VAEGAN: both share the decoder; the inductive model."""

    title = "f-VAEGAN"
    Settings = FVAEGANSettings
    networks = {**FVAE.networks, **FWGAN.networks}
    term_names = (*RECONSTRUCTION, "reconstructed", *GAME)


@register("f_vaegan_d2")
class FVAEGAND2(FeatureModel):
    """f-VAEGAN-D2: with a critic of unlabelled novel features; transductive.

    Reference:
        Xian et al. (2019).
    """

    title = "f-VAEGAN-D2"
    Settings = FVAEGAND2Settings
    networks = {**FVAEGAN.networks, "novel_critic": NovelCritic}
    term_names = (*FVAEGAN.term_names, *NOVEL_GAME)
