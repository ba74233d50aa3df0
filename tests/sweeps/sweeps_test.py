"""Plans, and how their runs are made."""

import dataclasses
import importlib
import json
import pathlib
import shutil

import pytest

from sweeps import __main__ as sweeps
from sweeps.plans import PLANS, Plan
from tests.anyshot.conftest import write_toy
from tests.conftest import COSINE, TINY

TINY_FEATURES = (
    "--dataset=xlsa17",
    "--train_steps=2",
    "--checkpoint_every=2",
    "--log_every=2",
    "--steps_per_execution=2",
    "--hidden_units=4",
    "--critic_steps=2",
)


def command_of(name):
    """A command by its name, to be done in this process."""
    return importlib.import_module(f"vaegan_tf.cli.{name}").command


@pytest.mark.parametrize("name", PLANS)
def test_the_flags_of_a_plan_are_those_of_its_command(name):
    plan = PLANS[name]
    command, place = command_of(plan.kind.command), pathlib.Path("runs")
    for variant in plan.variants:
        flags = sweeps.flags_of(plan, variant, place, "3")
        *groups, _ = command.parse([f"--model_dir={place}", *flags])
        (seed,) = (g.seed for g in groups if hasattr(g, "seed"))
        assert seed == 3


@pytest.mark.parametrize(("name", "frames"), [("patch", 0), ("patch-clip", 1)])
def test_baselines_of_patches_differ_in_their_scales_alone(name, frames):
    found = {}
    for variant in PLANS[name].variants:
        flags = sweeps.flags_of(PLANS[name], variant, pathlib.Path("r"), "3")
        groups = command_of("train").parse(["--model_dir=r", *flags])
        values = {}
        for group in groups:
            values |= vars(group) if dataclasses.is_dataclass(group) else {}
        assert (values["dataset"] == "avatar_clip") == frames
        found[variant] = values.pop("vae_scales"), values
    scales = {variant: own for variant, (own, _) in found.items()}
    assert (scales["singan"], scales["patch_vae"]) == (0, 99)
    assert 0 < scales["hp_vae_gan"] < 4
    (first, *others) = (values for _, values in found.values())
    assert all(values == first for values in others)


def test_a_run_may_take_another_of_its_seed():
    flags = sweeps.flags_of(
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
            scores = dict.fromkeys(("floor", "weights", "sampler"))
            scores |= {"group": "samples", "name": "coverage", "value": 0.5}
            (folder / "evaluation.json").write_text(
                json.dumps({"scores": [scores]})
            )

    monkeypatch.setattr(sweeps, "run", run)
    variants = {"a b": ("--model=gan",), "c": ()}
    monkeypatch.setitem(sweeps.PLANS, "toy", Plan("Toy.", variants, ("--s",)))
    return asked


def test_every_run_is_trained_and_scored_once(fake_commands, tmp_path, capsys):
    place = tmp_path / "runs"
    arguments = ["toy", f"--folder={place}", "--seeds=0,1", "--dataset=x"]
    sweeps.main([*arguments, "--predictor=p", "--", "--batch_size=8"])
    own = [f"--model_dir={place}/a_b-0", "--model=gan", "--s", "--seed=0"]
    scored = ["--batch_size=8", "--predictor=p"]
    assert fake_commands[0] == ("train", *own, "--dataset=x")
    assert fake_commands[1] == ("evaluate", own[0], *scored)
    assert fake_commands[3][2:] == ("--samplers=prior,mixture", *scored)
    assert len(fake_commands) == 8
    printed = capsys.readouterr().out
    assert "| a b | 0.5 |\n| c | 0.5 |" in printed
    sweeps.main(arguments)
    assert len(fake_commands) == 8
    assert capsys.readouterr().out == printed


def test_some_runs_can_be_asked_for(fake_commands, tmp_path, capsys):
    arguments = ["toy", f"--folder={tmp_path / 'runs'}"]
    sweeps.main([*arguments, "--only=c", "--seeds=7"])
    assert [flags[1][-4:] for flags in fake_commands] == ["/c-7", "/c-7"]
    capsys.readouterr()
    sweeps.main([*arguments, "--table_only", "--seeds=6,7"])
    assert "| c | **0.5** |" in capsys.readouterr().out
    assert len(fake_commands) == 2
    with pytest.raises(SystemExit):
        sweeps.main([*arguments, "--only=d"])
    assert "--only takes some of a b, c, not 'd'" in capsys.readouterr().err


@pytest.fixture
def in_process(monkeypatch):
    """Does what commands do in this process; a function that forbids it."""

    def run(name, *flags):
        *settings, _ = command_of(name).parse(flags)
        command_of(name).main(*settings)

    def forbid():
        monkeypatch.setattr(sweeps, "run", lambda *_: pytest.fail("again"))

    monkeypatch.setattr(sweeps, "run", run)
    return forbid


def rows_of(text):
    """The rows of the table that ends what was printed, as cells."""
    table = text[text.rindex("|  | ") :].splitlines()
    return [[c.strip() for c in row.split("|")[1:-1]] for row in table]


def test_any_shot_runs_stand_beside_their_baselines(
    in_process, tmp_path, capsys
):
    arguments = (
        "anyshot",
        f"--folder={tmp_path / 'runs'}",
        "--only=f_vaegan_d2-uniform",
        "--seeds=1",
        *TINY_FEATURES,
        f"--source_dir={write_toy(tmp_path / 'toy')}",
    )
    sweeps.main([*arguments, "--", "--epochs=2"])
    rows = rows_of(capsys.readouterr().out)
    titles, softmax, eszsl, own = zip(*rows)
    assert titles[3:5] == ("u, % ↑", "s, % ↑")
    # Of two novel classes, of which softmax on seen ones tells the first.
    assert softmax[:4] == ("softmax on labelled examples", "---", "50", "0")
    assert eszsl[0] == "ESZSL"
    assert eszsl[-1] == "–"
    assert own[0] == "f_vaegan_d2-uniform"
    in_process()
    sweeps.main(arguments)
    assert rows_of(capsys.readouterr().out) == rows


def test_predictors_score_themselves(
    in_process, trained, tiny_dir, tmp_path, monkeypatch, capsys
):
    shutil.copytree(trained("vae"), tmp_path / "vae-0")
    few = {"vae-4": ("--from_run={folder}/vae-0", "--labels=4")}
    plan = dataclasses.replace(PLANS["few-labels"], variants=few)
    monkeypatch.setitem(sweeps.PLANS, "few-labels", plan)
    own = *TINY, COSINE, f"--data_dir={tiny_dir}"
    sweeps.main(["few-labels", f"--folder={tmp_path}", "--seeds=3", *own])
    rows = rows_of(capsys.readouterr().out)
    titles, own = zip(*rows)
    assert titles[2:] == ("accuracy, % ↑", "F1, % ↑")
    record = json.loads((tmp_path / "vae-4-3" / "scores.json").read_text())
    accuracy = 100 * record["mean"]["accuracy"]
    assert own == ("vae-4", "---", f"**{accuracy:.3g}**", own[3])
    settings = json.loads((tmp_path / "vae-4-3" / "run.json").read_text())
    assert settings["settings"]["data"]["labels"] == 4


def test_it_ends_where_a_command_fails(capfd):
    with pytest.raises(SystemExit) as ending:
        sweeps.run("evaluate", "--predictor=p")
    assert ending.value.code == 2
    assert "--model_dir or --pretrained is required" in capfd.readouterr().err
