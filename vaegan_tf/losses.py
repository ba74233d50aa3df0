"""The paper's formulas: tensors in, one value per example out, in nats.

Nothing here averages over the batch, weighs one term against another or
knows about a network: that is the models' part.
"""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from vaegan_tf import replicas

VARIANCE_EPSILON = 1e-6
SLOPE_EPSILON = 1e-12
ITSELF = 1e9  # Taken off what an example must not be compared with.


def gaussian_kl(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of a diagonal Gaussian from the standard normal, in nats.

    KL(N(mean, exp(log_variance)) || N(0, I))
        = ½ Σ (mean² + exp(log_variance) − log_variance − 1)

    Of posteriors (batch, latent) there is one non-negative value each,
    (batch,).

    Reference:
        Kingma & Welling (2014), appendix B; Larsen et al. (2016), eq. 4.
    """
    return tf.reduce_sum(gaussian_kl_per_dimension(mean, log_variance), -1)


def gaussian_kl_per_dimension(
    mean: tf.Tensor, log_variance: tf.Tensor
) -> tf.Tensor:
    """The summands of `gaussian_kl`, (batch, latent)."""
    variance = tf.exp(log_variance)
    return 0.5 * (tf.square(mean) + variance - log_variance - 1.0)


def uniformity(mean: tf.Tensor) -> tf.Tensor:
    """How crowded the directions of codes are, in nats.

    log mean_j exp(√d cos(mean_i, mean_j)),  j ≠ i

    The mean is over the other examples of the global batch. Of all
    distributions of directions the uniform one, which is the prior's, has the
    lowest expectation of that mean, about exp(½): √d times the cosine is then
    nearly standard normal. The logarithm estimates, up to a constant, the
    log-density of codes where a code lies; its mean is their negative entropy.

    Args:
        mean: Means of q(z|x), (batch, d).

    Returns:
        One value per example, (batch,); 0 for an example alone.

    Reference:
        Wang & Isola (2020), "Understanding contrastive representation
        learning through alignment and uniformity on the hypersphere": the
        uniformity loss with t = √d / 2, one logarithm per example, as in
        their estimate of the entropy.
    """
    unit = tf.math.l2_normalize(mean, axis=-1)
    everyone, own = replicas.gather(unit)
    size = tf.shape(everyone)[0]
    cosines = tf.matmul(unit, everyone, transpose_b=True)
    closeness = math.sqrt(unit.shape[-1]) * cosines
    others = closeness - ITSELF * tf.one_hot(own, size)
    count = tf.cast(tf.maximum(size - 1, 1), tf.float32)
    crowd = tf.reduce_logsumexp(others, axis=-1) - tf.math.log(count)
    return tf.where(size > 1, crowd, tf.zeros_like(crowd))


def gaussian_nll(
    target: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor | None = None
) -> tf.Tensor:
    """Negative log-likelihood of a Gaussian, in nats.

    −log N(target | mean, σ²) = ½ Σ (target − mean)² / σ² + constant

    The constant ½ Σ log 2πσ² is left out: it moves no gradient, and without it
    a perfect reconstruction costs nothing. The sum is over all axes of
    (batch, ..., channels) but the first. σ² is 1, or `variance` + 1e-6 of each
    channel, (channels,).

    Reference:
        Larsen et al. (2016), eq. 3 for pixels, eqs. 6 and 7 for features.
    """
    error = target - mean
    if variance is not None:
        error = standardize(error, variance)
    squares = tf.square(error)
    return 0.5 * tf.reduce_sum(squares, axis=list(range(1, squares.shape.rank)))


def feature_nll(
    real: tf.Tensor, reconstructed: tf.Tensor, scale: str = "unit"
) -> tf.Tensor:
    """Negative log-likelihood of real features, in nats.

    −log N(Dis_l(x) | Dis_l(x̃), I) = ½ Σ (Dis_l(x) − Dis_l(x̃))² + constant

    A discriminator can scale its features at will, and with them an error
    measured on them. In units of the real features' standard deviation the
    observation model keeps its meaning during training: its variance is the
    data's own, channel by channel. No gradient flows through the deviation.

    Args:
        real: Features of real images, Dis_l(x), (batch, ..., channels).
        reconstructed: Features of their reconstructions, of the same shape.
        scale: `"unit"` for the formula as it stands; `"batch"` to divide both
            by the standard deviation that each channel has over the real
            images of the global batch.

    Reference:
        Larsen et al. (2016), eqs. 6 and 7.
    """
    if scale == "unit":
        return gaussian_nll(real, reconstructed)
    # No gradient is wanted, and none may go from replica to replica.
    variance = replicas.variance(tf.stop_gradient(real))
    return gaussian_nll(real, reconstructed, variance)


def mean_over_layers(
    errors: Sequence[tf.Tensor], layers: Sequence[tf.Tensor]
) -> tf.Tensor:
    """The errors of several layers as one, (batch,).

    n̄ Σ w_l error_l / n_l / Σ w_l,  w_l = √n_l

    A mean weighted by the square roots of the layers' sizes, between a sum
    over all features, of which deep layers have few, and layers that weigh
    alike. n̄, the mean of the sizes, keeps the unit: the error of one layer
    stays as it is.

    Args:
        errors: Sums over the features of each layer, (batch,).
        layers: Its features, (batch, ...), n_l of each image.
    """
    counts = [math.prod(layer.shape[1:]) for layer in layers]
    roots = [math.sqrt(count) for count in counts]
    average = sum(counts) / len(counts)
    total = tf.add_n([error / root for error, root in zip(errors, roots)])
    return total * (average / sum(roots))


def standardize(features: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
    """`features / sqrt(variance + 1e-6)`; the (channels,) variance may be 0."""
    return features * tf.math.rsqrt(variance + VARIANCE_EPSILON)


def attribute_nll(
    attributes: tf.Tensor,
    logits: tf.Tensor,
    positive_weights: float | tf.Tensor = 1.0,
    negative_weights: float | tf.Tensor = 1.0,
) -> tf.Tensor:
    """Cross-entropy of attributes that are present or absent, in nats.

    −Σ (w⁺ y log p + w⁻ (1 − y) log(1 − p)),  p = sigmoid(logit)

    Args:
        attributes: y, 1 where present and 0 where absent, (batch, attributes).
        logits: Log-odds of each attribute, (batch, attributes).
        positive_weights: w⁺ of each attribute, (attributes,), or of all.
        negative_weights: w⁻ of each attribute, (attributes,), or of all.
    """
    present = positive_weights * attributes * tf.nn.softplus(-logits)
    absent = negative_weights * (1.0 - attributes) * tf.nn.softplus(logits)
    return tf.reduce_sum(present + absent, axis=-1)


def bernoulli_nll(target: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of numbers in [0, 1], in nats, summed: (batch,).

    −Σ (t log p + (1 − t) log(1 − p)),  p = sigmoid(logit)

    Both are (batch, d). Its least value is the entropy of the targets, not 0.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(target, logits)
    return tf.reduce_sum(losses, axis=-1)


def gradient_penalty(
    score: Callable[[tf.Tensor], tf.Tensor],
    real: tf.Tensor,
    generated: tf.Tensor,
    mixing: tf.Tensor,
) -> tf.Tensor:
    """How far a critic's slope is from 1 between real and generated examples.

    (‖∇D(x̂)‖ − 1)²,  x̂ = mixing · real + (1 − mixing) · generated

    Args:
        score: D, from (batch, ..., d) to scores, each example by itself; the
            slope is that of an example's sum of scores.
        real: Real features, (batch, d), or maps, (batch, *sizes, d).
        generated: Generated ones, of the same shape.
        mixing: Numbers in [0, 1], (batch, ..., 1).

    Returns:
        One value per example, (batch,), without unit; of maps one at each
        position, (batch, *sizes).

    Reference:
        Gulrajani et al. (2017), eq. 3, without its weight λ.
    """
    between = mixing * real + (1.0 - mixing) * generated
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        scores = score(between)
    slope = tape.gradient(scores, between)
    # The root has no gradient at 0.
    squared = tf.reduce_sum(tf.square(slope), -1) + SLOPE_EPSILON
    return tf.square(tf.sqrt(squared) - 1.0)


def real_nll(logit: tf.Tensor, epsilon: float = 0.0) -> tf.Tensor:
    """Cross-entropy of images labelled real, −log D, in nats.

    Args:
        logit: Discriminator's logit, D = sigmoid(logit), (batch, 1).
        epsilon: Added to D inside the logarithm: bounds the loss, as the
            authors' code does with 1e-3.

    Reference:
        Larsen et al. (2016), eq. 5, first term.
    """
    logit = tf.squeeze(logit, axis=-1)
    if epsilon:
        return -tf.math.log(tf.sigmoid(logit) + epsilon)
    return tf.nn.softplus(-logit)


def generated_nll(logit: tf.Tensor, epsilon: float = 0.0) -> tf.Tensor:
    """Cross-entropy of images labelled generated, −log(1 − D), in nats.

    Arguments and result as for `real_nll`; `epsilon` is added to 1 − D.

    Reference:
        Larsen et al. (2016), eq. 5, second term.
    """
    return real_nll(-logit, epsilon)


def real_hinge(logit: tf.Tensor) -> tf.Tensor:
    """Hinge loss of images labelled real, max(0, 1 − logit).

    Of a discriminator's logit, (batch, 1), there is one value each, (batch,).

    Reference:
        Lim & Ye (2017), "Geometric GAN".
    """
    return tf.nn.relu(1.0 - tf.squeeze(logit, axis=-1))


def generated_hinge(logit: tf.Tensor) -> tf.Tensor:
    """Hinge loss of images labelled generated, max(0, 1 + logit)."""
    return real_hinge(-logit)
