"""A Gaussian mixture for the aggregate posterior."""

import numpy as np

from vaegan_tf.sampling.samplers import MixtureSampler
from vaegan_tf.settings import check

COVARIANCES = {"full": "full", "diagonal": "diag"}
MAX_DEFAULT_COMPONENTS = 10


def default_components(count: int, latent_dim: int) -> int:
    """Components for some codes: one for 10 codes a dimension, 10 at most."""
    wanted = count // (10 * latent_dim)
    return max(1, min(wanted, MAX_DEFAULT_COMPONENTS))


def fit_mixture(
    codes: np.ndarray,
    num_components: int | None = None,
    seed: int = 0,
    covariance: str = "full",
) -> MixtureSampler:
    """Fits a mixture of Gaussians by expectation maximisation.

    Args:
        codes: Codes to fit, (codes, latent).
        num_components: How many Gaussians; see `default_components`.
        seed: Seed of the first guess: the same seed, the same mixture.
        covariance: `"full"`, or `"diagonal"`, which needs fewer codes.

    Raises:
        ValueError: If an argument is out of range, or there are too few codes
            for so many components.

    Reference:
        Ghosh et al. (2020), "From variational to deterministic autoencoders",
        section 4, fit a mixture to the codes after training.
    """
    from sklearn.mixture import GaussianMixture

    codes = np.asarray(codes, np.float64)
    if num_components is None:
        num_components = default_components(*codes.shape)
    _check(codes, num_components, covariance)
    mixture = GaussianMixture(
        num_components,
        covariance_type=COVARIANCES[covariance],
        max_iter=200,
        random_state=seed,
    ).fit(codes)
    if covariance == "full":
        scales = np.linalg.cholesky(mixture.covariances_)
    else:
        scales = np.stack([np.diag(v) for v in np.sqrt(mixture.covariances_)])
    fitted = (mixture.weights_, mixture.means_, scales)
    return MixtureSampler(*[values.astype(np.float32) for values in fitted])


def _check(codes: np.ndarray, num_components: int, covariance: str) -> None:
    check("covariance", covariance, choices=list(COVARIANCES))
    check("num_components", num_components, low=1)
    needed = codes.shape[1] + 1 if covariance == "full" else 2
    if len(codes) < needed * num_components:
        raise ValueError(
            f"A mixture of {num_components} Gaussians in {codes.shape[1]} "
            f"dimensions needs {needed * num_components:,} codes or more. "
            f"Received: {len(codes):,} codes. Take fewer components."
        )
