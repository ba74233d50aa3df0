"""Flags of the commands, as they follow from the settings."""

import dataclasses
import importlib
import pathlib
import re

import pytest

from vaegan_tf.cli import app, evaluate, options, sample, train
from vaegan_tf.cli.flags import explain
from vaegan_tf.models import kinds, model_class
from vaegan_tf.settings import fields, groups_of

# Part 5 of the first issue: names that later work relies on.
PROMISED = (
    "dataset",
    "data_dir",
    "source_dir",
    "model",
    "model_dir",
    "image_size",
    "latent_dim",
    "width",
    "batch_size",
    "train_steps",
    "learning_rate",
    "gamma",
    "precision",
    "seed",
    "deterministic",
    "log_every",
    "checkpoint_every",
    "sample_every",
    "nan_retries",
    "steps_per_execution",
    "overwrite",
    "wandb_project",
)
COMMANDS = sorted(
    path.stem
    for path in pathlib.Path(options.__file__).parent.glob("*.py")
    if "\ncommand = " in path.read_text(encoding="utf-8")
)
REQUIRED = r"^--model_dir (or --pretrained )?is required$"
# What commands take that are not about one run.
OF_NO_ONE_RUN = {
    "prepare": (),
    "report": ("run",),
    "similarity": ("run", "--predictor=predictor"),
}
# What a command requires beside that.
ALSO_REQUIRED = {"publish": ("--output=out",)}


def command_of(name):
    return importlib.import_module(f"vaegan_tf.cli.{name}").command


def parse(*arguments, name="train"):
    """All settings of a command line, whatever their group."""
    needed = OF_NO_ONE_RUN.get(name, ("--model_dir=run",))
    arguments = (*needed, *ALSO_REQUIRED.get(name, ()), *arguments)
    values = {}
    for group in command_of(name).parse(arguments):
        values |= dataclasses.asdict(group)
    return values


def groups_for(name, *arguments):
    return command_of(name)._groups_for(arguments)


@pytest.mark.parametrize("name", PROMISED)
def test_training_has_every_promised_flag(name):
    assert name in parse()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, []) for name in COMMANDS]
    + [("train", [f"--model={kind}"]) for kind in kinds()],
)
def test_every_flag_explains_itself_once(name, arguments):
    groups = groups_for(name, *arguments)
    names = [key for group in groups.values() for key in fields(group)]
    assert len(names) == len(set(names))
    page = command_of(name).help_page(f"vaegan-{name}", arguments, 80)
    page = " ".join(page.split())
    for group in groups.values():
        for field in fields(group).values():
            form, meaning = explain(field)
            assert f"{form} {meaning}" in page
            assert ". (" in meaning
            assert len(re.findall(r"default: |\(required\)", meaning)) == 1


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(OF_NO_ONE_RUN)))
def test_the_runs_folder_is_required(name):
    with pytest.raises(app.UsageError, match=REQUIRED):
        command_of(name).parse(ALSO_REQUIRED.get(name, ()))


def test_published_weights_take_the_place_of_a_run():
    model, *_ = sample.command.parse(["--pretrained=avatars64"])
    assert model.run.is_published
    with pytest.raises(app.UsageError, match="exclude each other"):
        sample.command.parse(["--model_dir=run", "--pretrained=avatars64"])


def test_gan_shows_its_own_settings_and_defaults():
    page = train.command.help_page("vaegan-train", ["--model=gan"], 100)
    model = page.partition("\n\nModel:\n")[2].partition("\n\n")[0]
    flags = {
        line.split("=")[0].strip(" -").removeprefix("[no]").split()[0]
        for line in model.splitlines()
        if line.startswith("  --")
    }
    assert flags == set(fields(groups_of("gan")["model"]))
    assert "gamma" not in flags
    assert "(default: hinge)" in " ".join(model.split())


