"""The equilibrium rule of the authors' code: who may step, given two costs."""

import tensorflow as tf

EQUILIBRIUM = 0.68
MARGIN = 0.35


def equilibrium_gates(
    real_cost: tf.Tensor, generated_cost: tf.Tensor, margin: float = MARGIN
) -> dict[str, tf.Tensor]:
    """Holds back the network that is too far ahead.

    A discriminator that is right about half the time has a loss of log 2 ≈
    0.69 nats on real and on generated images. Where either loss lies more than
    `margin` below the equilibrium the discriminator waits; where either lies
    more than `margin` above it the decoder waits; where both would wait
    neither does.

    Args:
        real_cost: Mean −log D(x) over real images, a scalar in nats.
        generated_cost: Mean −log(1 − D(x̃)) over generated images, a scalar.
        margin: Half the width of the band, in nats.

    Returns:
        Whether `decoder` and `discriminator` step, boolean scalars.

    Reference:
        The authors' code (not the paper): equilibrium 0.68, margin 0.35.
    """
    lowest = tf.minimum(real_cost, generated_cost)
    highest = tf.maximum(real_cost, generated_cost)
    discriminator_waits = lowest < EQUILIBRIUM - margin
    decoder_waits = highest > EQUILIBRIUM + margin
    both_wait = discriminator_waits & decoder_waits
    return {
        "decoder": ~decoder_waits | both_wait,
        "discriminator": ~discriminator_waits | both_wait,
    }
