import numpy as np
import pytest

from vaegan_tf.evaluation import distances, feature_set
from vaegan_tf.evaluation.distances import Gaussian
from vaegan_tf.evaluation.feature_set import FeatureSet


def draw(count=41, seed=0, shift=0.0):
    generator = np.random.default_rng(seed)
    return (generator.standard_normal((count, 4)) + shift).astype(np.float32)


def gathered(features, logits=None, size=7):
    result = FeatureSet()
    for start in range(0, len(features), size):
        rows = slice(start, start + size)
        analysis = {"features": features[rows]}
        if logits is not None:
            analysis["logits"] = logits[rows]
        result.add(analysis)
    return result


def test_moments_are_those_of_all_images():
    features = draw()
    found = gathered(features)
    assert found.count == 41
    expected = features.astype(np.float64)
    np.testing.assert_allclose(found.gaussian.mean, expected.mean(0))
    np.testing.assert_allclose(found.gaussian.covariance, np.cov(expected.T))
    np.testing.assert_array_equal(found.features, features)
    assert found.logits is None


def test_halves_are_the_even_and_the_odd_places():
    features = draw()
    for parity, half in enumerate(gathered(features).halves):
        expected = features[parity::2].astype(np.float64)
        np.testing.assert_allclose(half.mean, expected.mean(0))
        np.testing.assert_allclose(half.covariance, np.cov(expected.T))


def test_floors_compare_the_halves():
    features = draw(60).astype(np.float64)
    even, odd = features[0::2], features[1::2]
    floors = gathered(features).floors
    gaussians = [Gaussian(v.mean(0), np.cov(v.T)) for v in (even, odd)]
    distance = distances.frechet_distance(*gaussians)
    assert floors["frechet_distance"] == pytest.approx(distance, rel=1e-9)
    kernel, _ = distances.kernel_distance(even, odd)
    assert floors["kernel_distance"] == pytest.approx(kernel, rel=1e-9)
    shapes = distances.manifold_scores(even, odd)
    assert {name: floors[name] for name in shapes} == shapes


def test_features_are_kept_of_the_first_images_only(monkeypatch):
    monkeypatch.setattr(feature_set, "MAX_KEPT", 10)
    features = draw()
    found = gathered(features, logits=features[:, :2])
    np.testing.assert_array_equal(found.features, features[:10])
    np.testing.assert_array_equal(found.logits, features[:, :2])
    np.testing.assert_allclose(found.gaussian.mean, features.mean(0), rtol=1e-5)


def test_scores_say_how_many_images_they_are_of(monkeypatch):
    monkeypatch.setattr(feature_set, "MAX_KEPT", 30)
    real, generated = gathered(draw()), gathered(draw(seed=1, shift=1))
    scores = feature_set.sample_scores(real, generated)
    counts = {name: count for name, (_, _, count) in scores.items()}
    assert counts.pop("frechet_distance") == 41
    assert set(counts.values()) == {30}
    expected = distances.frechet_distance(real.gaussian, generated.gaussian)
    assert scores["frechet_distance"][0] == expected
    assert scores["kernel_distance"][:2] == distances.kernel_distance(
        real.features, generated.features
    )


@pytest.mark.parametrize("logits", [None, draw()[:, :2]])
def test_a_set_comes_back_from_its_file(tmp_path, logits):
    path = tmp_path / "references" / "test.npz"
    saved = gathered(draw(), logits)
    saved.save(path, "these images")
    found = FeatureSet.load(path, "these images")
    np.testing.assert_array_equal(found.features, saved.features)
    np.testing.assert_array_equal(found.gaussian.mean, saved.gaussian.mean)
    assert found.floors == saved.floors
    assert found.count == 41
    if logits is None:
        assert found.logits is None
    else:
        np.testing.assert_array_equal(found.logits, logits)
    assert [p.name for p in path.parent.iterdir()] == ["test.npz"]


def test_sets_of_other_images_and_damaged_files_are_not_taken(tmp_path):
    path = tmp_path / "test.npz"
    assert FeatureSet.load(path, "these") is None
    gathered(draw()).save(path, "these")
    assert FeatureSet.load(path, "others") is None
    path.write_bytes(path.read_bytes()[:1000])
    assert FeatureSet.load(path, "these") is None


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    def interrupt(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(feature_set.np, "savez", interrupt)
    with pytest.raises(KeyboardInterrupt):
        gathered(draw()).save(tmp_path / "test.npz", "these")
    assert not list(tmp_path.iterdir())
