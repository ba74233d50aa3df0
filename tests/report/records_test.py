import json
import pathlib

import pytest

from vaegan_tf.pretrained import pretrained_run
from vaegan_tf.report import records


def test_what_is_read(make_run):
    folder = make_run(
        "a",
        metrics=[{"step": 50, "kl": 1.5}, {"step": 80, "kl": 1.0}],
        speeds=[{"step": 80, "seconds": 2.0, "images_per_second": 320.0}],
    )
    (record,) = records.read_records([folder])
    assert (record.label, record.title) == ("a", "VAE/GAN")
    assert record.metrics[1] == {"step": 80, "kl": 1.0}
    assert record.speeds[0]["seconds"] == 2.0
    assert record.evaluation is None
    assert (record.steps, record.planned_steps) == (80, 100)
    assert not record.is_finished
    assert record.data_title == "avatars, 32×32"


def test_checkpoints_tell_of_steps_not_logged_yet(make_run):
    folder = make_run("a", metrics=[{"step": 50}])
    (folder / "checkpoints" / "step-100").mkdir(parents=True)
    (record,) = records.read_records([folder])
    assert record.steps == 100
    assert record.is_finished


def test_a_run_that_has_only_begun(make_run):
    folder = make_run("a")
    (folder / "metrics.jsonl").unlink()
    (record,) = records.read_records([folder])
    assert (record.steps, record.metrics) == (0, [])


def test_of_published_weights_the_card_is_read():
    run = pretrained_run("avatars64")
    (record,) = records.read_records([run])
    card = json.loads((run.folder / "card.json").read_text())
    assert record.label == "avatars64"
    assert (record.steps, record.is_finished) == (4500, True)
    assert record.evaluation["scores"] == card["scores"]
    assert record.evaluation["command"].startswith("vaegan-evaluate ")
    assert record.similarity is None


def test_conditional_models_are_called_so(make_record):
    record = make_record(kind="gan", conditional=True)
    assert record.title == "conditional GAN"


def test_labels_have_as_many_parents_as_needed():
    paths = ["/runs/a/vae", "/runs/b/vae", "/runs/b/gan", "/x/b/vae"]
    paths = [pathlib.Path(path) for path in paths]
    assert records.labels(paths) == ["a/vae", "runs/b/vae", "gan", "x/b/vae"]


def test_no_run_at_all():
    message = r"needs at least one run: vaegan-report RUN \[RUN \.\.\.\]"
    for folders in (None, []):
        with pytest.raises(ValueError, match=message):
            records.read_records(folders)


def test_too_many_runs():
    message = "at most 8 runs, or their lines .* Received: 9"
    with pytest.raises(ValueError, match=message):
        records.read_records([f"runs/{number}" for number in range(9)])


def test_the_same_run_twice(make_run):
    folder = make_run("a")
    with pytest.raises(ValueError, match=r"/\.\./a is given twice"):
        records.read_records([folder, f"{folder}/../a"])


def test_what_is_no_run(make_run, tmp_path):
    with pytest.raises(FileNotFoundError, match="none is no run"):
        records.read_records([make_run("a"), tmp_path / "none"])


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"kind": "predictor"}, r"no model that .*\(vae, .*: predictor"),
        ({"kind": "nothing"}, "nothing"),
        ({"kind": "vae"}, "damaged: `run.data` is missing or of another form"),
        (
            {"kind": "vae", "settings": {"data": {}, "optimisation": {}}},
            "damaged: `run.data.dataset` is missing or of another form",
        ),
    ],
)
def test_a_run_of_something_else(make_run, about, message):
    folder = make_run("a")
    about = {"settings": {}, "inputs": {}, **about}
    (folder / "run.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match=message):
        records.read_records([folder])


def test_a_line_being_written_is_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2, "k')
    assert records.read_lines(path) == [{"step": 1}]


@pytest.mark.parametrize("text", ['{"step": 1\n{"step": 2}\n', '{"kl": 1}\n'])
def test_damaged_numbers(tmp_path, text):
    path = tmp_path / "metrics.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.jsonl is damaged: "):
        records.read_lines(path)


@pytest.mark.parametrize(
    "text", ["{", "{}", "[]", '{"scores": [{"name": "kl"}]}', '{"scores": 1}']
)
def test_damaged_scores(make_run, text):
    folder = make_run("a")
    (folder / "evaluation.json").write_text(text)
    message = r"evaluation\.json is damaged .* again with vaegan-evaluate"
    with pytest.raises(ValueError, match=message):
        records.read_records([folder])


def test_an_evaluation_without_scores_is_none(make_record):
    assert make_record(scores=[]).evaluation is None
