"""Numbers of records, and the table that they make."""

import pytest

from sweeps.kinds import any_shot_scores, image_scores, predictor_scores
from sweeps.table import HALVES, add, table


def score(name, value, group="samples", sampler="prior", **others):
    known = {"group": group, "name": name, "value": value, "sampler": sampler}
    return {**known, "floor": None, "weights": "ema", **others}


def record(*scores):
    return {"scores": list(scores)}


def lines_of(runs):
    """The table of records of images, by name and for each seed."""
    results = {}
    for name, records in runs.items():
        for seed, each in enumerate(records):
            add(results, str(seed), image_scores(name, each))
    return table(results).splitlines()


def test_the_table_by_hand():
    # Of 1, 2 and 3 the mean is 2, the deviation √((1 + 0 + 1) / 2) = 1.
    distances = [score("frechet_distance", n, floor=n + 5) for n in (1, 2, 3)]
    coverage = score("coverage", 0.25)
    runs = {
        "one": [record(distance) for distance in distances],
        "two": [record(score("frechet_distance", 2.5), coverage)],
    }
    # Two scores of two runs and the halves: there are more names.
    assert lines_of(runs) == [
        "|  | Samples: fréchet distance, prior codes ↓ "
        "| Samples: coverage, prior codes ↑ |",
        "|---|---|---|",
        "| one | **2 ± 1** | – |",
        "| two | 2.5 | **0.25** |",
        "| real halves | 7 ± 1 | – |",
    ]


def test_many_scores_go_down():
    many = [score(name, 2) for name in ("psnr", "ssim", "recall", "density")]
    lines = lines_of({"one": [record(*many)], "two": [record(*many)]})
    assert lines[0] == "|  | one | two |"
    # Neither is better.
    assert lines[2] == "| Samples: PSNR, prior codes ↑ | 2 | 2 |"


def test_rounding_is_no_spread():
    floors = [record(score("coverage", 0.5, floor=n)) for n in (0.3, 0.1 + 0.2)]
    assert lines_of({"one": floors})[-1] == "| real halves | 0.3 |"


def test_the_halves_are_last_and_never_the_best():
    pairs = [record(score("coverage", n, floor=0.9)) for n in (0.1, 0.3)]
    lines = lines_of({"low": pairs[:1], "high": pairs[1:]})
    assert lines[2:] == [
        "| low | 0.1 |",
        "| high | **0.3** |",
        "| real halves | 0.9 |",
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_scores_of_averaged_weights_are_taken(order):
    both = [
        score("coverage", 0.3, weights="raw"),
        score("coverage", 0.4, weights="ema"),
    ]
    assert "**0.4**" in lines_of({"one": [record(*both[::order])]})[2]


def test_scores_of_no_better_end_are_left_out():
    kl = score("kl", 20, "latents", None)
    assert image_scores("one", record(kl)) == {"one": {}, HALVES: {}}


@pytest.mark.parametrize(
    ("shots", "name"), [(0, "ESZSL"), (5, "ESZSL, 5-shot")]
)
def test_any_shot_scores_have_the_name_of_the_run(shots, name):
    last = {"t1": 0.5, "u": 0.2, "s": 0.6, "h": 0.3}
    best = {"t1": 0.6, "u": 0.4, "s": 0.4, "h": 0.4}
    scores = {
        "ESZSL": {"last": last},
        "f-VAE": {"last": last, "best_on_test": best},
    }
    found = any_shot_scores("f_vae-x", {"any_shot": scores, "shots": shots})
    own = {"T1, % ↑": 50, "u, % ↑": 20, "s, % ↑": 60, "H, % ↑": 30}
    assert found[name] == pytest.approx(own)
    own |= {"T1, best on test, % ↑": 60, "H, best on test, % ↑": 40}
    assert found["f_vae-x"] == pytest.approx(own)


def test_scores_of_predictors_are_means_over_attributes():
    mean = {"accuracy": 0.9, "f1": 0.8, "loss": 2.0}
    found = predictor_scores("fresh-100", {"mean": mean})
    expected = {"accuracy, % ↑": 90, "F1, % ↑": 80}
    assert found["fresh-100"] == pytest.approx(expected)
