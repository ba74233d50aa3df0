import numpy as np
import pytest

from vaegan_tf.evaluation import distances


def brute_force(real, generated, nearest):
    """The definitions, word by word."""

    def radius(vectors, index):
        others = np.delete(vectors, index, axis=0)
        return np.sort(np.linalg.norm(others - vectors[index], axis=1))[
            nearest - 1
        ]

    def inside(vectors):
        radii = [radius(vectors, n) for n in range(len(vectors))]
        return lambda points: np.array(
            [
                [np.linalg.norm(p - v) < r for v, r in zip(vectors, radii)]
                for p in points
            ]
        )

    in_real, in_generated = inside(real)(generated), inside(generated)(real)
    return {
        "precision": in_real.any(axis=1).mean(),
        "recall": in_generated.any(axis=1).mean(),
        "density": in_real.sum() / (nearest * len(generated)),
        "coverage": in_real.any(axis=0).mean(),
    }


def sets(shift=0.3, scale=0.8):
    generator = np.random.default_rng(1)
    real = generator.standard_normal((60, 8))
    return real, scale * generator.standard_normal((50, 8)) + shift


@pytest.mark.parametrize("nearest", [1, 3, 5])
@pytest.mark.parametrize("shift", [0.0, 0.7, 3.0])
def test_scores_are_what_the_definitions_say(nearest, shift, monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK", 7)
    real, generated = sets(shift)
    found = distances.manifold_scores(real, generated, nearest)
    assert found == pytest.approx(brute_force(real, generated, nearest))


def test_scores_agree_with_prdc():
    # prdc 0.2, compute_prdc(real, generated, nearest_k=5).
    assert distances.manifold_scores(*sets()) == pytest.approx(
        {
            "precision": 1.0,
            "recall": 0.8166666666666667,
            "density": 0.884,
            "coverage": 0.8333333333333334,
        },
        rel=1e-12,
    )


def test_a_mode_that_is_left_out():
    # Two clusters 100 apart; all generated vectors lie in the first.
    generator = np.random.default_rng(0)
    real = generator.standard_normal((200, 3))
    real[100:] += 100
    generated = generator.standard_normal((100, 3))
    found = distances.manifold_scores(real, generated)
    assert found["precision"] > 0.9
    assert found["recall"] < 0.55
    assert found["coverage"] < 0.55


def test_too_few_vectors():
    with pytest.raises(ValueError, match=r"needs at least 6 vectors\. Rec.*5"):
        distances.manifold_scores(np.zeros((5, 2)), np.zeros((9, 2)))
