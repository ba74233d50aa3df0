"""The paper's formulas: tensors in, one value per example out, in nats.

Nothing here averages over the batch, weighs one term against another or
knows about a network: that is what models do with these numbers.
"""

import tensorflow as tf

from vaegan_tf import replicas

FEATURE_SCALES = ("unit", "batch")


def gaussian_kl(mean, log_variance):
    """KL divergence of a diagonal Gaussian from the standard normal, in nats.

    KL(N(mean, exp(log_variance)) || N(0, I))
        = ½ Σ (mean² + exp(log_variance) − log_variance − 1)

    Args:
        mean: Posterior mean, (batch, latent).
        log_variance: Logarithm of the posterior variance, (batch, latent).

    Returns:
        One non-negative value per example, (batch,).

    Reference:
        Kingma & Welling (2014), appendix B; Larsen et al. (2016), eq. 4.
    """
    return 0.5 * tf.reduce_sum(
        tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0, axis=-1
    )


def gaussian_nll(target, mean):
    """Negative log-likelihood of a Gaussian of unit variance, in nats.

    −log N(target | mean, I) = ½ Σ (target − mean)² + constant

    The constant ½ D log 2π is left out: it moves no gradient, and without it
    a perfect reconstruction costs nothing.

    Args:
        target: What was observed, (batch, ...).
        mean: What the model expects, of the same shape.

    Returns:
        One non-negative value per example, (batch,), summed over all others.

    Reference:
        Larsen et al. (2016), eq. 3 for pixels, eqs. 6 and 7 for features.
    """
    error = tf.square(target - mean)
    return 0.5 * tf.reduce_sum(error, axis=tf.range(1, tf.rank(error)))


def feature_nll(real, reconstructed, scale="unit"):
    """Negative log-likelihood of real features, in nats.

    −log N(Dis_l(x) | Dis_l(x̃), I) = ½ Σ (Dis_l(x) − Dis_l(x̃))² + constant

    Args:
        real: Features of real images, Dis_l(x), (batch, ..., channels).
        reconstructed: Features of their reconstructions, of the same shape.
        scale: `"unit"` for the formula as it stands; `"batch"` to measure in
            units of the real features' standard deviation, see `standardize`.

    Returns:
        One non-negative value per example, (batch,).

    Reference:
        Larsen et al. (2016), eqs. 6 and 7.
    """
    if scale == "batch":
        reconstructed = standardize(reconstructed, reference=real)
        real = standardize(real, reference=real)
    return gaussian_nll(real, reconstructed)


def check_feature_scale(scale):
    """Refuses what `feature_nll` does not know.

    Raises:
        ValueError: If `scale` is neither `"unit"` nor `"batch"`.
    """
    if scale not in FEATURE_SCALES:
        raise ValueError(
            f"`feature_scale` must be one of {FEATURE_SCALES}. "
            f"Received: feature_scale={scale!r}."
        )


def standardize(features, reference, epsilon=1e-6):
    """Divides features by the spread that a reference batch has per channel.

    The batch is the global one, of all replicas.

    A discriminator can grow its features at will, and with them an error
    measured on them. In units of the reference's standard deviation the
    observation model of eq. 6, N(Dis_l(x) | Dis_l(x̃), I), keeps its meaning
    during training: its variance is the data's own, channel by channel. No
    gradient flows through the spread.

    Args:
        features: Activations to divide, (batch, ..., channels).
        reference: Activations of real images, (batch, ..., channels).
        epsilon: Added to the variance, which may be 0.

    Returns:
        `features / sqrt(variance(reference) + epsilon)`, of the same shape.
    """
    # No gradient is wanted, and none may be sent from replica to replica.
    variance = replicas.variance(tf.stop_gradient(reference))
    return features * tf.math.rsqrt(variance + epsilon)


def attribute_nll(
    attributes, logits, positive_weights=1.0, negative_weights=1.0
):
    """Cross-entropy of attributes that are present or absent, in nats.

    −Σ (w⁺ y log p + w⁻ (1 − y) log(1 − p)),  p = sigmoid(logit)

    Args:
        attributes: y, 1 where present and 0 where absent, (batch, attributes).
        logits: Log-odds of each attribute, (batch, attributes).
        positive_weights: w⁺ of each attribute, (attributes,), or of all.
        negative_weights: w⁻ of each attribute, (attributes,), or of all.

    Returns:
        One non-negative value per example, (batch,), summed over attributes.
    """
    present = positive_weights * attributes * tf.nn.softplus(-logits)
    absent = negative_weights * (1.0 - attributes) * tf.nn.softplus(logits)
    return tf.reduce_sum(present + absent, axis=-1)


def real_nll(logit, epsilon=0.0):
    """What calling an image generated costs if it is real, −log D, in nats.

    Args:
        logit: Discriminator's logit, D = sigmoid(logit), (batch, 1).
        epsilon: Added to D inside the logarithm: bounds the cost, as the
            authors' code does with 1e-3.

    Returns:
        One value per example, (batch,).

    Reference:
        Larsen et al. (2016), eq. 5, first term.
    """
    logit = tf.squeeze(logit, axis=-1)
    if epsilon:
        return -tf.math.log(tf.sigmoid(logit) + epsilon)
    return tf.nn.softplus(-logit)


def generated_nll(logit, epsilon=0.0):
    """What calling an image real costs if it is generated, −log(1 − D).

    Args:
        logit: Discriminator's logit, D = sigmoid(logit), (batch, 1).
        epsilon: Added to 1 − D inside the logarithm.

    Returns:
        One value per example, (batch,), in nats.

    Reference:
        Larsen et al. (2016), eq. 5, second term.
    """
    return real_nll(-logit, epsilon)
