"""Runs of four steps, end to end."""

import dataclasses
import json
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import (
    event_accumulator,
    plugin_event_accumulator,
)

from tests.toy import make_toy_vae
from vaegan_tf.data import load_dataset
from vaegan_tf.runs import Run
from vaegan_tf.runs.checkpoints import PREFIX, score_in, steps_in
from vaegan_tf.settings import (
    DataSettings,
    EvaluationSettings,
    Experiment,
    OptimisationSettings,
    RunSettings,
    VAESettings,
    fields,
)
from vaegan_tf.training import train
from vaegan_tf.training.watching import standard_callbacks

KINDS = ["vae", "gan", "vaegan", "learned_metric_vae", "conditional"]
TERMS = {
    "vae": {"kl", "uniformity", "pixel_nll"},
    "gan": {"real", "generated", "fooling"},
    "vaegan": {
        "kl",
        "uniformity",
        "feature_nll",
        "real",
        "reconstructed",
        "generated",
        "fooling",
        "gamma",
    },
    "learned_metric_vae": {"kl", "uniformity", "feature_nll"},
}
TERMS["conditional"] = TERMS["vaegan"]
TRAINED = {
    "vae": {"encoder", "decoder"},
    "gan": {"decoder", "discriminator"},
    "vaegan": {"encoder", "decoder", "discriminator"},
    "learned_metric_vae": {"encoder", "decoder"},
}
TRAINED["conditional"] = TRAINED["vaegan"]


def files(folder, export=True):
    """Paths of all files under a folder, event files without their date.

    Without `export`, those that only training leaves.
    """
    paths = [p for p in folder.rglob("*") if p.is_file()]
    names = {p.relative_to(folder).as_posix() for p in paths}
    return {
        "tensorboard/events" if "/events.out.tfevents." in name else name
        for name in names
        if export or not name.startswith("export/")
    }


def expected_files(kind):
    checkpoint = ("variables.index", "variables.data-00000-of-00001")
    names = {"run.json", "train.flags", "metrics.jsonl", "speed.jsonl"}
    names |= {".lock", "tensorboard/events"}
    names |= {
        f"checkpoints/step-{s}/{c}" for s in (0, 2, 4) for c in checkpoint
    }
    names |= {f"samples/samples-0000000{step}.png" for step in (0, 2, 4)}
    names |= {"samples/samples.gif"}
    names |= {f"export/4/variables/{name}" for name in checkpoint}
    names |= {"export/4/saved_model.pb", "export/4/fingerprint.pb"}
    if kind == "gan":
        return names
    names |= {
        f"samples/reconstructions-0000000{step}.png" for step in (0, 2, 4)
    }
    projector = (
        "latents.tsv",
        "metadata.tsv",
        "sprite.png",
        "projector_config.pbtxt",
    )
    return names | {f"tensorboard/{name}" for name in projector}


def records(run):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def network(run, name, step=4):
    """Variables of one network in a checkpoint, by name."""
    path = run / "checkpoints" / f"step-{step}" / PREFIX
    reader = tf.train.load_checkpoint(str(path))
    return {
        key: reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if key.startswith(f"{name}/")
    }


def curve_steps(run, tag):
    accumulator = plugin_event_accumulator.EventAccumulator(
        str(run / "tensorboard"),
        size_guidance={event_accumulator.TENSORS: 0},
        tensor_size_guidance={},
    ).Reload()
    return [event.step for event in accumulator.Tensors(tag)]


