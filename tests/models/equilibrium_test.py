import pytest
import tensorflow as tf

from vaegan_tf.models.equilibrium import equilibrium_gates


# Equilibrium 0.68, margin 0.35: the band reaches from 0.33 to 1.03.
@pytest.mark.parametrize(
    ("real", "generated", "decoder", "discriminator"),
    [
        (0.68, 0.68, True, True),
        (0.34, 1.02, True, True),
        # The discriminator is far ahead on one kind: it waits.
        (0.32, 0.68, True, False),
        (0.68, 0.32, True, False),
        # The discriminator is far behind on one kind: the decoder waits.
        (1.04, 0.68, False, True),
        (0.68, 1.04, False, True),
        # Both would wait: neither does.
        (0.32, 1.04, True, True),
        (1.04, 0.32, True, True),
    ],
)
def test_the_network_that_is_ahead_waits(
    real, generated, decoder, discriminator
):
    gates = equilibrium_gates(
        tf.constant(real), tf.constant(generated), margin=0.35
    )
    assert bool(gates["decoder"]) is decoder
    assert bool(gates["discriminator"]) is discriminator


def test_a_wider_margin_lets_both_step():
    gates = equilibrium_gates(tf.constant(0.3), tf.constant(0.9), margin=0.5)
    assert bool(gates["decoder"])
    assert bool(gates["discriminator"])