def test_defaults_of_what_an_override_replaces_are_its_own():
    page = train.command.help_page("vaegan-train", ["--model=vae"], 200)
    (line,) = (n for n in page.splitlines() if n.startswith("  --kl_weight="))
    assert line.endswith("(at least 0, default: 1.0)")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model=vaegan"], None),
        (["--model=vae"], 1.0),
        (["--model=vae", "--kl_weight=2"], 2.0),
        (["--model", "vae"], 1.0),
        (["--model=vaegan", "-model=vae"], 1.0),
    ],
)
def test_a_model_has_defaults_of_its_own(arguments, expected):
    assert parse(*arguments)["kl_weight"] == expected


def test_a_model_of_a_flag_file(tmp_path):
    file = tmp_path / "a.flags"
    file.write_text("--model=vae\n--latent_dim=3\n")
    found = parse(f"--flagfile={file}")
    assert (found["model"], found["kl_weight"]) == ("vae", 1.0)
    page = train.command.help_page("p", [f"--flagfile={file}"])
    assert "--gamma" not in page


def test_paths_are_true_in_every_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    found = parse("--data_dir=data", "--source_dir=~/faces")
    assert found["data_dir"] == str(tmp_path / "data")
    assert found["source_dir"] == str(tmp_path / "me" / "faces")


@pytest.mark.parametrize("place", [None, "gs://bucket/data"])
def test_what_is_no_folder_stays_as_it_is(place):
    found = parse(*([] if place is None else [f"--data_dir={place}"]))
    assert (found["data_dir"], found["source_dir"]) == (place, None)


@pytest.mark.parametrize(
    ("model", "argument"),
    [
        ("vae", "--gamma=1"),
        ("vae", "--adversarial=non_saturating"),
        ("vae", "--nodiscriminate_reconstructions"),
        ("gan", "--kl_weight=1"),
        ("gan", "--feature_scale=unit"),
        ("gan", "--codes=free"),
        ("gan", "--discriminator_from=run"),
        ("vaegan", "--discriminator_from=run"),
        ("vaegan", "--balance=1"),
        ("learned_metric_vae", "--equilibrium_margin=0.35"),
    ],
)
def test_flags_of_another_model_are_refused(model, argument):
    name = argument.partition("=")[0].replace("--no", "--")
    message = rf"^{name} does not apply to --model={model}, only to \w+"
    with pytest.raises(app.UsageError, match=message) as caught:
        parse(f"--model={model}", argument)
    named = str(caught.value).partition("only to ")[2].split(", ")
    assert model not in named
    for kind in named:
        parse(f"--model={kind}", argument)


def test_the_default_model_is_named_too():
    message = r"^--balance does not apply to --model=vaegan, only to predictor$"
    with pytest.raises(app.UsageError, match=message):
        parse("--balance=1")


@pytest.mark.parametrize(
    ("model", "argument"),
    [
        ("vae", "--kl_weight=1"),
        ("vaegan", "--learning_rates=discriminator=0.1,encoder=1e-3"),
        ("learned_metric_vae", "--discriminator_from=run"),
        ("gan", "--equilibrium_margin=0.35"),
        ("predictor", "--balance=1"),
    ],
)
def test_flags_of_the_model_pass(model, argument):
    parse(f"--model={model}", argument)


def test_models_that_there_are_not():
    message = r"^`model` must be one of vae, gan, .*importing.*'wgan'\.$"
    for argument in ("--model=wgan", "--model=wgan --help"):
        with pytest.raises(app.UsageError, match=message):
            parse(*argument.split())


