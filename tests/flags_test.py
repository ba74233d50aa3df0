"""The experiments in `flags/`, and the README's commands."""

import functools
import pathlib
import re

import pytest

from vaegan_tf.cli import app, options, predictor, train
from vaegan_tf.models import MODELS, create_model
from vaegan_tf.predictor import create_predictor

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "flags"
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.flags"))
EXPERIMENTS = [path for path in FILES if path.parts[0] != "shared"]
PREDICTORS = [path for path in FILES if path.stem == "predictor"]
MODEL_FILES = [path for path in FILES if path not in PREDICTORS]
DATASETS = {
    "avatars": "avatars",
    "celeba64": "celeb_a",
    "celeba_files": "celeb_a_files",
    "image_folder": "image_folder",
}
NAMES = ("Smiling", "Hat", "Beard")


def parse(path, *others):
    module = command_of(path)
    return app.parse(
        ["vaegan", f"--flagfile={FOLDER / path}", *others],
        module.define_flags,
    )


def command_of(path):
    return predictor if pathlib.Path(path).stem == "predictor" else train


def parse_any(path):
    """Parses any file, with what its comment tells the user to add."""
    return parse(path, "--source_dir=faces", f"--model_dir=runs/{path.stem}")


@functools.cache
def values(path):
    return app.flags_as_dict(parse(path))


@functools.cache
def small_model(**arguments):
    return create_model(**arguments)


def differences(one, other):
    before, now = values(one), values(other)
    return {name for name in now if now[name] != before[name]}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_opens_with_a_comment(path):
    assert (FOLDER / path).read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_is_flags_or_comments_only(path):
    for line in (FOLDER / path).read_text(encoding="utf-8").splitlines():
        assert line.startswith(("#", "--")), line


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_every_experiment_names_its_command(path):
    text = (FOLDER / path).read_text(encoding="utf-8")
    name = "predictor" if path in PREDICTORS else "train"
    assert f"vaegan-{name} --flagfile=flags/{path.as_posix()}" in text


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_gives_training_arguments(path):
    flags = parse_any(path)
    room = predictor if path in PREDICTORS else options
    assert room.training_arguments(flags)["train_steps"] > 0
    assert options.data_arguments(flags)["source_dir"] == "faces"


@pytest.mark.parametrize("path", PREDICTORS, ids=str)
def test_every_file_makes_its_predictor(path):
    arguments = predictor.predictor_arguments(parse_any(path))
    small = {"image_size": 32, "network": {"width": 0.02}}
    model = create_predictor(
        **{**arguments, **small},
        attribute_names=NAMES,
        base_rates=[0.5] * len(NAMES),
    )
    assert model.attribute_names == NAMES


@pytest.mark.parametrize("path", MODEL_FILES, ids=str)
def test_every_file_makes_its_model(path):
    flags = parse_any(path)
    arguments = options.model_arguments(flags, NAMES)
    small = {"width": 0.02, "image_size": 32, "latent_dim": 4}
    model = small_model(**{**arguments, **small})
    assert isinstance(model, MODELS[flags.model])
    assert model.num_attributes == (len(NAMES) if flags.conditional else 0)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_every_experiment_has_a_folder_of_its_name(path):
    expected = "runs" / path.with_suffix("")
    assert values(path)["model_dir"] == expected.as_posix()


@pytest.mark.parametrize("place", DATASETS)
def test_experiments_read_the_data_set_of_their_folder(place):
    paths = [path for path in EXPERIMENTS if path.parts[0] == place]
    assert {values(path)["dataset"] for path in paths} == {DATASETS[place]}


@pytest.mark.parametrize("place", ["celeba_files", "image_folder"])
def test_folders_hold_the_same_experiments(place):
    stems = {path.name for path in (FOLDER / "celeba64").iterdir()}
    assert {path.name for path in (FOLDER / place).iterdir()} == stems
    for name in stems:
        changed = differences(f"celeba64/{name}", f"{place}/{name}")
        allowed = {"dataset", "model_dir", "discriminator_from"}
        assert {"dataset", "model_dir"} <= changed <= allowed


