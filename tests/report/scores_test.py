import json
import types

import pytest

from vaegan_tf.report import records, scores

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "errors", "better", "expected"),
    [
        # The difference of two errors of 0.5 has one of 0.707: 1.386 apart
        # is where chance ends.
        ([10, 11.3, 20], [0.5] * 3, "lower", ["tied", "tied", None]),
        ([10, 11.5, 20], [0.5] * 3, "lower", ["best", None, None]),
        ([10, 11.5, 20], [0.5] * 3, "higher", [None, None, "best"]),
        ([10, 11], [None, None], "lower", ["best", None]),
        ([10, 11], [None, 1.0], "lower", ["tied", "tied"]),
        ([10, 10], [None, None], "lower", ["tied", "tied"]),
        ([10, None, 12], [0.1] * 3, "lower", ["best", None, None]),
        ([NAN, 12, 13], [0.1] * 3, "lower", [None, "best", None]),
        ([10, None], [0.1] * 2, "lower", [None, None]),
        ([10, 11], [0.1] * 2, None, [None, None]),
    ],
)
def test_the_best_is_marked(values, errors, better, expected):
    assert scores.mark_best(values, errors, better) == expected


def test_scores_side_by_side(make_record, make_score):
    records = [
        make_record("a", 0, scores=[make_score(value=10.0, floor=2.0)]),
        make_record("b", 1, scores=[make_score(value=20.0, error=1.0)]),
        make_record("c", 2),
    ]
    (group,) = scores.score_groups(records)
    (score,) = group.scores
    assert (group.title, score.label) == ("Samples", "Fréchet distance")
    assert score.explanation.startswith("Distance between the models'")
    (row,) = score.rows
    assert row.details == (
        "prior codes, averaged decoder, predictor features, 1,000 test images"
    )
    assert row.floor == "2"
    assert row.cells == [
        ("10", "best"),
        ("20.0 ± 1.0", None),
        (None, None),
    ]
    assert group.verdict == "of 1 compared, a is best in 1."
    assert group.has_floor


@pytest.mark.parametrize(
    "other",
    [
        {"sampler": "mixture"},
        {"weights": "raw"},
        {"features": "inception"},
        {"resize": "bicubic"},
        {"num_images": 500},
    ],
)
def test_what_was_measured_otherwise_is_not_compared(
    make_record, make_score, other
):
    records = [
        make_record("a", 0, scores=[make_score(value=10.0)]),
        make_record("b", 1, scores=[make_score(value=20.0, **other)]),
    ]
    (group,) = scores.score_groups(records)
    one, two = group.scores[0].rows
    assert [text for text, _ in one.cells] == ["10", None]
    assert [text for text, _ in two.cells] == [None, "20"]
    assert one.details != two.details
    assert group.verdict is None


def test_latent_codes_have_no_decoder(make_record, make_score):
    kl = make_score("kl", group="latents", sampler=None, features=None)
    (group,) = scores.score_groups([make_record(scores=[kl])])
    assert group.scores[0].rows[0].details == "1,000 test images"


def test_groups_have_their_order(make_record, make_score):
    found = [
        make_score("new_one", group="speed", label=None),
        make_score("kl", group="latents", better=None),
        make_score("ssim", group="reconstructions"),
        make_score(),
    ]
    groups = scores.score_groups([make_record(scores=found)])
    assert [group.title for group in groups] == [
        "Samples",
        "Reconstructions",
        "Latent codes",
        "Speed",
    ]
    assert groups[-1].scores[0].label == "new one"
    assert groups[-1].scores[0].explanation == ""


def test_runs_without_scores(make_record):
    assert scores.score_groups([make_record()]) == []


def test_a_value_that_is_none(make_record, make_score):
    (group,) = scores.score_groups(
        [make_record(scores=[make_score(value=None)])]
    )
    assert group.scores[0].rows[0].cells[0][0] == "not finite"


def test_the_verdict():
    def row(*marks):
        return scores.ScoreRow("", None, [("1", m) for m in marks])

    records = [types.SimpleNamespace(label=label) for label in ("a", "b")]
    rows = [row(None, "best")] * 2 + [row("best", None), row("tied", "tied")]
    rows.append(row(None, None))
    assert scores.verdict(records, rows) == (
        "of 4 compared, b is best in 2, a is best in 1, 1 cannot be told apart."
    )
    assert scores.verdict(records, rows[-1:]) is None


def test_scores_of_attributes_stand_beside_the_others(make_run, make_score):
    folders = [make_run(name, scores=[make_score()]) for name in "ab"]
    for folder, success in zip(folders, (0.5, 0.75)):
        edit = make_score(
            "success",
            success,
            group="edits",
            better="higher",
            error=0.01,
            edit="plain × 1.5, residual kept",
            sampler=None,
            weights=None,
        )
        scored = {"split": "test", "step": 100, "scores": [edit]}
        (folder / "similarity.json").write_text(json.dumps(scored))
    samples, edits = scores.score_groups(records.read_records(folders))
    assert (samples.title, edits.title) == ("Samples", "Edits")
    ((row,),) = [score.rows for score in edits.scores]
    assert row.details == (
        "plain × 1.5, residual kept, predictor features, 1,000 test images"
    )
    assert row.cells == [("0.500 ± 0.010", None), ("0.750 ± 0.010", "best")]
