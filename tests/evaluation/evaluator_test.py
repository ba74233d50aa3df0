import functools

import numpy as np
import pytest

from vaegan_tf import images as pictures
from vaegan_tf import losses
from vaegan_tf.evaluation import Evaluator, Extractor, reconstructions
from vaegan_tf.evaluation.evaluator import decode_uint8
from vaegan_tf.evaluation.feature_set import FeatureSet
from vaegan_tf.runs import Run
from vaegan_tf.sampling.samplers import PriorSampler

LIKENESS = {"psnr", "ssim"}
OF_SAMPLES = {
    "frechet_distance",
    "kernel_distance",
    "precision",
    "recall",
    "density",
    "coverage",
}
OF_FEATURES = {"feature_distance", "frechet_distance"}
OF_ATTRIBUTES = {"attribute_agreement", "attribute_accuracy"}


@pytest.fixture(scope="module")
def model(trained):
    """A function from a kind to its trained model, made once."""
    return functools.cache(lambda kind: Run(trained(kind)).model()[0])


@pytest.fixture(scope="module")
def evaluation(model, faces, make_predictor):
    """A function from a kind to all its scores, found once."""

    def find(kind):
        evaluator = Evaluator(
            faces,
            [PriorSampler(4)],
            batch_size=10,
            extractor=Extractor(make_predictor()),
        )
        return evaluator.evaluate(model(kind))

    return functools.cache(find)


@pytest.fixture
def evaluator(faces, make_predictor):
    """A function that makes an evaluator with a predictor's features."""

    def make(**arguments):
        arguments.setdefault("extractor", Extractor(make_predictor()))
        return Evaluator(faces, [PriorSampler(4)], batch_size=10, **arguments)

    return make


def names(evaluation, group, weights):
    return {
        score.name
        for score in evaluation.scores
        if (score.group, score.weights) == (group, weights)
    }


@pytest.mark.parametrize("kind", ["vae", "vaegan", "conditional"])
def test_all_scores_of_a_model_with_an_encoder(evaluation, kind):
    evaluation = evaluation(kind)
    for weights in ("ema", "raw"):
        assert names(evaluation, "samples", weights) == OF_SAMPLES
        assert names(evaluation, "reconstructions", weights) == (
            LIKENESS | OF_FEATURES | OF_ATTRIBUTES
        )
    assert names(evaluation, "reconstructions", None) == {
        "attribute_accuracy_of_images"
    }
    assert len(names(evaluation, "latents", "raw")) == 4
    assert len(evaluation.kl) == 4
    assert not evaluation.skipped
    for score in evaluation.scores:
        assert np.isfinite(score.value)
        assert score.num_images == 32
        assert score.floor is not None or score.group == "latents"


def test_a_gan_has_scores_of_samples_only(evaluation):
    evaluation = evaluation("gan")
    assert {score.group for score in evaluation.scores} == {"samples"}
    assert evaluation.kl is None
    assert [skipped["why"] for skipped in evaluation.skipped] == [
        "the model has no encoder"
    ]


def test_without_features_some_scores_are_left_out(model, evaluator):
    evaluation = evaluator(extractor=None).evaluate(model("vae"))
    assert names(evaluation, "reconstructions", "ema") == LIKENESS
    assert not names(evaluation, "samples", "ema")
    (skipped,) = evaluation.skipped
    assert skipped["what"].startswith("scores of samples, feature distances")
    assert "`predictor`" in skipped["why"]


@pytest.mark.parametrize("weights", ["ema", "raw"])
def test_likeness_is_that_of_images_as_they_are_seen(
    model, evaluation, faces, weights
):
    vae, evaluation = model("vae"), evaluation("vae")
    # In the evaluator's batches: a level of 255 may depend on their size.
    parts = [b["image"] for b in faces.batches("test", 10).as_numpy_iterator()]
    images = pictures.to_uint8(np.concatenate(parts))
    posteriors = [vae.encode(part) for part in parts]
    made = np.concatenate(
        [decode_uint8(vae, weights, p["mean"], None) for p in posteriors]
    )
    for name in LIKENESS:
        values = getattr(reconstructions, name)(images, made)
        score = evaluation.find("reconstructions", name, weights=weights)
        assert score.value == pytest.approx(values.mean(), rel=1e-6)
        error = values.std(ddof=1) / 32**0.5
        assert score.error == pytest.approx(error, rel=1e-5)
    kl = np.mean(np.concatenate([losses.gaussian_kl(**p) for p in posteriors]))
    assert evaluation.find("latents", "kl").value == pytest.approx(kl)
    assert sum(evaluation.kl) == pytest.approx(kl)


def test_samples_are_those_of_the_seed(model, evaluator):
    vae = model("vae")

    def distance(seed):
        found = evaluator(seed=seed).evaluate(vae)
        return found.find("samples", "frechet_distance").value

    assert distance(1) == distance(1) != distance(2)


