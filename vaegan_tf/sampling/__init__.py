"""Where do codes come from? The prior, and what may stand beside it."""

from vaegan_tf.sampling.codes import PosteriorCodes, posterior_codes
from vaegan_tf.sampling.create import create_sampler, kept_mixture
from vaegan_tf.sampling.fit import fit_mixture
from vaegan_tf.sampling.samplers import (
    MixtureSampler,
    PriorSampler,
    Sampler,
    TruncatedSampler,
)
from vaegan_tf.settings.choices import SAMPLERS

__all__ = [
    "SAMPLERS",
    "MixtureSampler",
    "PosteriorCodes",
    "PriorSampler",
    "Sampler",
    "TruncatedSampler",
    "create_sampler",
    "fit_mixture",
    "kept_mixture",
    "posterior_codes",
]
