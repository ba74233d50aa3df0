"""The experiments in `flags/`, and the table of their settings."""

import dataclasses
import functools
import pathlib
import shutil
import subprocess
import sys

import pytest

from vaegan_tf.cli import flags, predictor, train
from vaegan_tf.models import model_class
from vaegan_tf.settings import Experiment, fields, groups_of

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "flags"
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.flags"))
EXPERIMENTS = [path for path in FILES if path.parts[0] != "shared"]
SINGLE = ("picture", "clip")
RUN = [
    path
    for path in EXPERIMENTS
    if path.parts[0] in ("demo.flags", "avatars", "anyshot", *SINGLE)
]
MODELS = ("vae", "gan", "vaegan", "learned_metric_vae")
ANY_SHOT = ("f_vae", "f_wgan", "f_vaegan", "f_vaegan_d2")
NAMES = ("Smiling", "Hat", "Beard")


def text(path):
    return (FOLDER / path).read_text(encoding="utf-8")


def is_predictor(path):
    return pathlib.Path(path).stem == "predictor"


@functools.cache
def experiment(path, *others):
    """All settings that a file gives, and the run's folder, which may be ''."""
    command = predictor.command if is_predictor(path) else train.command
    name = pathlib.Path(path).with_suffix("").as_posix()
    choice, *groups, _ = command.parse(
        ["--model_dir=", f"--flagfile={name}", *others]
    )
    kind = "predictor" if is_predictor(path) else choice.model
    known = dict(zip(groups_of(kind), groups))
    return Experiment.of(kind, **known), choice.model_dir


def values(path, *others):
    """Settings by name."""
    groups = experiment(path, *others)[0].groups.values()
    return {
        k: v for group in groups for k, v in dataclasses.asdict(group).items()
    }


@functools.cache
def small_model(kind, settings):
    inputs = {"image_size": 64}
    if kind in ANY_SHOT:
        inputs = {"num_features": 2, "num_attributes": 3}
        inputs |= {"offset": (0.0, 0.0), "unit": (1.0, 1.0)}
    elif kind == "hp_vae_gan":
        inputs = {"shape": (48, 64), "num_channels": 3}
    elif kind == "predictor":
        inputs |= {"attribute_names": NAMES, "base_rates": (0.5,) * 3}
    else:
        inputs |= {"num_attributes": 3 if settings.conditional else 0}
    return model_class(kind).create(settings, **inputs)


def test_there_is_a_file_for_each_experiment():
    expected = {
        f"{place}/{model}.flags"
        for model in MODELS
        for place in ("avatars", "faces64", "paper", "authors")
    }
    expected |= {f"anyshot/{model}.flags" for model in ANY_SHOT}
    expected |= {f"{place}/hp_vae_gan.flags" for place in SINGLE}
    expected |= {f"{place}/predictor.flags" for place in ("avatars", "faces64")}
    assert {path.as_posix() for path in EXPERIMENTS} == {
        *expected,
        "demo.flags",
    }


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_is_a_comment_and_flags(path):
    lines = text(path).splitlines()
    assert lines[0].startswith("# ")
    for line in lines:
        assert line.startswith(("#", "--")), line
        assert len(line) <= 80, line


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_every_experiment_names_its_command(path):
    command = "predictor" if is_predictor(path) else "train"
    name = path.with_suffix("").as_posix()
    assert f"vaegan-{command} --flagfile={name}" in text(path)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_what_was_never_run_says_so_in_its_first_line(path):
    says = "ever run" in text(path).partition("\n")[0]
    assert says == (path not in RUN)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_files_train_the_model_of_their_name(path):
    kind = experiment(path)[0].kind
    assert kind == ("vaegan" if path.stem == "demo" else path.stem)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_makes_its_model(path):
    settings, _ = experiment(path)
    is_any_shot = settings.kind in ANY_SHOT
    small = {"hidden_units": 2} if is_any_shot else {"width": 0.02}
    if not is_predictor(path):
        small["latent_dim"] = 4
    if path.parts[0] in SINGLE:
        small = {"channels": 2, "latent_channels": 4}
    small = dataclasses.replace(settings.model, **small)
    model = small_model(settings.kind, small)
    assert isinstance(model, model_class(settings.kind))
    assert model.settings == small


