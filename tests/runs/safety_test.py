"""Nothing of a run is lost or mixed up, and no foreign record is obeyed."""

import json
import os
import pathlib

import numpy as np
import pytest

from tests.data.conftest import write_images
from tests.runs.checkpoints_test import data_file, kernel, saved, truncate
from tests.toy import make_toy
from vaegan_tf import files, locks
from vaegan_tf.data import load_dataset
from vaegan_tf.runs import CheckpointError, Checkpoints, Run, origin
from vaegan_tf.runs.checkpoints import score_in, steps_in
from vaegan_tf.settings import (
    DataSettings,
    Experiment,
    RunSettings,
    VAESettings,
)
from vaegan_tf.training import BestCheckpoint, Distribution
from vaegan_tf.training.callbacks import drop_later
from vaegan_tf.training.train import _check_data, check_experiment, train

NO_ENTRY = PermissionError(13, "Permission denied", "variables.index")


def test_two_processes_do_not_train_into_one_folder(tmp_path, tiny_dir):
    avatars = load_dataset("avatars/tiny", data_dir=tiny_dir, image_size=32)
    run = Run(tmp_path / "run")
    model = VAESettings(width=0.02, latent_dim=2)
    settings = Experiment.of(
        "vae", model=model, data=DataSettings(image_size=32)
    )
    with (
        run.locked(),
        pytest.raises(locks.LockedError, match="run is in use by another"),
    ):
        train(run, avatars, settings)
    assert os.listdir(run.folder) == [".lock"]


def test_what_is_deleted_is_not_the_lock(tmp_path):
    run = Run(tmp_path)
    with run.locked():
        (tmp_path / "metrics.jsonl").touch()
        run.delete()
        assert os.listdir(tmp_path) == [".lock"]


def unreadable(monkeypatch, step, error=NO_ENTRY):
    """Makes the machine refuse the files of one checkpoint."""
    real = pathlib.Path.open

    def refuse(path, *arguments, **others):
        if path.parent.name == f"step-{step}":
            raise error
        return real(path, *arguments, **others)

    monkeypatch.setattr(pathlib.Path, "open", refuse)


def test_what_the_machine_does_not_let_read_is_not_damage(
    tmp_path, monkeypatch
):
    saved(make_toy(), tmp_path, 1, 2)
    index = tmp_path / "step-2" / "variables.index"
    content = index.read_bytes()
    index.unlink()
    unreadable(monkeypatch, 2)
    message = r"step 2 .* \(variables\.index\)\. Nothing was changed"
    with pytest.raises(CheckpointError, match=message):
        Checkpoints(make_toy(), tmp_path).restore()
    assert steps_in(tmp_path) == [1, 2]
    monkeypatch.undo()
    index.write_bytes(content)
    assert Checkpoints(make_toy(), tmp_path).restore() == 2


def test_damaged_ones_are_set_aside_and_never_deleted(tmp_path):
    model = make_toy()
    for _ in range(2):
        saved(model, tmp_path, 1, 2)
        path = data_file(tmp_path, 2)
        truncate(path)
        half = path.read_bytes()
        assert Checkpoints(model, tmp_path).restore() == 1
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["damaged-step-2.1", "damaged-step-2.2", "step-1"]
    assert (tmp_path / names[0] / path.name).read_bytes() == half


@pytest.mark.parametrize(
    "name", ["step-4.bak", "step-", "step-x", "step-04", "step-4 (copy)"]
)
def test_what_lies_beside_checkpoints_is_none(tmp_path, name):
    checkpoints = saved(make_toy(), tmp_path, 1)
    (tmp_path / name).mkdir()
    assert checkpoints.steps == [1]
    assert saved(checkpoints.model, tmp_path, 2, keep=1).steps == [2]


def test_the_best_holds_the_weights_of_its_score(tmp_path):
    model = make_toy()
    best = BestCheckpoint(Checkpoints(model, tmp_path, keep=1), "error")
    for weight, error in ((1.0, 0.5), (2.0, 0.25)):  # Step 5 made again.
        model.step.assign(5)
        kernels = model.decoder.weights[0]
        kernels.assign(np.full(kernels.shape, weight))
        best.update(5, error)
    assert score_in(tmp_path) == {"step": 5, "error": 0.25}
    other = make_toy()
    Checkpoints(other, tmp_path).restore()
    assert kernel(other) == 2


