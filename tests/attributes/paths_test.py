import numpy as np
import pytest

from vaegan_tf.attributes import paths

RIGHT, UP = np.eye(2, dtype=np.float32)


def test_a_straight_path_has_equal_steps():
    path = paths.interpolate(RIGHT, 3 * UP, 4)
    np.testing.assert_allclose(
        path, [[1, 0], [2 / 3, 1], [1 / 3, 2], [0, 3]], atol=1e-6
    )


def test_a_spherical_path_turns_evenly_and_keeps_the_length():
    path = paths.interpolate(RIGHT, 2 * UP, 4, "spherical")
    lengths, angles = [1, 4 / 3, 5 / 3, 2], np.pi / 6 * np.arange(4)
    expected = np.stack([np.cos(angles), np.sin(angles)], 1)
    np.testing.assert_allclose(
        path, expected * np.array(lengths)[:, None], atol=1e-6
    )


@pytest.mark.parametrize("end", [RIGHT, -RIGHT, 0 * RIGHT])
def test_a_spherical_path_without_an_angle_is_straight(end):
    path = paths.interpolate(RIGHT, end, 3, "spherical")
    np.testing.assert_allclose(path, [RIGHT, (RIGHT + end) / 2, end])


def test_paths_that_are_refused():
    with pytest.raises(ValueError, match=r"one of linear, spherical.*'arc'"):
        paths.interpolate(RIGHT, UP, 4, "arc")
    with pytest.raises(ValueError, match=r"must be at least 2.*frames=1"):
        paths.interpolate(RIGHT, UP, 1)


def test_a_walk_from_the_prior_stays_in_the_prior():
    """4,000 walks' last codes: mean 0, variance 1, correlated as cosⁿ θ."""
    start = np.random.default_rng(0).normal(size=4000)
    walk = paths.random_walk(start, 6, seed=1, angle=0.3)
    np.testing.assert_array_equal(walk[0], start.astype(np.float32))
    assert abs(walk[-1].mean()) < 0.06
    assert abs(walk[-1].var() - 1) < 0.09
    correlation = np.corrcoef(walk[0], walk[-1])[0, 1]
    assert abs(correlation - np.cos(0.3) ** 5) < 0.04
    again = paths.random_walk(start, 6, seed=1, angle=0.3)
    np.testing.assert_array_equal(walk, again)
    assert (paths.random_walk(start, 6, seed=2)[1] != walk[1]).all()
