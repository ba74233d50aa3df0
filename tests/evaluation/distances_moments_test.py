import numpy as np
import pytest

from vaegan_tf.evaluation.distances import Gaussian, Moments, mean_and_error


def vectors(count=50, dimension=4, seed=0, shift=0.0):
    generator = np.random.default_rng(seed)
    return generator.standard_normal((count, dimension)) + shift


def moments(*batches):
    result = Moments(batches[0].shape[1])
    for batch in batches:
        result.add(batch)
    return result


@pytest.mark.parametrize("sizes", [[50], [1] * 50, [7, 0, 31, 12]])
def test_batches_give_what_all_at_once_gives(sizes):
    # Far from 0, where a sum of squares would lose all its digits.
    all_of_them = vectors(shift=1e8)
    parts = np.split(all_of_them, np.cumsum(sizes)[:-1])
    found = moments(*parts)
    assert found.count == 50
    np.testing.assert_allclose(found.mean, all_of_them.mean(0), rtol=1e-12)
    expected = np.cov(all_of_them, rowvar=False)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-7)


def test_float32_is_summed_in_float64():
    batch = vectors(20_000).astype(np.float32) + np.float32(1000)
    expected = np.cov(batch.astype(np.float64), rowvar=False)
    found = moments(*np.split(batch, 100)).covariance
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_merging_leaves_the_parts_alone():
    one, other = moments(vectors(30)), moments(vectors(20, seed=1, shift=3))
    both = one.merged(other)
    expected = np.concatenate([vectors(30), vectors(20, seed=1, shift=3)])
    np.testing.assert_allclose(both.covariance, np.cov(expected.T), rtol=1e-12)
    np.testing.assert_allclose(one.mean, vectors(30).mean(0), rtol=1e-12)
    assert (one.count, other.count, both.count) == (30, 20, 50)


def test_one_vector_has_no_covariance():
    with pytest.raises(ValueError, match=r"at least 2 vectors\. Received: 1"):
        _ = moments(vectors(1)).covariance


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad):
    batch = vectors(3)
    batch[1, 2] = bad
    with pytest.raises(ValueError, match="not finite"):
        moments(batch)


def test_a_factor_is_a_root_of_the_covariance():
    covariance = np.cov(vectors(), rowvar=False)
    factor = Gaussian(np.zeros(4), covariance).factor
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=1e-12)


def test_the_factor_has_the_rank_of_the_covariance():
    # Three vectors span a plane around their mean.
    assert moments(vectors(3, 10)).gaussian.factor.shape == (10, 2)


def test_mean_and_error():
    # Variance ((-1)² + 0 + 1²) / 2 = 1, of the mean 1 / 3.
    assert mean_and_error([1, 2, 3]) == (2.0, pytest.approx(3**-0.5))
    assert mean_and_error([5.0]) == (5.0, None)
