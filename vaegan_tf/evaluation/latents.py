"""What does the encoder use its latent dimensions for?"""

import numpy as np

from vaegan_tf import losses
from vaegan_tf.evaluation import distances
from vaegan_tf.evaluation.distances import Gaussian, Moments, mean_and_error

ACTIVE_VARIANCE = 0.01


class Latents:
    """Statistics of posteriors q(z|x), accumulated batch by batch.

    The aggregate posterior, the mean of q(z|x) over images, is a mixture of
    as many Gaussians as there are images; its distance from the prior has no
    closed form. Computed instead is that of the one Gaussian with its mean and
    covariance, Cov[E z|x] + E[Var z|x].
    """

    def __init__(self, latent_dim: int):
        self.means = Moments(latent_dim)
        self.variance = np.zeros(latent_dim)
        self.kl = np.zeros(latent_dim)
        self.totals: list[np.ndarray] = []

    def add(self, mean: np.ndarray, log_variance: np.ndarray) -> None:
        """Adds posteriors, two arrays of (batch, latent)."""
        mean = np.asarray(mean, np.float64)
        log_variance = np.asarray(log_variance, np.float64)
        kl = losses.gaussian_kl_per_dimension(mean, log_variance).numpy()
        self.means.add(mean)
        self.variance += np.exp(log_variance).sum(axis=0)
        self.kl += kl.sum(axis=0)
        self.totals.append(kl.sum(axis=1))

    @property
    def kl_per_dimension(self) -> np.ndarray:
        """Mean KL divergence from the prior by dimension, in nats."""
        return self.kl / self.means.count

    @property
    def aggregate(self) -> Gaussian:
        """The Gaussian of the aggregate posterior's mean and covariance."""
        within = np.diag(self.variance / self.means.count)
        return Gaussian(self.means.mean, self.means.covariance + within)

    def scores(self) -> dict[str, tuple[float, float | None]]:
        """`(value, standard error or None)` by name.

        Active units are the dimensions where the variance of E[z|x] over
        images is above 0.01 (Burda et al., 2016, section 5).
        """
        aggregate, size = self.aggregate, len(self.kl)
        prior = Gaussian(np.zeros(size), np.eye(size))
        active = np.diag(self.means.covariance) > ACTIVE_VARIANCE
        distance = distances.frechet_distance(aggregate, prior)
        return {
            "kl": mean_and_error(np.concatenate(self.totals)),
            "active_units": (float(active.sum()), None),
            "aggregate_kl": (distances.divergence_from_prior(aggregate), None),
            "aggregate_frechet_distance": (distance, None),
        }