def test_real_images_as_samples_score_as_well_as_can_be(
    evaluator, model, faces, monkeypatch
):
    (example,) = faces.batches("test", 32).as_numpy_iterator()
    images = pictures.to_uint8(example["image"])
    monkeypatch.setattr(
        "vaegan_tf.evaluation.evaluator.decode_uint8",
        lambda model, weights, codes, attributes: images[: len(codes)],
    )
    perfect = Evaluator(
        faces,
        [PriorSampler(4)],
        extractor=evaluator().extractor,
        batch_size=32,
    ).evaluate(model("vae"))
    values = {s.name: s.value for s in perfect.scores if s.weights == "ema"}
    assert values["frechet_distance"] == pytest.approx(0, abs=1e-10)
    assert values["kernel_distance"] < 0.01
    assert values["precision"] == values["recall"] == values["coverage"] == 1
    assert values["feature_distance"] == 0
    assert values["attribute_agreement"] == 1
    assert values["ssim"] == pytest.approx(1, rel=1e-12)
    assert values["psnr"] == 100
    of_images = perfect.find("reconstructions", "attribute_accuracy_of_images")
    assert values["attribute_accuracy"] == of_images.value


def test_attributes_are_compared_by_name(evaluator, evaluation, faces):
    evaluation = evaluation("vae")
    logits = evaluator().reference.logits
    columns = [faces.attribute_names.index(n) for n in ("Hat", "Bald")]
    truth = faces.splits["test"].attributes[:, columns] > 0.5
    expected = np.mean((logits > 0) == truth)
    score = evaluation.find("reconstructions", "attribute_accuracy_of_images")
    assert score.value == pytest.approx(expected)
    decided = logits > 0
    between = {
        "attribute_accuracy_of_images": decided[0::2] == truth[1::2],
        "attribute_accuracy": decided[0::2] == truth[1::2],
        "attribute_agreement": decided[0::2] == decided[1::2],
    }
    floors = {s.name: s.floor for s in evaluation.scores if s.name in between}
    means = {name: np.mean(alike) for name, alike in between.items()}
    assert floors == pytest.approx(means)


def test_attributes_the_data_set_lacks_are_not_judged(
    faces, make_predictor, model
):
    extractor = Extractor(make_predictor(names=("Wings", "Tail")))
    evaluation = Evaluator(
        faces, [PriorSampler(4)], extractor=extractor
    ).evaluate(model("vae"))
    found = names(evaluation, "reconstructions", "ema")
    assert "attribute_agreement" in found
    assert "attribute_accuracy" not in found


def test_the_reference_is_computed_once(evaluator, monkeypatch):
    first = evaluator(split="validation", num_images=24)
    made = first.reference
    images = first.dataset.splits["validation"].images_path
    (path,) = (images.parent / "references").glob("validation-24-*.npz")
    assert path.name == f"validation-24-{first.extractor.key}.npz"
    second = evaluator(split="validation", num_images=24)
    monkeypatch.setattr(second.extractor, "analyze", None)
    np.testing.assert_array_equal(second.reference.features, made.features)
    path.write_bytes(b"damaged")
    again = evaluator(split="validation", num_images=24)
    np.testing.assert_array_equal(again.reference.features, made.features)


def test_a_reference_that_cannot_be_kept_is_a_note(
    evaluator, model, monkeypatch
):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FeatureSet, "save", refuse)
    found = evaluator(split="validation", num_images=22).evaluate(model("gan"))
    assert any("(Permission denied)" in note for note in found.notes)


def test_inception_is_named_and_its_weights_doubted(
    faces, inception, make_predictor, model
):
    extractor = Extractor(make_predictor(), inception)
    evaluation = Evaluator(
        faces, [PriorSampler(4)], extractor=extractor
    ).evaluate(model("vae"))
    score = evaluation.find("samples", "frechet_distance")
    assert (score.features, score.resize) == ("inception", inception.resize)
    agreement = evaluation.find("reconstructions", "attribute_agreement")
    assert (agreement.features, agreement.resize) == ("predictor", None)
    assert "begins with 0badf00d, not 6726825d" in evaluation.notes[0]


def test_singular_covariances_are_a_note(evaluator, model):
    # Twelve features: halves of 13 images are enough, halves of 12 are not.
    enough = evaluator(num_images=26).evaluate(model("gan"))
    assert not enough.notes
    too_few = evaluator(num_images=24).evaluate(model("gan"))
    assert "24 images with 12 features" in too_few.notes[0]
    assert "more than 24 images" in too_few.notes[0]


def test_too_few_images_for_features(evaluator, model):
    evaluation = evaluator(num_images=19).evaluate(model("vae"))
    assert names(evaluation, "reconstructions", "ema") == LIKENESS
    (skipped,) = evaluation.skipped
    assert skipped["why"] == (
        "features are compared for 20 images or more, and there are 19"
    )


def test_one_image_is_reconstructed(evaluator, model):
    evaluation = evaluator(num_images=1, extractor=None).evaluate(model("vae"))
    score = evaluation.find("reconstructions", "psnr")
    assert (score.num_images, score.error, score.floor) == (1, None, None)
    assert len(evaluation.kl) == 4


def test_more_images_than_there_are(evaluator):
    message = r"avatars/tiny has 32 images in its split test\. Asked for: 33"
    with pytest.raises(ValueError, match=message):
        evaluator(num_images=33)


def test_a_predictor_that_does_not_fit(evaluator, make_predictor):
    with pytest.raises(ValueError, match="Give a predictor of the same data"):
        evaluator(extractor=Extractor(make_predictor("mnist")))
