import contextlib
import resource
import signal

import keras
import numpy as np
import pytest

from tests.toy import assert_same, every_variable, make_toy
from vaegan_tf.models import create_model
from vaegan_tf.runs import CheckpointError, Checkpoints
from vaegan_tf.runs.checkpoints import restore_networks, steps_in


def scatter(model, seed):
    """Gives every variable a value that nothing else has."""
    rng = np.random.default_rng(seed)
    slots = [v for o in model.optimizers.values() for v in o.variables]
    means = [v for metric in model.metrics for v in metric.variables]
    for variable in [*model.weights, *slots, *means]:
        if "int" in keras.backend.standardize_dtype(variable.dtype):
            variable.assign(rng.integers(0, 1000, variable.shape))
        else:
            variable.assign(rng.normal(size=variable.shape))


def saved(model, folder, *steps, keep=3):
    checkpoints = Checkpoints(model, folder, keep)
    for step in steps:
        model.step.assign(step)
        model.decoder.weights[0].assign(
            np.full(model.decoder.weights[0].shape, step)
        )
        checkpoints.save()
    return checkpoints


def truncate(path):
    """Leaves the first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def data_file(folder, step):
    (path,) = (folder / f"step-{step}").glob("*.data-*")
    return path


def kernel(model):
    return float(model.decoder.weights[0].numpy().flat[0])


@pytest.fixture
def warnings(monkeypatch):
    """Lines that were logged as warnings."""
    lines = []
    monkeypatch.setattr(
        "vaegan_tf.runs.checkpoints.logging.warning",
        lambda text, *values: lines.append(text % values),
    )
    return lines


def test_every_variable_makes_the_round_trip(tmp_path):
    def make():
        model = create_model(
            "vaegan",
            image_size=32,
            width=0.02,
            latent_dim=2,
            equilibrium_margin=0.35,
        )
        model.compile("adam")
        return model

    before, after = make(), make()
    scatter(before, seed=0)
    scatter(after, seed=1)
    before.step.assign(12)
    before.noise_seed.assign(34)
    Checkpoints(before, tmp_path).save()
    assert Checkpoints(after, tmp_path).restore() == 12
    assert (int(after.step.numpy()), int(after.noise_seed.numpy())) == (12, 34)
    assert_same(every_variable(before), every_variable(after))


def test_the_newest_stay(tmp_path):
    checkpoints = saved(make_toy(), tmp_path, 0, 5, 10, 100, keep=2)
    assert checkpoints.steps == steps_in(tmp_path) == [10, 100]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-10",
        "step-100",
    ]


@pytest.mark.parametrize("keep", range(1, 8))
def test_as_many_stay_as_are_to_be_kept(tmp_path, keep):
    steps = [1, 2, 3, 4, 5]
    actual = saved(make_toy(), tmp_path, *steps, keep=keep).steps
    assert actual == steps[max(5 - keep, 0) :]


def test_what_was_just_written_stays_though_others_are_of_later_steps(tmp_path):
    assert saved(make_toy(), tmp_path, 20, 10, keep=1).steps == [10]


def test_a_step_is_written_once(tmp_path):
    model = make_toy()
    checkpoints = saved(model, tmp_path, 4)
    before = data_file(tmp_path, 4).stat().st_mtime_ns
    checkpoints.save()
    assert data_file(tmp_path, 4).stat().st_mtime_ns == before


def test_nothing_to_restore(tmp_path):
    assert Checkpoints(make_toy(), tmp_path / "none").restore() is None


def test_a_checkpoint_cut_short_by_a_kill_is_none(tmp_path):
    checkpoints = saved(make_toy(), tmp_path, 1)
    partial = tmp_path / "partial"
    partial.mkdir()
    (partial / "variables.index").write_bytes(b"half a fi")
    assert checkpoints.restore() == 1
    saved(checkpoints.model, tmp_path, 2)
    assert not partial.exists()
    assert steps_in(tmp_path) == [1, 2]


@pytest.mark.parametrize("damage", ["data cut", "data gone", "index cut"])
def test_a_damaged_one_gives_way_to_the_one_before(tmp_path, warnings, damage):
    saved(make_toy(), tmp_path, 1, 2)
    if damage == "data gone":
        data_file(tmp_path, 2).unlink()
    elif damage == "data cut":
        truncate(data_file(tmp_path, 2))
    else:
        truncate(tmp_path / "step-2" / "variables.index")
    model = make_toy()
    assert Checkpoints(model, tmp_path).restore() == 1
    assert (kernel(model), int(model.step.numpy())) == (1, 1)
    assert steps_in(tmp_path) == [1]
    assert len(warnings) == 1
    assert f"The checkpoint of step 2 in {tmp_path} cannot" in warnings[0]
    assert warnings[0].endswith("Going back to the one before.")


def test_flipped_bits_are_damage(tmp_path, warnings):
    saved(make_toy(), tmp_path, 1, 2)
    path = data_file(tmp_path, 2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert Checkpoints(make_toy(), tmp_path).restore() == 1
    assert len(warnings) == 1


def test_if_all_are_damaged_none_is_deleted(tmp_path, warnings):
    saved(make_toy(), tmp_path, 1, 2)
    for step in (1, 2):
        truncate(data_file(tmp_path, step))
    message = r"None of the checkpoints in .* can be read\. .*with overwrite"
    with pytest.raises(CheckpointError, match=message):
        Checkpoints(make_toy(), tmp_path).restore()
    assert steps_in(tmp_path) == [1, 2]
    assert len(warnings) == 2


def test_another_architecture_is_refused(tmp_path, warnings):
    saved(make_toy(), tmp_path, 1)
    with pytest.raises(CheckpointError, match="None of the checkpoints"):
        Checkpoints(make_toy(latent_dim=3), tmp_path).restore()
    assert "shape" in warnings[0].lower()
    assert steps_in(tmp_path) == [1]


def test_networks_are_read_alone(tmp_path):
    model = make_toy()
    scatter(model, seed=0)
    model.step.assign(8)
    Checkpoints(model, tmp_path).save()
    other = make_toy()
    average = other.decoder_ema.get_weights()
    assert restore_networks(other, tmp_path, ["decoder"]) == 8
    assert_same(other.decoder.get_weights(), model.decoder.get_weights())
    assert_same(other.decoder_ema.get_weights(), average)
    assert int(other.step.numpy()) == 0


def test_networks_of_nothing(tmp_path):
    message = r"There is no checkpoint in .*none\. Train first"
    with pytest.raises(FileNotFoundError, match=message):
        restore_networks(make_toy(), tmp_path / "none", ["decoder"])


def test_networks_of_another_shape(tmp_path):
    saved(make_toy(), tmp_path, 8)
    message = "The checkpoint of step 8 in .* cannot be read: .*shape"
    with pytest.raises(CheckpointError, match=message):
        restore_networks(make_toy(latent_dim=3), tmp_path, ["decoder"])


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    message = (
        r"Could not write the checkpoint of step 3 to .*/file/x: "
        r".*Not a directory.*\. There is no other\."
    )
    with pytest.raises(CheckpointError, match=message):
        saved(make_toy(), tmp_path / "file" / "x", 3)


def test_a_full_disk_leaves_the_good_checkpoint(tmp_path):
    model = create_model("vae", image_size=32, width=0.02, latent_dim=2)
    model.compile("adam")
    checkpoints = Checkpoints(model, tmp_path)
    model.step.assign(1)
    checkpoints.save()
    model.step.assign(2)
    with files_of_at_most(5000), pytest.raises(CheckpointError) as caught:
        checkpoints.save()
    error = str(caught.value)
    start = f"Could not write the checkpoint of step 2 to {tmp_path}: "
    assert error.startswith(start)
    end = " The last good checkpoint is that of step 1."
    assert error.endswith(end)
    assert "File too large" in error
    assert "{{" not in error
    assert "\n" not in error
    assert checkpoints.steps == [1]
    assert checkpoints.restore() == int(model.step.numpy()) == 1
    checkpoints.save()
    model.step.assign(2)
    checkpoints.save()
    assert checkpoints.steps == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-1",
        "step-2",
    ]


@contextlib.contextmanager
def files_of_at_most(size):
    """Lets this process write no file beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