@pytest.mark.parametrize("path", EXPERIMENTS, ids=str)
def test_data_and_folder_are_flags_beside_the_file(path):
    _, model_dir = experiment(path)
    assert model_dir == ("runs/demo" if path.stem == "demo" else "")
    names = {line.partition("=")[0] for line in text(path).splitlines()}
    assert not names & {"--source_dir", "--data_dir", "--discriminator_from"}
    own = {"anyshot": "xlsa17", "picture": "picture", "clip": "clip"}
    name = own.get(path.parts[0], "celeb_a")
    others = (f"--dataset={name}", "--source_dir=/faces")
    assert values(path, *others)["source_dir"] == "/faces"


@pytest.mark.parametrize("place", ["faces64", "paper", "authors"])
def test_faces_may_be_those_of_any_data_set(place):
    names = [f for f in FILES if f.parts[0] in (place, "shared")]
    names.remove(pathlib.Path("shared/avatars.flags"))
    assert not any(
        "--dataset=" in line
        for name in names
        for line in text(name).splitlines()
        if line[0] != "#"
    )


@pytest.mark.parametrize("place", ["avatars", "faces64", "paper", "authors"])
def test_learned_metric_takes_the_gan_of_the_same_settings(place):
    gan = values(f"{place}/gan.flags")
    vae = values(f"{place}/learned_metric_vae.flags")
    for name in ("dataset", "image_size", "num_channels", "width"):
        assert vae[name] == gan[name]


@pytest.mark.parametrize("place", ["faces64", "paper", "authors"])
def test_conditional_differs_from_plain_by_its_attributes_only(place):
    plain = values(f"{place}/vaegan.flags")
    conditional = values(f"{place}/vaegan.flags", "--conditional")
    assert {k for k in plain if plain[k] != conditional[k]} == {"conditional"}


def test_any_shot_models_differ_by_their_parts_alone():
    # But f-WGAN, which has no error of reconstructions to balance; and how much
    # a critic plays is chosen for each.
    whole = values("anyshot/f_vaegan_d2.flags")
    for kind in set(ANY_SHOT) - {"f_wgan"}:
        found = values(f"anyshot/{kind}.flags")
        differing = {k for k in found if found[k] != whole[k]}
        assert differing <= {"gamma", "critic_steps"}


def differences_from_defaults(path):
    settings, _ = experiment(path)
    found = {}
    for name, group in settings.groups.items():
        default = groups_of(settings.kind)[name]()
        found |= {
            key: getattr(group, key)
            for key in fields(type(group))
            if getattr(group, key) != getattr(default, key)
        }
    return found


def test_our_settings_are_the_defaults():
    length = {"train_steps", "log_every", "sample_every", "checkpoint_every"}
    found = differences_from_defaults("faces64/vaegan.flags")
    assert found.keys() == length


def assert_values(path, expected):
    found = values(path)
    assert {name: found[name] for name in expected} == expected