@pytest.fixture
def copy_of(trained, tmp_path):
    """A function that copies a finished run, to resume it."""

    def copy(kind):
        return shutil.copytree(trained(kind), tmp_path / kind)

    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_run_leaves(trained, kind):
    actual = files(trained(kind))
    best = {name for name in actual if name.startswith("best/")}
    assert actual - best == expected_files(kind)
    assert bool(best) == (kind != "gan")
    assert any("score.json" in name for name in best) or kind == "gan"


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_a_run(trained, kind):
    run = trained(kind)
    training = [r for r in records(run) if "decoder_loss" in r]
    validation = [r for r in records(run) if "decoder_loss" not in r]
    assert [r["step"] for r in training] == [2, 4]
    assert [r["step"] for r in validation] == [2, 4]
    per_network = {
        form.format(name)
        for name in TRAINED[kind]
        for form in ("{}_loss", "{}_gradient_norm", "learning_rate/{}")
    }
    assert set(training[0]) == {"step", *TERMS[kind], *per_network}
    scores = {f"validation/{name}" for name in TERMS[kind]}
    if kind != "gan":
        scores.add("validation/pixel_error")
    assert set(validation[0]) == {"step", *scores}
    for record in records(run):
        assert np.isfinite(list(record.values())).all()


@pytest.mark.parametrize("kind", ["vae", "vaegan"])
def test_the_best_is_the_one_of_the_record(trained, kind):
    run = trained(kind)
    errors = {
        r["step"]: r["validation/pixel_error"]
        for r in records(run)
        if "validation/pixel_error" in r
    }
    best = score_in(run / "best")
    assert best["pixel_error"] == min(errors.values())
    assert errors[best["step"]] == best["pixel_error"]
    assert steps_in(run / "best") == [best["step"]]


def test_the_record_replays_the_run(trained):
    run = Run(trained("conditional"))
    record = run.read()
    assert record["settings"]["model"]["conditional"] is True
    assert record["inputs"]["num_attributes"] == 18
    assert len(record["attribute_names"]) == 18
    assert record["settings"]["run"]["seed"] == 0
    assert record["precision"] == "float32"
    text = run.flags.read_text()
    assert "--conditional\n" in text
    assert "--latent_dim=4\n" in text
    assert "overwrite" not in text


def test_tensorboard_shows_terms_pictures_codes_and_settings(trained):
    run = trained("vaegan")
    assert curve_steps(run, "term/kl") == [2, 4]
    assert curve_steps(run, "loss/encoder") == [2, 4]
    assert curve_steps(run, "gradient_norm/discriminator") == [2, 4]
    assert curve_steps(run, "validation/pixel_error") == [2, 4]
    assert curve_steps(run, "speed/images_per_second") == [2, 4]
    assert curve_steps(run, "samples") == [0, 2, 4]
    assert curve_steps(run, "reconstructions") == [0, 2, 4]
    assert curve_steps(run, "latents/all") == [2, 4]
    assert curve_steps(run, "latents/Hat/with") == [2, 4]
    assert curve_steps(run, "_hparams_/session_start_info") == [0]


def test_train_steps_may_grow_and_intervals_change(copy_of, train_tiny):
    run = copy_of("vae")
    before = records(run)
    arguments = ("--train_steps=7", "--log_every=3", "--checkpoint_every=3")
    train_tiny(run, "--model=vae", *arguments, "--keep_checkpoints=1")
    assert records(run)[: len(before)] == before
    after = [r["step"] for r in records(run)[len(before) :]]
    assert after == [6, 6, 7, 7]
    assert steps_in(run / "checkpoints") == [7]
    assert curve_steps(run, "term/kl") == [2, 4, 6, 7]
    exports = [path.name for path in (run / "export").iterdir()]
    assert sorted(exports) == ["4", "7"]


def test_other_settings_are_refused(copy_of, train_tiny):
    run = copy_of("vaegan")
    before = files(run)
    message = (
        r"vaegan holds a run with other settings\. Resume it with its own, "
        r"choose another folder, or delete it with overwrite\. The "
        r"differences:\n"
        r"  latent_dim: 4 -> 5\n"
        r"  batch_size: 8 -> 16\n"
        r"  optimizer: 'muon' -> 'rmsprop'$"
    )
    with pytest.raises(ValueError, match=message):
        train_tiny(
            run,
            "--model=vaegan",
            "--latent_dim=5",
            "--batch_size=16",
            "--optimizer=rmsprop",
            "--checkpoint_every=1",
        )
    assert files(run) == before