def test_a_best_that_could_not_be_written_keeps_its_score(
    tmp_path, monkeypatch
):
    model = make_toy()
    best = BestCheckpoint(Checkpoints(model, tmp_path, keep=1), "error")
    model.step.assign(5)
    best.update(5, 0.5)
    monkeypatch.setattr(files, "write_json", None)  # Fails as a kill would.
    model.step.assign(6)
    with pytest.raises(TypeError):
        best.update(6, 0.25)
    assert steps_in(tmp_path) == [5]
    assert score_in(tmp_path) == {"step": 5, "error": 0.5}
    assert best.lowest == 0.5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"error": "low"}', "\0"])
def test_a_damaged_score_is_no_score(tmp_path, content):
    best = BestCheckpoint(saved(make_toy(), tmp_path, 5), "error")
    (tmp_path / "step-5" / "score.json").write_text(content)
    best.read()
    assert best.lowest == float("inf")


@pytest.mark.parametrize(
    "damage", ["", "\0\0\0", "{}", "[1]", '{"step": "2"}', "{"]
)
def test_damaged_lines_of_numbers_are_dropped_alone(tmp_path, damage):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 1}}\n{damage}\n{{"step": 2}}\n{{"step": 3}}\n')
    drop_later(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(
    tmp_path, monkeypatch
):
    events = []
    real = files._sync
    monkeypatch.setattr(
        files, "_sync", lambda p: (events.append(p.name), real(p))
    )
    rename = pathlib.Path.rename
    monkeypatch.setattr(
        pathlib.Path,
        "rename",
        lambda p, to: (events.append("rename"), rename(p, to))[1],
    )
    saved(make_toy(), tmp_path / "checkpoints", 1)
    assert events.index("variables.index") < events.index("rename")
    assert events[-1] == "checkpoints"


@pytest.fixture
def photos(tmp_path):
    return write_images(tmp_path / "photos", 20)


def load(photos, data_dir):
    return load_dataset(
        "image_folder", data_dir=data_dir, source_dir=photos, image_size=8
    )


def test_changed_images_are_noticed_by_name(tmp_path, photos):
    run, settings = Run(tmp_path / "run"), Experiment.of("vae")
    before = load(photos, tmp_path / "data").contents
    run.write(settings, {}, data=before)
    os.utime(photos / "003.png")  # Touched: the same images.
    touched = load(photos, tmp_path / "data").contents
    _check_data(run, touched)
    write_images(photos, 21)
    added = load(photos, tmp_path / "data").contents
    message = r"run was trained on: .*\n  train: 16 images, \w+ -> 17 images"
    with pytest.raises(ValueError, match=message):
        _check_data(run, added)
    (photos / "020.png").unlink()
    (photos / "003.png").write_bytes((photos / "004.png").read_bytes())
    with pytest.raises(ValueError, match=r"16 images, \w+ -> 16 images"):
        _check_data(run, load(photos, tmp_path / "data").contents)


def test_older_arrays_have_the_same_digest(tmp_path, photos):
    before = load(photos, tmp_path / "data").contents
    (path,) = tmp_path.rglob("digests.json")
    path.unlink()
    assert load(photos, tmp_path / "data").contents == before


@pytest.mark.parametrize("url", ["gs://bucket/run", "s3:/bucket", "hdfs://x"])
def test_a_run_is_never_on_a_url(url):
    with pytest.raises(ValueError, match="must be on this machine"):
        Run(url)
    with pytest.raises(ValueError, match="must be on this machine"):
        files.write_text(pathlib.Path(url), "x")
    assert not pathlib.Path(url.split("/")[0]).exists()


def foreign(tmp_path, **data):
    """A run that somebody else has made."""
    run = Run(tmp_path / "run")
    settings = Experiment.of("vae", data=DataSettings(**data))
    run.write(settings, {})
    record = json.loads(run.record.read_text())
    record["origin"] = "0" * 64
    run.record.write_text(json.dumps(record))
    return run


def test_what_a_foreign_record_names_is_not_read(tmp_path, photos):
    data = {"dataset": "image_folder", "source_dir": str(photos)}
    run = foreign(tmp_path, **data, data_dir=str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"not written by you .*source_dir"):
        run.dataset()
    chosen = Run(run.folder, source_dir=photos)
    with pytest.raises(ValueError, match=r"not written by you .*data_dir"):
        chosen.dataset()
    assert not (tmp_path / "data").exists()
    chosen = Run(run.folder, source_dir=photos, data_dir=tmp_path / "data")
    assert len(chosen.dataset().splits["train"]) == 16


def test_an_own_record_is_believed_wherever_it_lies(tmp_path, photos):
    settings = Experiment.of(
        "vae",
        data=DataSettings(
            dataset="image_folder",
            source_dir=str(photos),
            data_dir=str(tmp_path / "data"),
        ),
    )
    Run(tmp_path / "a").write(settings, {})
    (tmp_path / "a").rename(tmp_path / "b")
    assert len(Run(tmp_path / "b").dataset().splits["train"]) == 16


def test_a_seal_is_of_one_value_and_one_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ada"))
    sealed = origin.seal({"source_dir": "/photos"})
    assert origin.is_own({"source_dir": "/photos"}, sealed)
    assert not origin.is_own({"source_dir": "/"}, sealed)
    assert not origin.is_own({"source_dir": "/photos"}, None)
    assert not origin.is_own({"source_dir": "/photos"}, "é")
    assert oct((tmp_path / "ada/vaegan_tf/key").stat().st_mode)[-3:] == "600"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "eve"))
    assert not origin.is_own({"source_dir": "/photos"}, sealed)