@pytest.mark.parametrize("place", sorted(DATASETS.keys() - {"avatars"}))
@pytest.mark.parametrize("kind", ["", "paper_", "authors_"])
def test_learned_metric_takes_the_gan_of_the_same_settings(place, kind):
    gan, vae = f"{place}/{kind}gan.flags", f"{place}/{kind}learned_metric_vae"
    gan, vae = values(gan), values(f"{vae}.flags")
    assert vae["discriminator_from"] == gan["model_dir"]
    for name in ("dataset", "image_size", "num_channels", "width"):
        assert vae[name] == gan[name]


@pytest.mark.parametrize("kind", ["", "paper_", "authors_"])
def test_conditional_differs_from_plain_by_its_attributes_only(kind):
    plain = f"celeba64/{kind.rstrip('_') or 'vaegan'}.flags"
    conditional = f"celeba64/{kind}vaegan_conditional.flags"
    assert differences(plain, conditional) == {"conditional", "model_dir"}


@pytest.mark.parametrize(
    ("stem", "model"),
    [
        ("vae", "vae"),
        ("gan", "gan"),
        ("vaegan", "vaegan"),
        ("learned_metric_vae", "learned_metric_vae"),
        ("vaegan_conditional", "vaegan"),
        ("paper", "vaegan"),
        ("authors", "vaegan"),
        ("paper_vae", "vae"),
        ("authors_gan", "gan"),
    ],
)
def test_files_train_the_model_of_their_name(stem, model):
    assert values(f"celeba64/{stem}.flags")["model"] == model


def test_our_settings_are_the_defaults_but_for_the_equilibrium_rule():
    flags = parse("celeba64/vaegan.flags")
    chosen = {name for name in flags if flags[name].present}
    assert chosen == {
        "dataset",
        "image_size",
        "latent_dim",
        "model",
        "model_dir",
        "batch_size",
        "train_steps",
        "log_every",
        "sample_every",
        "checkpoint_every",
        "equilibrium_margin",
    }


def assert_values(path, expected):
    found = values(path)
    assert {name: found[name] for name in expected} == expected


def test_paper_states_what_the_paper_states():
    assert_values(
        "celeba64/paper.flags",
        {
            "image_size": 64,
            "latent_dim": 128,
            "width": 1.0,
            "encoder_units": 2048,
            "batch_size": 64,
            "optimizer": "rmsprop",
            "learning_rate": 0.0003,
            "encoder_learning_rate": None,
            "decoder_learning_rate": None,
            "discriminator_learning_rate": None,
            "learning_rate_decay": "none",
            "gamma": 1.0,
            "reconstruction_weight": None,
            "kl_weight": 1.0,
            "feature_scale": "unit",
            "feature_layer": None,
            "discriminate_reconstructions": True,
            "adversarial": "minimax",
            "real_weight": None,
            "log_epsilon": 0.0,
            "batch_statistics": "joint",
            "equilibrium_margin": None,
            "weight_decay": 0.0,
            "ema_momentum": 0.0,
            "augmentation": "none",
        },
    )


def test_authors_states_what_the_authors_code_states():
    assert_values(
        "celeba64/authors.flags",
        {
            "image_size": 64,
            "latent_dim": 128,
            "width": 1.0,
            "encoder_units": 1024,
            "batch_size": 64,
            "train_steps": 62_500,  # 250 epochs of 250 steps
            "optimizer": "rmsprop",
            "learning_rate": 0.000390625,  # 0.025 / 64
            "learning_rate_decay": "authors",
            "final_learning_rate": 0.00000015625,  # 0.00001 / 64
            "reconstruction_weight": 0.000001,
            "kl_weight": 1.0,
            "feature_scale": "unit",
            "feature_layer": None,
            "discriminate_reconstructions": False,
            "adversarial": "minimax",
            "real_weight": 0.5,
            "log_epsilon": 0.001,
            "batch_statistics": "paired",
            "equilibrium_margin": 0.35,
            # 0.00001 on a loss summed over 64 images; ours is their mean.
            "weight_decay": 0.00000015625,
            "initializer": "authors",
            "ema_momentum": 0.0,
            "augmentation": "authors",
        },
    )


