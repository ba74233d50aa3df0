"""Plans, and the table of their scores."""

import json
import pathlib

import pytest

from sweeps import __main__ as sweeps
from sweeps.plans import PLANS, Plan
from sweeps.table import table
from vaegan_tf.cli import train


def score(name, value, group="samples", sampler="prior", **others):
    known = {"group": group, "name": name, "value": value, "sampler": sampler}
    return {**known, "floor": None, "weights": "ema", **others}


def record(*scores):
    return {"scores": list(scores)}


def test_the_table_by_hand():
    # Of 1, 2 and 3 the mean is 2, the deviation √((1 + 0 + 1) / 2) = 1.
    results = {
        "one": [record(score("frechet_distance", n, floor=n)) for n in (1, 2)]
        + [record(score("frechet_distance", 3, floor=6))],
        "two": [record(score("frechet_distance", 2.5))],
        "three": [record(score("coverage", 0.25))],
    }
    distance = "Samples: fréchet distance, prior codes ↓"
    assert table(results).splitlines() == [
        "| | one | two | three | real halves |",
        "|---|---|---|---|---|",
        f"| {distance} | **2 ± 1** | 2.5 | – | 3 |",
        "| Samples: coverage, prior codes ↑ | – | – | **0.25** |  |",
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_scores_of_averaged_weights_are_taken(order):
    both = [
        score("coverage", 0.3, weights="raw"),
        score("coverage", 0.4, weights="ema"),
    ]
    assert "**0.4**" in table({"one": [record(*both[::order])]})


def test_the_best_is_the_highest_where_that_is_better():
    results = {
        "low": [record(score("psnr", 20, "reconstructions", None))],
        "high": [record(score("psnr", 21, "reconstructions", None))],
    }
    row = table(results).splitlines()[2]
    assert row == "| Reconstructions: PSNR ↑ | 20 | **21** |  |"


def test_scores_of_no_better_end_are_left_out():
    kl = record(score("kl", 20, "latents", None))
    assert table({"one": [kl]}).count("\n") == 1


@pytest.mark.parametrize("name", PLANS)
def test_the_flags_of_a_plan_are_those_of_vaegan_train(name):
    plan = PLANS[name]
    place = pathlib.Path("runs")
    for variant in plan.variants:
        flags = sweeps.arguments_of(plan, variant, place, "3")
        *groups, _ = train.command.parse([f"--model_dir={place}", *flags])
        (seed,) = (g.seed for g in groups if hasattr(g, "seed"))
        assert seed == 3


def test_a_run_may_take_another_of_its_seed():
    flags = sweeps.arguments_of(
        PLANS["avatars"], "learned_metric_vae", pathlib.Path("runs"), "2"
    )
    assert "--discriminator_from=runs/gan-2" in flags


@pytest.fixture
def fake_commands(monkeypatch):
    """What is asked of the commands, which write what they are known by."""
    asked = []

    def run(command, *flags):
        asked.append((command, *flags))
        (folder,) = (f for f in flags if f.startswith("--model_dir="))
        folder = pathlib.Path(folder.removeprefix("--model_dir="))
        if command == "train":
            folder.mkdir(parents=True)
            kind = "gan" if "--model=gan" in flags else "vae"
            (folder / "run.json").write_text(json.dumps({"kind": kind}))
        else:
            scores = record(score("coverage", 0.5))
            (folder / "evaluation.json").write_text(json.dumps(scores))

    monkeypatch.setattr(sweeps, "run", run)
    variants = {"a b": ("--model=gan",), "c": ()}
    monkeypatch.setitem(sweeps.PLANS, "toy", Plan("Toy.", variants, ("--s",)))
    return asked


def test_every_run_is_trained_and_scored_once(fake_commands, tmp_path, capsys):
    place = tmp_path / "runs"
    arguments = ["toy", f"--folder={place}", "--predictor=p", "--seeds=0,1"]
    sweeps.main([*arguments, "--dataset=x"])
    own = [f"--model_dir={place}/a_b-0", "--model=gan", "--s", "--seed=0"]
    assert fake_commands[0] == ("train", *own, "--dataset=x")
    assert fake_commands[1] == (
        *("evaluate", own[0], "--predictor=p"),
        "--samplers=prior",
    )
    assert fake_commands[3][-1] == "--samplers=prior,mixture"
    assert len(fake_commands) == 8
    printed = capsys.readouterr().out
    assert "| **0.5 ± 0** | 0.5 ± 0 |" in printed
    sweeps.main([*arguments, "--dataset=x"])
    assert len(fake_commands) == 8
    assert capsys.readouterr().out == printed


def test_it_ends_where_a_command_fails(tmp_path, capfd):
    with pytest.raises(SystemExit) as ending:
        sweeps.run("evaluate", f"--model_dir={tmp_path}", "--predictor=p")
    assert ending.value.code == 1
    assert "holds no run.json" in capfd.readouterr().err