def test_paper_states_what_the_paper_states():
    assert_values(
        "paper/vaegan.flags",
        {
            "image_size": 64,
            "latent_dim": 128,
            "width": 1.0,
            "encoder_units": 2048,
            "codes": "free",
            "batch_size": 64,
            "optimizer": "rmsprop",
            "learning_rate": 0.0003,
            "learning_rates": (),
            "learning_rate_decay": "none",
            "gamma": 1.0,
            "reconstruction_weight": None,
            "kl_weight": 1.0,
            "uniformity_weight": 0.0,
            "feature_scale": "unit",
            "feature_layers": (3,),
            "discriminator_normalization": "batch",
            "decoder_normalization": "batch",
            "upsampling": "transposed",
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
        "authors/vaegan.flags",
        {
            "image_size": 64,
            "latent_dim": 128,
            "width": 1.0,
            "encoder_units": 1024,
            "codes": "free",
            "batch_size": 64,
            "train_steps": 62_500,  # 250 epochs of 250 steps
            "optimizer": "rmsprop",
            "learning_rate": 0.000390625,  # 0.025 / 64
            "learning_rates": (),
            "learning_rate_decay": "authors",
            "final_learning_rate": 0.00000015625,  # 0.00001 / 64
            "reconstruction_weight": 0.000001,
            "kl_weight": 1.0,
            "uniformity_weight": 0.0,
            "feature_scale": "unit",
            "feature_layers": (3,),
            "discriminator_normalization": "batch",
            "decoder_normalization": "batch",
            "upsampling": "transposed",
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


@pytest.mark.parametrize("place", ["paper", "authors"])
def test_published_settings_of_all_models_agree(place):
    of_all = [values(f"{place}/{model}.flags") for model in MODELS]
    vaegan = values(f"{place}/vaegan.flags")
    for found in of_all:
        shared = found.keys() & vaegan.keys()
        assert {k for k in shared if found[k] != vaegan[k]} == set()


def test_demo_is_small_seeded_and_drawn_on_this_machine():
    assert_values(
        "demo.flags", {"dataset": "avatars", "source_dir": None, "seed": 0}
    )
    demo = values("demo.flags")
    assert "--seed=0" in text("shared/avatars.flags")
    assert demo["width"] < 1
    assert demo["train_steps"] % demo["checkpoint_every"] == 0


def settings_table():
    """Rows `flag: (paper, authors, ours)` of the guide's table, as text."""
    guide = (ROOT / "docs" / "guides" / "settings.md").read_text("utf-8")
    table = guide.partition("<!-- settings -->\n")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return {
        row[0].strip(" `-"): [c.strip(" *") for c in row[1:]] for row in rows
    }


def agrees(cell, value):
    if isinstance(value, bool):
        return cell == ("yes" if value else "no")
    if isinstance(value, float):
        return cell and float(cell) == pytest.approx(value, rel=0.01)
    if isinstance(value, tuple):
        return cell == ",".join(map(str, value))
    return cell == ("" if value is None else str(value))


@functools.cache
def full_size_weights(path):
    """The weight that follows the number of features, at full size."""
    settings, _ = experiment(path)
    # The discriminator's features do not depend on these.
    model = dataclasses.replace(settings.model, encoder_units=8, latent_dim=4)
    model = model_class(settings.kind).create(model, image_size=64)
    return {"kl_weight": model.kl_weight}


@pytest.mark.parametrize("place", ["paper", "authors", "faces64"])
def test_the_guide_tells_the_settings_of_the_flag_files(place):
    column = ("paper", "authors", "faces64").index(place)
    path = f"{place}/vaegan.flags"
    found = {**values(path), **full_size_weights(path)}
    assert len(settings_table()) > 15
    for name, cells in settings_table().items():
        assert agrees(cells[column], found[name]), (name, found[name])


def test_files_are_known_by_name_in_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("demo", "demo.flags", str(FOLDER / "demo.flags")):
        assert (
            flags.expand([f"--flagfile={name}"])[-1] == "--model_dir=runs/demo"
        )


def test_an_installed_package_has_them_too(tmp_path, monkeypatch):
    monkeypatch.setattr(flags, "FOLDERS", (tmp_path / "flags",))
    with pytest.raises(flags.UsageError, match="No such file"):
        flags.expand(["--flagfile=paper/vaegan"])
    (tmp_path / "flags").symlink_to(FOLDER)
    assert "--gamma=1" in flags.expand(["--flagfile=paper/vaegan"])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The package as a wheel holds it, built of a copy of its sources."""
    pytest.importorskip("setuptools")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("setup.py", "pyproject.toml", "README.md", "MANIFEST.in"):
        shutil.copy(ROOT / name, copy)
    for name in ("flags", "vaegan_tf"):
        shutil.copytree(
            ROOT / name,
            copy / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "--build-lib=built"],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    return copy / "built"


def test_the_wheel_has_flag_files_types_and_templates(built):
    package = built / "vaegan_tf"
    found = {
        path.relative_to(package / "flags")
        for path in package.glob("flags/**/*.flags")
    }
    assert found == set(FILES)
    assert (package / "py.typed").is_file()
    assert (package / "report" / "templates" / "report.html").is_file()
    assert (package / "templates" / "base.css").is_file()


@pytest.mark.parametrize("name", ["demo", "paper/vaegan"])
def test_the_wheel_finds_its_flag_files(built, tmp_path, name):
    code = (
        "from vaegan_tf.cli import train\n"
        f"train.command.parse(['--model_dir=x', '--flagfile={name}'])\n"
        "print(train.__file__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(built)},
        capture_output=True,
        text=True,
    )
    assert result.stderr == ""
    assert pathlib.Path(result.stdout.strip()).is_relative_to(built)