def test_another_kind_of_model_is_refused(copy_of, train_tiny):
    run = copy_of("vae")
    message = r"other settings.*\n  model: 'vae' -> 'gan'$"
    with pytest.raises(ValueError, match=message):
        train_tiny(run, "--model=gan")


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("data", "data_dir", "/elsewhere"),
        ("data", "crop", "square"),
        ("model", "width", 0.5),
        ("optimisation", "train_steps", 9),
        ("optimisation", "learning_rates", ("decoder=0.1",)),
        ("run", "seed", 1),
        ("run", "log_every", 7),
        ("run", "strategy", "mirrored"),
        ("run", "deterministic", True),
        ("evaluation", "eval_every", 3),
    ],
)
def test_what_may_change_is_what_its_field_says(
    tmp_path, tiny_dir, group, name, value
):
    settings = settings_for(tiny_dir)
    run = Run(tmp_path / "run")
    run.write(settings, {"image_size": 32})
    (run.checkpoints / "step-2").mkdir(parents=True)
    changed = dataclasses.replace(getattr(settings, group), **{name: value})
    now = dataclasses.replace(settings, **{group: changed})

    class AcceptedError(Exception):
        """The settings were accepted, the data are wanted next."""

    class Data:
        def __getattr__(self, name):
            raise AcceptedError

    if fields(type(changed))[name].changeable:
        with pytest.raises(AcceptedError):
            train(run, Data(), now)
        return
    with pytest.raises(ValueError, match=rf"differences:\n  {name}: .* -> .*$"):
        train(run, Data(), now)


def change_record(run, group, **settings):
    record = json.loads((run / "run.json").read_text())
    record["settings"][group].update(settings)
    (run / "run.json").write_text(json.dumps(record))


def test_train_steps_may_not_change_where_rates_fall_until_them(
    copy_of, train_tiny
):
    run = copy_of("vae")
    change_record(run, "optimisation", learning_rate_decay="authors")
    arguments = ("--model=vae", "--learning_rate_decay=authors")
    with pytest.raises(ValueError, match=r":\n  train_steps: 4 -> 6$"):
        train_tiny(run, *arguments, "--train_steps=6")


@pytest.fixture(scope="module")
def overwritten(trained, train_tiny, tmp_path_factory):
    """A run of two steps that took the place of a finished one."""
    run = tmp_path_factory.mktemp("overwritten") / "vae"
    shutil.copytree(trained("vae"), run)
    (run / "notes.txt").write_text("of the old run")
    train_tiny(
        run,
        "--model=vae",
        "--overwrite",
        "--seed=1",
        "--learning_rate=0.001",
        "--learning_rates=encoder=0.002",
        "--learning_rate_decay=authors",
        "--final_learning_rate=0.0001",
        "--train_steps=2",
        "--log_every=1",
    )
    return run


def test_rates_fall_to_the_final_one(overwritten):
    rates = [
        (r["learning_rate/encoder"], r["learning_rate/decoder"])
        for r in records(overwritten)
        if "decoder_loss" in r
    ]
    # The second step is t = 1 of T = 2: (1/2)^0.75 = 0.594604 of the way.
    second = (0.002 - 0.594604 * 0.0019, 0.001 - 0.594604 * 0.0009)
    np.testing.assert_allclose(rates, [(0.002, 0.001), second], rtol=1e-5)


def test_overwriting_starts_anew(overwritten):
    run = overwritten
    assert {r["step"] for r in records(run)} == {1, 2}
    assert steps_in(run / "checkpoints") == [0, 2]
    assert not (run / "notes.txt").exists()
    assert [path.name for path in (run / "export").iterdir()] == ["2"]
    assert Run(run).settings.run.seed == 1
    # It belongs to one call: the flag file resumes the run.
    assert "overwrite" not in Run(run).flags.read_text()