def test_lists():
    found = parse("--attributes=Hat,Bald", "--learning_rates=decoder=0.5")
    assert found["attributes"] == ("Hat", "Bald")
    assert found["learning_rates"] == ("decoder=0.5",)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--image_size=48", "`image_size` must be one of 32, 64, 128"),
        ("--num_channels=4", "`num_channels` must be one of 1, 3"),
        ("--batch_size=0", "`batch_size` must be at least 1"),
        ("--train_steps=0", "`train_steps` must be at least 1"),
        ("--log_every=0", "`log_every` must be at least 1"),
        ("--seed=-1", "`seed` must be at least 0"),
        ("--gamma=0", "`gamma` must be above 0"),
        ("--gamma=nan", "`gamma` must be finite"),
        ("--learning_rate=inf", "`learning_rate` must be finite"),
        ("--real_weight=1", "`real_weight` must be above 0 and below 1"),
        ("--predictor=run", "`predictor` is for evaluations while training"),
    ],
)
def test_values_that_no_model_takes_are_refused(argument, message):
    with pytest.raises(app.UsageError, match=f"^{message}"):
        parse(argument)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--truncation=1"], "--truncation is for --sampler=truncated"),
        (["--components=3"], "--components is for --sampler=mixture"),
        (
            ["--sampler=mixture", "--truncation=0.7"],
            "--truncation is for --sampler=truncated",
        ),
    ],
)
def test_flags_of_another_sampler_are_refused(arguments, message):
    with pytest.raises(app.UsageError, match=rf"^{message}\.$"):
        parse(*arguments, name="sample")


def test_flags_of_samplers():
    _, _, codes, *_ = sample.command.parse(
        ["--model_dir=run", "--sampler=truncated", "--truncation=2"]
    )
    assert (codes.sampler, codes.truncation) == ("truncated", 2.0)
    _, settings, *_ = evaluate.command.parse(
        ["--model_dir=run", "--samplers=mixture,prior"]
    )
    assert settings.samplers == ("mixture", "prior")


@pytest.mark.parametrize("samplers", ["posterior", "", "prior,posterior"])
def test_samplers_that_there_are_not(samplers):
    message = r"^`samplers` must be one or more of prior, mixture, truncated"
    with pytest.raises(app.UsageError, match=message):
        parse(f"--samplers={samplers}", name="evaluate")


@pytest.mark.parametrize(
    "name", sorted(set(COMMANDS) - {"prepare", "predictor"})
)
def test_models_of_other_modules_can_be_imported(name):
    assert parse("--import=json", name=name)["import_"] == "json"


def test_a_predictor_trains_as_published():
    found = parse(name="predictor")
    assert found["train_steps"] == 3000
    assert found["optimizer"] == "adam"
    assert found["beta_1"] == 0.9
    assert found["learning_rate"] == 2e-3
    assert found["learning_rate_decay"] == "cosine"
    assert found["final_learning_rate"] == 0.0
    assert found["weight_decay"] == 1e-4
    assert found["augmentation"] == "authors"  # faces vary


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--backbone_weights=resnet_vd_34_imagenet"], "backbone_weights"),
        (["--backbone=resnet34", "--width=0.5"], "width"),
        (["--backbone=resnet34", "--weight_decay=0"], "weight_decay"),
    ],
)
def test_flags_of_another_backbone_are_refused(arguments, name):
    message = rf"^`{name}` does not apply to backbone="
    with pytest.raises(app.UsageError, match=message):
        parse(*arguments, name="predictor")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--balance=2", "`balance` must be at least 0 and at most 1"),
        ("--dropout=1", "`dropout` must be at least 0 and below 1"),
        ("--gamma=1", "unknown flag --gamma"),
        ("--eval_every=1", "unknown flag --eval_every"),
    ],
)
def test_what_a_predictor_does_not_take(argument, message):
    with pytest.raises(app.UsageError, match=f"^{message}"):
        parse(argument, name="predictor")


def test_a_conditional_model_needs_attributes():
    class Plain:
        name, image_shape, attribute_names = "lfw", (32, 32, 3), ()

    settings = groups_of("vaegan")["model"](conditional=True)
    with pytest.raises(ValueError, match=r"attributes.*lfw has none"):
        model_class("vaegan").inputs_of(Plain, settings)
