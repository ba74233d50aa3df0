import numpy as np
import pytest

from vaegan_tf.evaluation.features import Extractor


def test_a_predictor_gives_features_and_logits(make_predictor):
    extractor = Extractor(make_predictor())
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[1] = 255
    found = extractor.analyze(images)
    np.testing.assert_allclose(found["features"], [[-1.0] * 12, [1.0] * 12])
    np.testing.assert_allclose(found["logits"], [[-0.5] * 2, [1.5] * 2])
    assert (extractor.name, extractor.resize) == ("predictor", None)
    assert extractor.attribute_names == ("Hat", "Bald")


def test_inception_gives_features(inception, uniform):
    extractor = Extractor(inception=inception)
    found = extractor.analyze(uniform(3))
    assert {name: values.shape for name, values in found.items()} == {
        "features": (3, 3)
    }
    assert extractor.name == "inception"
    assert extractor.resize == inception.resize
    assert extractor.attribute_names == ()


def test_both_give_inceptions_features_and_the_predictors_logits(
    make_predictor, inception, uniform
):
    found = Extractor(make_predictor(), inception).analyze(uniform(3))
    assert found["features"].shape == (3, 3)
    assert found["logits"].shape == (3, 2)


def test_nothing_gives_no_features():
    with pytest.raises(ValueError, match="need a predictor or an Inception"):
        Extractor()


def test_keys_tell_networks_and_weights_apart(make_predictor, inception):
    one, other = make_predictor(), make_predictor()
    other.weights = [np.arange(3.0) + 1]
    same = Extractor(make_predictor()).key
    assert Extractor(one).key == same
    keys = {
        same,
        Extractor(other).key,
        Extractor(one, inception).key,
        Extractor(inception=inception).key,
    }
    assert len(keys) == 4
    assert Extractor(inception=inception).key == "inception-0badf00d-tensorflow"


@pytest.mark.parametrize("dataset", ["avatars/tiny", "avatars"])
def test_a_predictor_of_the_same_data(make_predictor, faces, dataset):
    Extractor(make_predictor(dataset)).check(faces)


def test_inception_fits_everywhere(inception, faces):
    Extractor(inception=inception).check(faces)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"dataset": "celeb_a"},
            r"trained on celeb_a, the model on avatars/tiny\. Give",
        ),
        (
            {"size": 64},
            r"takes images of 64×64×3, the model's are 32×32×3\. Give",
        ),
    ],
)
def test_a_predictor_of_other_images(make_predictor, faces, arguments, message):
    with pytest.raises(ValueError, match=message):
        Extractor(make_predictor(**arguments)).check(faces)