@pytest.mark.parametrize("kind", ["paper", "authors"])
@pytest.mark.parametrize("model", ["vae", "learned_metric_vae"])
def test_published_settings_weigh_the_divergence_by_one(kind, model):
    assert values(f"celeba64/{kind}_{model}.flags")["kl_weight"] == 1.0


def test_demo_is_small_seeded_and_drawn_on_this_machine():
    assert_values(
        "demo.flags",
        {
            "dataset": "avatars",
            "model": "vaegan",
            "model_dir": "runs/demo",
            "source_dir": None,
            "seed": 0,
        },
    )
    demo = parse("demo.flags")
    assert demo["seed"].present
    assert demo.width < 1
    assert demo.train_steps % demo.checkpoint_every == 0


def test_readme_names_existing_flag_files():
    for name in ("README.md", "BUILD.md", "Makefile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        words = text.replace("`", " ").split()
        files = [w for w in words if w.startswith("--flagfile=flags/")]
        for word in files:
            path = ROOT / word.removeprefix("--flagfile=")
            assert path.is_file(), f"{name}: {word}"


def test_readme_knows_how_long_the_demo_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = values("demo.flags")["train_steps"]
    assert set(re.findall(r"export/(\d+)", text)) == {str(steps)}


def command(document, marker):
    """The one line of the code block below a comment that names it."""
    text = (ROOT / document).read_text(encoding="utf-8")
    _, _, after = text.partition(f"<!-- {marker} -->\n")
    assert after, f"{document} has no {marker}"
    assert f"<!-- {marker} -->" not in after
    fence, line, end, *_ = after.splitlines()
    assert (fence, end) == ("```bash", "```")
    return line


def test_readme_has_each_of_its_two_commands_in_one_line():
    demo = command("README.md", "demo command")
    test = command("README.md", "test command")
    assert demo.endswith("vaegan-train --flagfile=flags/demo.flags")
    assert test.endswith("-m pytest")
    environment = "python3.11 -m venv .venv && .venv/bin/pip install "
    assert demo.startswith(environment)
    assert test.startswith(environment)


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    # It reads the command from there, and has none of its own.
    assert "<!-- test command -->" in script
    assert "README.md" in script
    assert "pytest" not in script
    assert "ruff check" in script
    assert "ruff format --check" in script


def settings_table():
    """Rows `flag: (paper, authors, ours)` of the README's table, as text."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- settings -->\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return {
        row[0].strip(" `-"): [c.strip(" *") for c in row[1:]] for row in rows
    }


def settings(path):
    """All flags, and the weights that follow the number of features."""
    return {**values(path), **options.model_arguments(parse(path), NAMES)}


def agrees(cell, value):
    if isinstance(value, bool):
        return cell == ("yes" if value else "no")
    if isinstance(value, float):
        return cell and float(cell) == pytest.approx(value, rel=0.01)
    return cell == ("" if value is None else str(value))


@pytest.mark.parametrize("column", [0, 1, 2], ids=["paper", "authors", "ours"])
def test_readme_tells_the_settings_of_the_flag_files(column):
    stem = ("paper", "authors", "vaegan")[column]
    found = settings(f"celeba64/{stem}.flags")
    if found["reconstruction_weight"] is not None:
        found["gamma"] = None  # the authors' w takes its place
    for name, cells in settings_table().items():
        assert agrees(cells[column], found[name]), (name, found[name])