def test_overwriting_what_is_no_run_deletes_nothing(train_tiny, tmp_path):
    (tmp_path / "notes.txt").write_text("of something else")
    arguments = ("--train_steps=1", "--gamma=-1")
    with pytest.raises(ValueError, match="`gamma` must be above 0"):
        train_tiny(tmp_path, "--model=vaegan", "--overwrite", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_overwriting_that_fails_deletes_nothing(copy_of, train_tiny):
    run = copy_of("vae")
    before = files(run)
    with pytest.raises(ValueError, match="`discriminator_from`"):
        train_tiny(run, "--model=learned_metric_vae", "--overwrite")
    assert files(run) == before


def test_the_distance_is_that_of_the_gan(trained):
    gan = network(trained("gan"), "discriminator")
    for step in (0, 2, 4):
        vae = network(trained("learned_metric_vae"), "discriminator", step)
        assert set(vae) == set(gan)
        for name, value in gan.items():
            np.testing.assert_array_equal(vae[name], value)


def test_the_other_networks_are_not_the_gans(trained):
    gan = network(trained("gan"), "decoder")
    vae = network(trained("learned_metric_vae"), "decoder", step=0)
    kernels = [name for name in gan if "kernel" in name]
    assert kernels
    assert all((gan[name] != vae[name]).any() for name in kernels)


@pytest.mark.parametrize(
    ("source", "arguments", "message"),
    [
        (None, (), "give its folder as `discriminator_from`"),
        ("nowhere", (), r"nowhere is no run: it holds no run\.json"),
        (
            "gan",
            ("--width=0.1",),
            r"was trained with width=0\.05, this model has width=0\.1\. Train",
        ),
        (
            "gan",
            ("--conditional",),
            "with num_attributes=0, this model has num_attributes=18",
        ),
    ],
)
def test_gans_that_do_not_fit(
    trained, train_tiny, tmp_path, source, arguments, message
):
    if source is not None:
        folder = trained(source) if source in KINDS else tmp_path / source
        arguments += (f"--discriminator_from={folder}",)
    run = tmp_path / "run"
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train_tiny(run, "--model=learned_metric_vae", *arguments)
    assert not Run(run).exists


def test_a_distance_from_a_run_without_discriminator(
    trained, train_tiny, tmp_path
):
    message = "The VAE of .* has no discriminator. Give the run of a model that"
    with pytest.raises(ValueError, match=message):
        train_tiny(
            tmp_path / "run",
            "--model=learned_metric_vae",
            f"--discriminator_from={trained('vae')}",
        )


@pytest.mark.distribution
def test_two_replicas_leave_what_one_does_and_one_resumes(
    trained, train_tiny, tmp_path
):
    run = tmp_path / "run"
    train_tiny(run, "--model=vae", "--logical_cpus=2", export=False)
    alone = trained("vae")
    assert files(run) == files(alone, export=False)
    # Codes and validation images do not depend on the replicas.
    for picture in ("samples", "reconstructions"):
        name = f"samples/{picture}-00000000.png"
        assert (run / name).read_bytes() == (alone / name).read_bytes()
    assert [r["step"] for r in records(run)] == [
        r["step"] for r in records(alone)
    ]
    train_tiny(run, "--model=vae", "--train_steps=6", export=False)
    assert steps_in(run / "checkpoints")[-1] == 6
    # And the other way round.
    arguments = ("--model=vae", "--train_steps=8", "--logical_cpus=2")
    train_tiny(run, *arguments, export=False)
    assert steps_in(run / "checkpoints")[-1] == 8


def test_every_replica_needs_an_image(train_tiny, tmp_path):
    arguments = ("--model=vae", "--logical_cpus=2", "--batch_size=1")
    message = "each needs one. Received: batch_size=1 for 2 replicas"
    with pytest.raises(ValueError, match=message):
        train_tiny(tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


def test_several_steps_at_once_make_the_same_files(
    trained, train_tiny, tmp_path
):
    run = tmp_path / "run"
    train_tiny(run, "--model=vae", "--steps_per_execution=2", export=False)
    assert files(run) == files(trained("vae"), export=False)
    assert [r["step"] for r in records(run)] == [
        r["step"] for r in records(trained("vae"))
    ]


def test_intervals_that_several_steps_would_miss(train_tiny, tmp_path):
    arguments = ("--model=vae", "--steps_per_execution=3")
    message = "must be a multiple of `steps_per_execution`"
    with pytest.raises(ValueError, match=message):
        train_tiny(tmp_path / "run", *arguments)
    assert not (tmp_path / "run").exists()


def settings_for(tiny_dir, **run):
    """A tiny VAE, by settings instead of flags."""
    intervals = {"log_every": 2, "checkpoint_every": 2, "sample_every": 4}
    return Experiment.of(
        "vae",
        data=DataSettings(
            dataset="avatars/tiny", data_dir=str(tiny_dir), image_size=32
        ),
        model=VAESettings(width=0.02, latent_dim=2),
        optimisation=OptimisationSettings(
            batch_size=8,
            train_steps=8,
            precision="float32",
            learning_rate_decay="none",
        ),
        run=RunSettings(**{**intervals, **run}),
    )


def test_a_users_own_callbacks(tmp_path, tiny_dir):
    """Settings and callbacks of Keras are all that a user needs."""
    run, settings = Run(tmp_path / "run"), settings_for(tiny_dir)
    dataset = load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)
    csv = keras.callbacks.CSVLogger(tmp_path / "log.csv", append=True)
    # No error is lower by so much.
    stopping = keras.callbacks.EarlyStopping(
        "validation/pixel_error", mode="min", min_delta=100.0, patience=1
    )
    assert train(run, dataset, settings, [stopping, csv]) is True
    assert steps_in(run.checkpoints)[-1] == 4
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert {"epoch", "kl", "encoder_loss"} < set(header.split(","))
    assert "validation/pixel_error" in header
    assert [row.split(",")[0] for row in rows] == ["0", "1"]
    assert (run.samples / "samples.gif").exists()
    # Without them the same call trains to the end.
    assert train(run, dataset, settings) is True
    assert steps_in(run.checkpoints)[-1] == 8
    losses = [r["step"] for r in records(run.folder) if "decoder_loss" in r]
    assert losses == [2, 4, 6, 8]
    assert run.settings == settings


def test_what_watches_depends_on_what_a_model_can_do(
    tmp_path, tiny_dir, monkeypatch
):
    shown = {"image": np.zeros((70, 1, 1, 1), np.float32)}
    held_out = tf.data.Dataset.from_tensor_slices(shown).batch(64)
    dataset = types.SimpleNamespace(
        batches=lambda split, size: held_out, attribute_names=()
    )
    model = make_toy_vae()
    settings = settings_for(tiny_dir)

    def watching():
        made = standard_callbacks(
            Run(tmp_path), model, dataset, settings, writer=None
        )
        return {type(callback).__name__: callback for callback in made}

    everything = watching()
    assert list(everything) == [
        "Progress",
        "MetricsLog",
        "SampleGrid",
        "ReconstructionGrid",
        "Validation",
        "LatentCodes",
    ]
    assert len(everything["SampleGrid"].example["image"]) == 64
    assert len(everything["ReconstructionGrid"].example["image"]) == 32
    assert len(everything["LatentCodes"].example["image"]) == 70
    monkeypatch.setattr(type(model), "abilities", ())
    assert list(watching()) == ["Progress", "MetricsLog", "Validation"]


def test_evaluations_need_a_model_that_samples(trained, tiny_dir, tmp_path):
    settings = Run(trained("predictor")).settings
    evaluation = EvaluationSettings(eval_every=2)
    settings = dataclasses.replace(settings, evaluation=evaluation)
    dataset = load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)
    with pytest.raises(ValueError, match="A predictor cannot sample"):
        train(Run(tmp_path / "run"), dataset, settings)
