import numpy as np
import pytest
import tensorflow as tf

from vaegan_tf import noise
from vaegan_tf.noise import Purpose


def draw(seed=1, step=5, purpose=Purpose.PRIOR, count=4):
    return noise.normal([count, 3], seed, step, purpose).numpy()


def test_the_same_arguments_give_the_same_numbers():
    np.testing.assert_array_equal(draw(), draw())
    traced = tf.function(lambda step: noise.normal([4, 3], 1, step, 1))
    np.testing.assert_array_equal(traced(tf.constant(5)), draw())


@pytest.mark.parametrize(
    "other", [{"seed": 2}, {"step": 6}, {"purpose": Purpose.POSTERIOR}]
)
def test_every_argument_matters(other):
    assert np.abs(draw() - draw(**other)).min() > 1e-4


def test_numbers_are_standard_normal():
    numbers = draw(count=20_000)
    assert abs(numbers.mean()) < 0.01
    assert numbers.std() == pytest.approx(1, abs=0.01)


def test_noise_that_turns_stays_normal_and_comes_back():
    def turned(angle, count=20_000):
        shape = [count, 3]
        return noise.turned_normal(shape, 1, 5, Purpose.PRIOR, angle).numpy()

    np.testing.assert_array_equal(turned(0.0, 4), draw())
    np.testing.assert_allclose(turned(2 * np.pi, 4), draw(), atol=1e-5)
    np.testing.assert_allclose(turned(np.pi, 4), -draw(), atol=1e-5)
    quarter = turned(np.pi / 2)
    eighth = turned(np.pi / 4)
    assert eighth.std() == pytest.approx(1, abs=0.01)
    # E[n(0) n(α)] = cos α.
    both = np.mean(draw(count=20_000) * eighth)
    assert both == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert abs(np.mean(draw(count=20_000) * quarter)) < 0.02


def test_a_seed_may_be_a_pair():
    np.testing.assert_array_equal(noise.fold([3, 4]), [3, 4])
    np.testing.assert_array_equal(noise.fold(3), [3, 0])
    assert (noise.fold(3, 7).numpy() != noise.fold(3, 8).numpy()).any()


@pytest.mark.parametrize(("first", "second"), [(2, 2), (3, 1), (0, 4)])
def test_replicas_share_out_the_rows_of_the_global_batch(
    on_both, first, second
):
    parts = on_both(lambda n: noise.normal([n, 3], 1, 5, 1), first, second)
    assert [len(part) for part in parts] == [first, second]
    np.testing.assert_array_equal(np.concatenate(parts), draw(count=4))


def test_latent_codes_accept_tensors():
    eager = noise.latent_codes(3, 5, [1, 2])
    traced = tf.function(lambda n, seed: noise.latent_codes(n, 5, seed))
    np.testing.assert_array_equal(
        traced(tf.constant(3), tf.constant([1, 2])), eager
    )


def test_uniform_numbers():
    numbers = noise.uniform([20_000, 2], 1, 5, Purpose.DROPOUT).numpy()
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert (numbers < 0.2).mean() == pytest.approx(0.2, abs=0.01)
    other = noise.uniform([20_000, 2], 1, 6, Purpose.DROPOUT)
    assert (numbers != other.numpy()).mean() > 0.99


def test_codes_are_reparameterized():
    # σ = exp(½ log 4) = 2: z = 1 + 2 · 3, and its derivatives by μ and log σ².
    mean, log_variance = tf.constant([[1.0]]), tf.math.log([[4.0]])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        code = noise.reparameterize(mean, log_variance, tf.constant([[3.0]]))
    assert code.numpy() == pytest.approx(7.0)
    gradients = tape.gradient(code, [mean, log_variance])
    np.testing.assert_allclose(np.ravel(gradients), [1.0, 0.5 * 2 * 3])