def test_without_a_place_for_a_key_records_are_foreign(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert origin.seal({}) is None
    assert not origin.is_own({}, None)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("", "Expecting value"),
        ("[]", "`run` is missing or of another form"),
        ('{"kind": "vae", "settings": {}}', "`run.inputs` is missing or of"),
        ('{"kind": 3, "settings": {}, "inputs": {}}', "`run.kind` is"),
        ('{"kind": "vae", "settings": [], "inputs": {}}', "`run.settings` is"),
        (
            '{"kind": "vae", "settings": {"data": 3}, "inputs": {}}',
            "`run.settings.data` is",
        ),
        (
            '{"kind": "vae", "settings": {}, "inputs": {}, '
            '"attribute_names": [3]}',
            r"`run.attribute_names\[0\]` is",
        ),
        ("[" * 100_000, "recursion"),
        ('{"kind": "\ud800"}', "codec"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, record, problem):
    content = record.encode("utf-8", "surrogatepass")
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"run\.json is damaged: .*{problem}"):
        Run(tmp_path).read()


@pytest.mark.parametrize(
    "inputs", [{"image_shape": 3}, {"nonsense": 1}, {"image_shape": [3]}]
)
def test_inputs_that_no_model_has_are_damage(tmp_path, inputs):
    Run(tmp_path).write(Experiment.of("vae"), inputs)
    with pytest.raises(ValueError, match=r"run\.json is damaged"):
        Run(tmp_path).model()


@pytest.mark.parametrize("name", ["samplers", "export/4"])
def test_links_of_a_foreign_run_are_not_written_through(tmp_path, name):
    run = foreign(tmp_path)
    run.check_writable()
    link = run.folder / name
    link.parent.mkdir(exist_ok=True)
    (tmp_path / "elsewhere").mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=rf"{name} is a link"):
        run.check_writable()


def test_links_of_an_own_run_are_its_users(tmp_path):
    Run(tmp_path).write(Experiment.of("vae"), {})
    (tmp_path / "checkpoints").symlink_to(tmp_path)
    Run(tmp_path).check_writable()


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        Run(tmp_path / "run").locked().__enter__()
    assert precious.read_text() == "precious"


def test_a_start_that_failed_does_not_bind(tmp_path):
    run, distribution = Run(tmp_path), Distribution()
    run.write(Experiment.of("vae"), {})
    other = Experiment.of("vae", run=RunSettings(seed=9))
    check_experiment(run, other, distribution)
    (run.checkpoints / "step-0").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds a run with other settings"):
        check_experiment(run, other, distribution)


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is a file, and no folder"):
        Run(tmp_path / "file")
    with pytest.raises(ValueError, match="must have a name"):
        Run("")
