import inspect

import pytest

from vaegan_tf.cli import (
    app,
    distance,
    evaluate,
    export,
    options,
    predictor,
    prepare,
    reconstruct,
    report,
    sample,
)
from vaegan_tf.cli import train as train_command
from vaegan_tf.data import load_dataset
from vaegan_tf.models import MODELS, create_model
from vaegan_tf.sampling import SAMPLERS, create_sampler
from vaegan_tf.training.optimizers import (
    DECAYS,
    OPTIMIZERS,
    compile_model,
    create_optimizers,
)
from vaegan_tf.training.precision import PRECISIONS
from vaegan_tf.training.train import train

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
COMMANDS = {
    "distance": distance,
    "evaluate": evaluate,
    "export": export,
    "predictor": predictor,
    "prepare": prepare,
    "reconstruct": reconstruct,
    "report": report,
    "sample": sample,
    "train": train_command,
}
OF_NO_ONE_RUN = {"prepare", "report"}
SMALL = {"image_size": 32, "width": 0.02, "latent_dim": 2}


def parse(*arguments, command=train_command, model_dir="run"):
    argv = ["vaegan-test", *arguments]
    if model_dir:
        argv.append(f"--model_dir={model_dir}")
    return app.parse(argv, command.define_flags)


def keywords(function):
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize("name", PROMISED)
def test_training_has_every_promised_flag(name):
    assert name in parse()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_in_a_group_and_explains_itself(name):
    command = COMMANDS[name]
    values = parse(
        command=command, model_dir=None if name in OF_NO_ONE_RUN else "run"
    )
    groups = command.define_flags(app.flags.FlagValues())
    grouped = [name for names in groups.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert {*grouped, "debug"} == set(values)
    for name in grouped:
        assert "." in values[name].help


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - OF_NO_ONE_RUN))
def test_the_runs_folder_is_required(name):
    with pytest.raises(app.UsageError, match=r"^--model_dir is required$"):
        parse(command=COMMANDS[name], model_dir=None)


@pytest.mark.parametrize(
    ("flag", "choices"),
    [
        ("model", MODELS),
        ("optimizer", OPTIMIZERS),
        ("learning_rate_decay", DECAYS),
        ("precision", ["auto", *PRECISIONS]),
    ],
)
def test_choices_are_what_the_library_knows(flag, choices):
    assert set(parse()[flag].parser.enum_values) == set(choices)


def test_data_arguments_are_those_of_load_dataset():
    flags = parse("--dataset=mnist", "--attributes=Hat,Bald", "--seed=3")
    arguments = options.data_arguments(flags)
    assert set(arguments) < keywords(load_dataset)
    assert arguments["name"] == "mnist"
    assert arguments["attributes"] == ["Hat", "Bald"]
    assert arguments["seed"] == 3


def test_the_data_record_is_true_in_every_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    flags = parse("--data_dir=data", "--source_dir=~/faces")
    arguments = options.data_arguments(flags)
    record = options.data_record(arguments, ("Hat",))
    assert record["data_dir"] == str(tmp_path / "data")
    assert record["source_dir"] == str(tmp_path / "me" / "faces")
    assert record["attribute_names"] == ["Hat"]
    assert set(record) == {*arguments, "attribute_names"}


@pytest.mark.parametrize("place", [None, "gs://bucket/data"])
def test_the_data_record_leaves_what_is_no_folder(place):
    record = options.data_record({"data_dir": place, "source_dir": None}, ())
    assert (record["data_dir"], record["source_dir"]) == (place, None)


@pytest.mark.parametrize("name", MODELS)
def test_model_arguments_are_those_of_create_model(name):
    arguments = options.model_arguments(parse(f"--model={name}"), ())
    shared = keywords(create_model) - {"settings", "synchronized"}
    own = {*MODELS[name].settings, "ema_momentum"}
    assert set(arguments) == shared | own
    model = create_model(**{**arguments, **SMALL})
    assert type(model) is MODELS[name]
    for setting in MODELS[name].settings:
        assert getattr(model, setting) == arguments[setting]


