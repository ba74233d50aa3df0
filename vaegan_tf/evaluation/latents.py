"""What does the encoder use its latent dimensions for?"""

import numpy as np

from vaegan_tf.evaluation import distances
from vaegan_tf.evaluation.statistics import Gaussian, Moments, mean_and_error

ACTIVE = 0.01


class Latents:
    """Statistics of posteriors q(z|x), gathered batch by batch.

    The aggregate posterior, the mean of q(z|x) over images, is a mixture of
    as many Gaussians as there are images; its distance from the prior has no
    closed form. What is given is that of the one Gaussian with its mean and
    covariance, Cov[E z|x] + E[Var z|x].

    Args:
        latent_dim: Dimension of z.
    """

    def __init__(self, latent_dim):
        self.means = Moments(latent_dim)
        self.variance = np.zeros(latent_dim)
        self.kl = np.zeros(latent_dim)
        self.totals = []

    def add(self, mean, log_variance):
        """Adds posteriors, two arrays of (batch, latent)."""
        mean, log_variance = (
            np.asarray(v, np.float64) for v in (mean, log_variance)
        )
        variance = np.exp(log_variance)
        kl = 0.5 * (np.square(mean) + variance - log_variance - 1.0)
        self.means.add(mean)
        self.variance += variance.sum(axis=0)
        self.kl += kl.sum(axis=0)
        self.totals.append(kl.sum(axis=1))

    @property
    def kl_per_dimension(self):
        """Mean KL divergence from the prior by dimension, in nats."""
        return self.kl / self.means.count

    @property
    def aggregate(self):
        """The Gaussian of the aggregate posterior's mean and covariance."""
        within = np.diag(self.variance / self.means.count)
        return Gaussian(self.means.mean, self.means.covariance + within)

    def scores(self):
        """`(value, standard error or None)` by name.

        Reference:
            Active units: Burda et al. (2016), section 5: dimensions where
            the variance of E[z|x] over images is above 0.01.
        """
        aggregate = self.aggregate
        size = len(self.kl)
        prior = Gaussian(np.zeros(size), np.eye(size))
        active = np.diag(self.means.covariance) > ACTIVE
        return {
            "kl": mean_and_error(np.concatenate(self.totals)),
            "active_units": (float(active.sum()), None),
            "aggregate_kl": (distances.divergence_from_prior(aggregate), None),
            "aggregate_frechet_distance": (
                distances.frechet_distance(aggregate, prior),
                None,
            ),
        }
