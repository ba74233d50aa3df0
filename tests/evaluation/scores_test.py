import pytest

from vaegan_tf.evaluation.scores import (
    KINDS,
    MEANINGS,
    Evaluation,
    Score,
    table,
)

PSNR = Score("reconstructions", "psnr", 20.5, 1234, 0.125, 9.0, weights="ema")
FRECHET = Score(
    "samples",
    "frechet_distance",
    1234.56,
    32,
    None,
    12.0,
    "raw",
    "prior",
    "inception",
    "bilinear 299 (tensorflow)",
)


def test_a_score_says_all_there_is_to_know():
    assert FRECHET.as_dict() == {
        "group": "samples",
        "name": "frechet_distance",
        "label": "Fréchet distance",
        "value": 1234.56,
        "error": None,
        "floor": 12.0,
        "better": "lower",
        "unit": None,
        "weights": "raw",
        "sampler": "prior",
        "features": "inception",
        "resize": "bilinear 299 (tensorflow)",
        "edit": None,
        "num_images": 32,
    }


def test_tags_are_names_for_tensorboard():
    assert FRECHET.tag == "samples/frechet_distance/prior/raw"
    assert PSNR.tag == "reconstructions/psnr/ema"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_explained(name):
    score = Score("samples", name, 0.0, 1)
    assert score.kind.label
    assert MEANINGS[score.name].endswith(".")
    assert score.kind.better in ("lower", "higher", None)


def test_table_is_aligned_and_has_no_empty_columns():
    evaluation = Evaluation(
        [FRECHET, PSNR],
        skipped=[{"what": "latent codes", "why": "there are none"}],
        notes=["Beware."],
    )
    assert table(evaluation).split("\n\n") == [
        "Samples           value  real halves  better  weights  codes  "
        "features                              images\n"
        "Fréchet distance  1,235           12  lower   raw      prior  "
        "inception, bilinear 299 (tensorflow)      32",
        "Reconstructions  value    error  real halves  better  weights  "
        "images\n"
        "PSNR (dB)         20.5  ± 0.125            9  higher  ema      "
        " 1,234",
        "Note: Beware.",
        "Left out: latent codes: there are none.",
    ]


def test_scores_are_found_by_what_they_are():
    evaluation = Evaluation([FRECHET, PSNR])
    assert evaluation.find("reconstructions", "psnr") is PSNR
    assert evaluation.find("samples", "frechet_distance", weights="ema") is None