def test_conditional_models_have_as_many_attributes_as_the_data():
    flags = parse("--conditional")
    arguments = options.model_arguments(flags, ("Hat", "Bald"))
    assert arguments["num_attributes"] == 2
    unconditional = options.model_arguments(parse(), ("Hat", "Bald"))
    assert unconditional["num_attributes"] == 0


def test_training_arguments_are_those_of_train():
    flags = parse("--decoder_learning_rate=0.5", "--model=gan")
    arguments = options.training_arguments(flags)
    others = {
        "run",
        "dataset",
        "record",
        "model",
        "evaluator",
        "distribution",
    }
    assert set(arguments) == keywords(train) - others
    optimisation = arguments["optimisation"]
    known = keywords(compile_model) | keywords(create_optimizers)
    assert set(optimisation) <= known
    assert optimisation["learning_rates"] == {
        "encoder": None,
        "decoder": 0.5,
        "discriminator": None,
    }


@pytest.mark.parametrize(
    ("model", "argument"),
    [
        ("vae", "--gamma=1"),
        ("vae", "--adversarial=non_saturating"),
        ("vae", "--nodiscriminate_reconstructions"),
        ("vae", "--discriminator_learning_rate=0.1"),
        ("gan", "--kl_weight=1"),
        ("gan", "--feature_scale=unit"),
        ("gan", "--encoder_learning_rate=0.1"),
        ("gan", "--discriminator_from=run"),
        ("vaegan", "--discriminator_from=run"),
        ("learned_metric_vae", "--equilibrium_margin=0.35"),
        ("learned_metric_vae", "--discriminator_learning_rate=0.1"),
    ],
)
@pytest.mark.parametrize(
    "check", [options.check_model, lambda f: options.model_arguments(f, ())]
)
def test_flags_of_another_model_are_refused(model, argument, check):
    name = argument.partition("=")[0].replace("--no", "--")
    message = rf"^{name} does not apply to --model={model}\.$"
    with pytest.raises(ValueError, match=message):
        check(parse(f"--model={model}", argument))


@pytest.mark.parametrize(
    ("model", "argument"),
    [
        ("vae", "--log_epsilon=0"),  # the default, said aloud
        ("vae", "--kl_weight=1"),
        ("vaegan", "--discriminator_learning_rate=0.1"),
        ("learned_metric_vae", "--discriminator_from=run"),
        ("gan", "--equilibrium_margin=0.35"),
    ],
)
def test_flags_of_the_model_pass(model, argument):
    options.check_model(parse(f"--model={model}", argument))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--image_size=48", r"`image_size` must be one of \(32, 64, 128\)"),
        ("--num_channels=4", r"`num_channels` must be 1 \(grey\) or 3"),
    ],
)
def test_images_that_no_network_takes_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        options.check_model(parse(argument))


def test_sampler_arguments_are_those_of_create_sampler():
    flags = parse("--sampler=truncated", "--truncation=2", command=sample)
    assert set(flags["sampler"].parser.enum_values) == set(SAMPLERS)
    arguments = options.sampler_arguments(flags)
    assert set(arguments) == keywords(create_sampler) - {"run"}
    assert (arguments["name"], arguments["truncation"]) == ("truncated", 2.0)


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
    flags = parse(*arguments, command=sample)
    with pytest.raises(ValueError, match=rf"^{message}\.$"):
        options.sampler_arguments(flags)


def test_conditional_needs_attributes():
    flags = parse("--conditional", "--dataset=lfw")
    message = r"^--conditional needs attributes, and lfw has none\.$"
    with pytest.raises(ValueError, match=message):
        options.model_arguments(flags, ())


@pytest.mark.parametrize(
    "argument",
    ["--batch_size=0", "--train_steps=0", "--log_every=0", "--seed=-1"],
)
def test_numbers_out_of_bounds_are_refused(argument):
    with pytest.raises(app.UsageError, match=argument):
        parse(argument)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--model=vaegan"], ("minimax", "separate")),
        (["--model=gan"], ("non_saturating", "joint")),
        (["--model=gan", "--adversarial=minimax"], ("minimax", "joint")),
    ],
)
def test_a_gan_plays_another_game_by_default(arguments, expected):
    found = options.model_arguments(parse(*arguments), ())
    assert (found["adversarial"], found["batch_statistics"]) == expected
