import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.toy import Toy, make_toy, make_toy_vae, toy_batches
from vaegan_tf import images as pictures
from vaegan_tf.evaluation import Evaluation, Score
from vaegan_tf.files import write_json
from vaegan_tf.runs import Checkpoints
from vaegan_tf.runs.checkpoints import score_in
from vaegan_tf.settings import RunSettings
from vaegan_tf.training import (
    BestCheckpoint,
    Evaluate,
    LatentCodes,
    MetricsLog,
    Progress,
    ReconstructionGrid,
    SampleGrid,
    Trainer,
    Validation,
    callbacks,
)
from vaegan_tf.training.train import parameter_table


class Writer:
    """Notes what a `SummaryWriter` is given."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def note(*arguments):
            self.calls.append((name, *arguments))

        return note

    def of(self, name):
        return [call[1:] for call in self.calls if call[0] == name]


class Model:
    """Stands for a model: steps made, and what else a test needs."""

    stop_training = False

    def __init__(self, **attributes):
        self.step = tf.Variable(0)
        for name, value in attributes.items():
            setattr(self, name, value)


class Painter(Model):
    """A model whose images are all of one brightness, which is `level`."""

    level = 0.0

    def sample(self, count, seed, attributes=None):
        self.asked = (count, seed, attributes)
        return tf.fill([count, 4, 4, 3], self.level)

    def reconstruct(self, image, attributes=None):
        return tf.constant(image) / 2

    def encode(self, image, attributes=None):
        self.given = attributes
        return {"mean": tf.reduce_mean(image, [1, 2])[:, :2]}


class Scorer(Model):
    """A model whose scores are the values of the examples."""

    def validation_terms(self, example):
        return {"pixel_error": example["value"], "kl": 2 * example["value"]}


def begin(callback, model, step=0, last_step=100):
    """Starts, or resumes, a run of `train` that the callback watches."""
    callback.set_model(model)
    callback.set_params({"train_steps": last_step, "steps": 10, "epochs": 10})
    model.step.assign(step)
    callback.on_train_begin()
    return callback


def pass_step(callback, step):
    """Tells the callback of one step."""
    callback.model.step.assign(step)
    callback.on_train_batch_end(step - 1, {})


def pass_epoch(callback, step, logs):
    callback.model.step.assign(step)
    callback.on_epoch_end(0, logs)


def example(count, level=1.0):
    return {"image": np.full((count, 4, 4, 3), level, np.float32)}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(folder):
    return sorted(path.name for path in folder.iterdir())


class Counter(callbacks.StepCallback):
    def act(self):
        self.acts = [*getattr(self, "acts", []), self.step]


@pytest.mark.parametrize(
    ("every", "due"), [(1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6, 7]), (9, [7])]
)
def test_when_a_callback_acts_in_train(every, due):
    counter = begin(Counter(every), Model(), last_step=7)
    for step in range(1, 8):
        pass_step(counter, step)
    counter.on_train_end()
    assert counter.acts == due


@pytest.mark.parametrize(
    ("every", "due"), [(1, [1, 2, 3, 4, 5, 6]), (4, [4, 6]), (9, [6])]
)
def test_when_a_callback_acts_in_fit(every, due):
    counter = Counter(every)
    make_toy().fit(
        toy_batches(),
        epochs=2,
        steps_per_epoch=3,
        shuffle=False,
        verbose=0,
        callbacks=[counter],
    )
    assert counter.acts == due


def test_progress(monkeypatch, tmp_path):
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    logged = []
    monkeypatch.setattr(
        callbacks.logging, "info", lambda text, *v: logged.append(text % v)
    )
    writer, path = Writer(), tmp_path / "speed.jsonl"
    progress = begin(
        Progress(8, path=path, writer=writer),
        Model(term_names=("kl", "real")),
        last_step=100,
    )
    pass_epoch(progress, 10, {"encoder_loss": 3.0, "real": 0.25, "kl": 1234.56})
    # 10 steps of 8 images in 2 s; the other 90 steps take 9 times as long.
    assert logged == [
        "step 10 of 100, 40.0 images/s, 18 s left: kl 1235, real 0.25"
    ]
    speed = {"speed/images_per_second": 40.0}
    assert writer.of("scalars") == [(10, speed)]
    expected = {"step": 10, "seconds": 2.0, "images_per_second": 40.0}
    assert lines(path) == [expected]


def test_progress_counts_from_where_a_run_resumed(monkeypatch, tmp_path):
    clock = iter([0.0, 4.0])
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: next(clock))
    writer, path = Writer(), tmp_path / "speed.jsonl"
    path.write_text('{"step": 90}\n{"step": 100}\n')
    progress = begin(
        Progress(2, path=path, writer=writer), Model(term_names=()), step=96
    )
    assert lines(path) == [{"step": 90}]
    pass_epoch(progress, 100, {})
    assert writer.of("scalars") == [(100, {"speed/images_per_second": 2.0})]


def model_with_rate(rate, *names):
    optimizer = types.SimpleNamespace(learning_rate=rate)
    metrics = [types.SimpleNamespace(name=name) for name in names]
    return Model(optimizers={"decoder": optimizer}, metrics=metrics)


def test_numbers(tmp_path):
    path, writer = tmp_path / "metrics.jsonl", Writer()
    means = {
        "kl": 1.5,
        "decoder_loss": 2.5,
        "decoder_gradient_norm": 3.5,
        "decoder_updated": 0.5,
    }
    log = begin(
        MetricsLog(path=path, writer=writer), model_with_rate(0.25, *means)
    )
    pass_epoch(log, 2, means)
    # What other callbacks have added is theirs to write.
    pass_epoch(log, 4, {**means, "validation/kl": 7.0})
    rate = {"learning_rate/decoder": 0.25}
    assert lines(path) == [{"step": s, **means, **rate} for s in (2, 4)]
    tagged = {
        "term/kl": 1.5,
        "loss/decoder": 2.5,
        "gradient_norm/decoder": 3.5,
        "updated/decoder": 0.5,
    }
    assert writer.of("rewind") == [(0,)]
    assert writer.of("scalars") == [(s, {**tagged, **rate}) for s in (2, 4)]


@pytest.mark.parametrize(
    ("text", "step", "kept"),
    [
        ('{"step": 1}\n{"step": 2}\n{"step": 3}\n', 2, [1, 2]),
        ('{"step": 2}\n{"step": 2, "validation/kl": 1}\n', 2, [2, 2]),
        ('{"step": 1}\n{"step": 2, "k', 2, [1]),
        # A number cut short would be a number still.
        ('{"step": 1}\n{"step": 2}', 9, [1]),
        ('{"step": 3}\n', 2, []),
        ("", 2, []),
    ],
)
def test_later_records_are_dropped_and_cut_ones(tmp_path, text, step, kept):
    path = tmp_path / "metrics.jsonl"
    path.write_text(text)
    writer = Writer()
    begin(MetricsLog(path=path, writer=writer), Model(), step)
    assert [line["step"] for line in lines(path)] == kept
    assert path.read_text() == "" or path.read_text().endswith("\n")
    assert writer.of("rewind") == [(step,)]
    assert named(tmp_path) == ["metrics.jsonl"]


def test_there_may_be_no_records_yet(tmp_path):
    callbacks.drop_later(tmp_path / "metrics.jsonl", 2)
    assert not named(tmp_path)


def test_sample_grids(tmp_path):
    writer, folder = Writer(), tmp_path / "samples"
    drawing = begin(SampleGrid(5, folder, example(9), writer=writer), Painter())
    pass_step(drawing, 5)
    names = ["samples-00000000.png", "samples-00000005.png"]
    assert named(folder) == names
    assert drawing.model.asked == (9, callbacks.SAMPLE_SEED, None)
    picture = pictures.read_png(folder / names[1])
    # Three by three of 4 pixels with 2 around each; level 0 is 127.5 of 255.
    assert picture.shape == (20, 20, 3)
    assert (picture[0] == 255).all()
    assert (picture[3, 3] == 128).all()
    (_, first), (step, second) = writer.of("images")
    assert set(first) == set(second) == {"samples"}
    assert step == 5
    np.testing.assert_array_equal(second["samples"], picture)


def test_reconstruction_grids(tmp_path):
    drawing = ReconstructionGrid(5, tmp_path, example(40))
    pass_step(begin(drawing, Painter(), step=1), 5)
    assert named(tmp_path) == ["reconstructions-00000005.png"]
    picture = pictures.read_png(tmp_path / "reconstructions-00000005.png")
    # The original is 1, white; below it, 1/2 is 0.75 · 255 = 191.25.
    assert (picture[2:6, 2:6] == 255).all()
    assert (picture[8:12, 2:6] == 191).all()


def test_conditional_samples_have_the_examples_attributes(tmp_path):
    attributes = np.eye(3, dtype=np.float32)
    conditional = {**example(3), "attributes": attributes}
    drawing = begin(SampleGrid(5, tmp_path, conditional), Painter())
    np.testing.assert_array_equal(drawing.model.asked[2], attributes)


def test_grids_after_a_resume(tmp_path):
    grids = [SampleGrid, ReconstructionGrid]
    for grid in grids:
        drawing = begin(grid(5, tmp_path, example(1)), Painter(), step=1)
        for step in (5, 10, 15):
            pass_step(drawing, step)
    for name in ("mine.png", "my-cat.png", "my-holidays.png"):
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / ".samples-00000015.png.123.0").write_bytes(b"cut sho")
    for grid in grids:
        begin(grid(5, tmp_path, example(1)), Painter(), step=10)
    assert named(tmp_path) == [
        "mine.png",
        "my-cat.png",
        "my-holidays.png",
        "reconstructions-00000005.png",
        "reconstructions-00000010.png",
        "samples-00000005.png",
        "samples-00000010.png",
    ]


def test_a_kill_between_the_first_two_grids_leaves_none_out(tmp_path):
    for grid in (SampleGrid, SampleGrid, ReconstructionGrid):
        begin(grid(5, tmp_path, example(1)), Painter())
    assert len(named(tmp_path)) == 2


def frames(path):
    """Red of a pixel inside the first image, by frame."""
    actual = []
    with Image.open(path) as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            actual.append(np.asarray(animation.convert("RGB"))[4, 4, 0])
    return actual


def draw(folder, levels, last_step=None):
    last_step = len(levels) if last_step is None else last_step
    drawing = SampleGrid(1, folder, example(1))
    begin(drawing, Painter(), step=1, last_step=last_step)
    for step, level in enumerate(levels, 1):
        drawing.model.level = level
        pass_step(drawing, step)
    return drawing


def test_the_animation_has_a_frame_for_each_grid(tmp_path):
    draw(tmp_path, [-1.0, 0.0, 0.6, 1.0]).on_train_end()
    # 127.5 · (1 + level), rounded to even.
    assert frames(tmp_path / "samples.gif") == [0, 128, 204, 255]


def test_a_long_animation_leaves_frames_out_but_not_the_ends(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(callbacks, "MOST_FRAMES", 3)
    draw(tmp_path, [-1.0, -0.5, 0.0, 0.5, 1.0]).on_train_end()
    assert frames(tmp_path / "samples.gif") == [0, 128, 255]


def test_a_run_stopped_by_a_signal_has_no_animation_yet(tmp_path):
    drawing = draw(tmp_path, [-1.0, 0.0], last_step=9)
    before = named(tmp_path)
    drawing.on_train_end()
    assert named(tmp_path) == before
    # One that a callback has stopped is over.
    drawing.model.stop_training = True
    drawing.on_train_end()
    assert frames(tmp_path / "samples.gif") == [0, 128]


def batches(*values):
    return [{"value": tf.constant(v, tf.float32)} for v in values]


class Best:
    """Stands for the `Checkpoints` of the best model."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.saves = 0

    def save(self, score):
        self.saves += 1
        folder = self.folder / f"step-{score['step']}"
        write_json(folder / "score.json", score)


@pytest.fixture
def validation(tmp_path):
    """A function that makes a validation on batches of scores."""

    def make(*values, criterion="pixel_error", step=0, model=Scorer):
        callback = Validation(
            5,
            batches(*values),
            best=BestCheckpoint(Best(tmp_path / "best"), criterion),
            path=tmp_path / "metrics.jsonl",
            writer=Writer(),
        )
        return begin(callback, model(), step)

    return make


def saves(callback):
    return callback.best.checkpoints.saves


def score(callback):
    return score_in(callback.best.checkpoints.folder)


def test_validation_is_the_mean_over_all_examples(validation):
    # Of 1, 2, 3 and 6, not of the batches' means 2 and 6.
    scored = validation([1, 2, 3], [6])
    pass_step(scored, 5)
    means = {"validation/pixel_error": 3.0, "validation/kl": 6.0}
    assert lines(scored.path) == [{"step": 5, **means}]
    assert scored.writer.of("scalars") == [(5, means)]
    assert score(scored) == {"step": 5, "pixel_error": 3.0}


def test_scores_join_the_logs_of_their_epoch(validation):
    scored = validation([3.0])
    pass_step(scored, 5)
    first, second = {"kl": 1.0}, {"kl": 2.0}
    pass_epoch(scored, 6, first)
    pass_epoch(scored, 8, second)
    means = {"validation/pixel_error": 3.0, "validation/kl": 6.0}
    assert first == {"kl": 1.0, **means}
    assert second == {"kl": 2.0}


def test_the_best_is_the_one_of_least_pixel_error(validation):
    scored = validation()
    counts = []
    for step, error in [(5, 3.0), (10, 2.0), (15, 2.0), (20, 2.5), (25, 1.0)]:
        scored.batches = batches([error])
        pass_step(scored, step)
        counts.append(saves(scored))
    assert counts == [1, 2, 2, 2, 3]
    assert score(scored) == {"step": 25, "pixel_error": 1.0}


def test_the_best_may_be_that_of_another_score(validation):
    scored = validation([2.0], criterion="kl")
    pass_step(scored, 5)
    assert score(scored) == {"step": 5, "kl": 4.0}
    again = validation([3.0], criterion="kl", step=5)
    pass_step(again, 10)
    assert saves(again) == 0
    assert score(again) == {"step": 5, "kl": 4.0}


def test_the_best_is_remembered_by_a_resumed_run(validation):
    pass_step(validation([2.0]), 5)
    worse = validation([3.0], step=5)
    pass_step(worse, 10)
    assert saves(worse) == 0
    assert score(worse) == {"step": 5, "pixel_error": 2.0}


def test_nothing_is_best_that_is_not_finite(validation):
    scored = validation([float("nan")])
    pass_step(scored, 5)
    assert saves(scored) == 0


def test_a_model_that_lacks_the_score_has_no_best(validation):
    class Judge(Model):
        def validation_terms(self, example):
            return {"real": example["value"]}

    scored = validation([1.0], model=Judge)
    pass_step(scored, 5)
    assert lines(scored.path) == [{"step": 5, "validation/real": 1.0}]
    assert saves(scored) == 0
    assert not named(scored.best.checkpoints.folder)


class FixedEvaluator:
    """Stands for an `Evaluator` whose scores are given."""

    def __init__(self, distance, notes=()):
        self.distance, self.notes = distance, list(notes)

    def evaluate(self, model):
        scores = [
            Score(*kind, value, 32, weights=weights, sampler=sampler)
            for kind, value, weights, sampler in (
                (
                    ("samples", "frechet_distance"),
                    self.distance,
                    "ema",
                    "prior",
                ),
                (("samples", "frechet_distance"), 0.5, "raw", "prior"),
                (("latents", "kl"), 7.0, "raw", None),
            )
        ]
        return Evaluation(scores, notes=self.notes)


@pytest.fixture
def evaluate(tmp_path):
    """A function that makes a callback that keeps the best by distance."""

    def make(distance, keeps=True, notes=(), step=0, num_images=32):
        best = BestCheckpoint(
            Best(tmp_path / "best"),
            "frechet_distance",
            features="eyes",
            num_images=num_images,
        )
        callback = Evaluate(
            5,
            FixedEvaluator(distance, notes),
            best=best if keeps else None,
            path=tmp_path / "metrics.jsonl",
            writer=Writer(),
        )
        return begin(callback, Model(), step)

    return make


def test_all_scores_of_an_evaluation_are_recorded(evaluate):
    scored = evaluate(3.0)
    pass_step(scored, 5)
    numbers = {
        "evaluation/samples/frechet_distance/prior/ema": 3.0,
        "evaluation/samples/frechet_distance/prior/raw": 0.5,
        "evaluation/latents/kl/raw": 7.0,
    }
    assert lines(scored.path) == [{"step": 5, **numbers}]
    assert scored.writer.of("scalars") == [(5, numbers)]


def test_the_best_is_the_one_of_least_distance(evaluate):
    scored = evaluate(3.0)
    counts = []
    for step, distance in [(5, 3.0), (10, 4.0), (15, float("nan")), (20, 2.0)]:
        scored.evaluator.distance = distance
        pass_step(scored, step)
        counts.append(saves(scored))
    assert counts == [1, 1, 1, 2]
    assert score(scored) == {
        "step": 20,
        "frechet_distance": 2.0,
        "features": "eyes",
        "num_images": 32,
    }


def test_the_least_distance_is_remembered_by_a_resumed_run(evaluate):
    pass_step(evaluate(2.0), 5)
    worse = evaluate(3.0, step=5)
    pass_step(worse, 10)
    assert saves(worse) == 0
    assert score(worse)["step"] == 5


def test_distances_of_other_features_do_not_compare(evaluate):
    pass_step(evaluate(2.0), 5)
    other = evaluate(3.0, num_images=64, step=5)
    pass_step(other, 10)
    assert score(other)["frechet_distance"] == 3.0


def test_a_score_of_another_kind_does_not_count(evaluate, validation):
    pass_step(validation([2.0]), 5)
    by_distance = evaluate(30.0, step=5)
    pass_step(by_distance, 10)
    assert score(by_distance)["frechet_distance"] == 30.0


def test_only_one_callback_keeps_the_best(evaluate, tmp_path):
    pass_step(evaluate(3.0, keeps=False), 5)
    assert score_in(tmp_path / "best") is None


def test_notes_are_logged_once(evaluate, monkeypatch):
    logged = []
    monkeypatch.setattr(
        callbacks.logging, "info", lambda text, *v: logged.append(text % v)
    )
    scored = evaluate(3.0, notes=["Beware."])
    for step in (5, 10):
        pass_step(scored, step)
    assert logged.count("Note: Beware.") == 1


def test_latent_codes():
    writer = Writer()
    image = np.zeros((4, 2, 2, 3), np.float32)
    image[:, :, :, 0] = np.array([0, 0, 4, 4]).reshape(4, 1, 1)
    has_hat = np.array([[0], [0], [1], [1]], np.float32)
    shown = {"image": image, "attributes": has_hat}
    callback = begin(LatentCodes(5, shown, ["Hat"], writer=writer), Painter())
    pass_step(callback, 5)
    ((step, histograms),) = writer.of("histograms")
    assert step == 5
    np.testing.assert_array_equal(
        histograms["latents/all"], [[0, 0], [0, 0], [4, 0], [4, 0]]
    )
    np.testing.assert_array_equal(histograms["latents/Hat/with"], [4, 4])
    np.testing.assert_array_equal(histograms["latents/Hat/without"], [0, 0])
    ((codes, images, columns),) = writer.of("projector")
    assert codes.shape == (4, 2)
    assert images is image
    assert list(columns["Hat"]) == [False, False, True, True]
    # A conditional model is given them; others leave them aside.
    assert callback.model.given is has_hat


def test_codes_without_attributes():
    writer = Writer()
    callback = begin(LatentCodes(5, example(3), [], writer=writer), Painter())
    pass_step(callback, 5)
    assert set(writer.of("histograms")[0][1]) == {"latents/all"}
    assert writer.of("projector")[0][2] == {}


STEPS, EPOCH = 7, 2


def in_train(folder, model, watching):
    return Trainer(
        model,
        toy_batches,
        Checkpoints(model, folder / "checkpoints"),
        RunSettings(log_every=EPOCH),
        train_steps=STEPS,
        callbacks=watching,
    ).run()


def in_fit(folder, model, watching):
    # Seven steps: three epochs of two, and one of one.
    options = {"shuffle": False, "verbose": 0, "callbacks": watching}
    model.fit(toy_batches(), epochs=3, steps_per_epoch=EPOCH, **options)
    model.fit(toy_batches(6), epochs=1, steps_per_epoch=1, **options)


def every_callback(folder, model):
    shown = {
        "image": np.linspace(-1, 1, 4, dtype="float32")[:, None, None, None]
    }
    held_out = tf.data.Dataset.from_tensor_slices(shown).batch(2)
    metrics = folder / "metrics.jsonl"
    best = BestCheckpoint(Checkpoints(model, folder / "best", 1), "pixel_error")
    return [
        Progress(2, path=folder / "speed.jsonl", writer=Writer()),
        MetricsLog(path=metrics, writer=Writer()),
        SampleGrid(3, folder / "samples", shown, writer=Writer()),
        ReconstructionGrid(3, folder / "samples", shown, writer=Writer()),
        Validation(3, held_out, best=best, path=metrics, writer=Writer()),
        Evaluate(3, FixedEvaluator(1.0), path=metrics, writer=Writer()),
        LatentCodes(3, shown, [], writer=Writer()),
    ]


def test_all_work_in_fit_as_in_train(tmp_path):
    actual = {}
    for make in (in_train, in_fit):
        folder = tmp_path / make.__name__
        folder.mkdir()
        model = make_toy_vae()
        watching = every_callback(folder, model)
        make(folder, model, watching)
        steps = {
            type(callback).__name__: [
                call[:2]
                for call in callback.writer.calls
                if call[0] in ("scalars", "images", "histograms")
            ]
            for callback in watching
        }
        files = {
            path.name: path.read_bytes() for path in folder.glob("samples/*")
        }
        best = score_in(folder / "best")
        actual[make] = steps, files, best, lines(folder / "metrics.jsonl")
    (train_steps, train_files, train_best, train_lines) = actual[in_train]
    (fit_steps, fit_files, fit_best, fit_lines) = actual[in_fit]
    assert [s for _, s in train_steps["SampleGrid"]] == [0, 3, 6, 7]
    assert [s for _, s in train_steps["Progress"]] == [2, 4, 6, 7]
    assert fit_steps == train_steps
    assert set(fit_files) == set(train_files)
    for name, content in train_files.items():
        assert fit_files[name] == content, name
    assert fit_best["step"] == train_best["step"]
    # Only `train` knows its last step before the last epoch ends.
    assert len(fit_lines) == len(train_lines) == 4 + 3 + 3
    by_step = sorted(fit_lines, key=lambda line: (line["step"], len(line)))
    expected = sorted(train_lines, key=lambda line: (line["step"], len(line)))
    for ours, theirs in zip(expected, by_step):
        assert ours == pytest.approx(theirs, rel=1e-5)


class Valley(Toy):
    """A model whose validation error falls until step 4, then rises."""

    def validation_terms(self, example):
        error = tf.abs(tf.cast(self.step, tf.float32) - 4)
        return {"pixel_error": tf.fill([2], error)}


def test_keras_stops_a_run_by_a_score_and_writes_its_logs(tmp_path):
    keras.utils.set_random_seed(5)
    model = Valley()
    model.compile("adam")
    validation = Validation(2, toy_batches().take(1))
    stopping = keras.callbacks.EarlyStopping(
        "validation/pixel_error", patience=2, mode="min"
    )
    csv = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    trainer = Trainer(
        model,
        toy_batches,
        Checkpoints(model, tmp_path / "checkpoints"),
        RunSettings(log_every=2),
        train_steps=100,
        callbacks=[validation, stopping, csv],
    )
    assert trainer.run() is True
    # Errors of steps 2, 4, 6 and 8: 2, 0, 2 and 4.
    assert stopping.stopped_epoch == 3
    assert stopping.best_epoch == 1
    assert trainer.checkpoints.steps[-1] == 8
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    names = header.split(",")
    assert {"epoch", "level", "error", "decoder_loss"} < set(names)
    errors = [
        row.split(",")[names.index("validation/pixel_error")] for row in rows
    ]
    assert [float(error) for error in errors] == [2, 0, 2, 4]
    assert [row.split(",")[0] for row in rows] == ["0", "1", "2", "3"]


def network(count):
    return types.SimpleNamespace(count_params=lambda: count)


def test_parameter_table():
    model = types.SimpleNamespace(
        networks=("encoder", "discriminator"),
        trained_networks=lambda: ("encoder",),
        encoder=network(2**20),  # 4 bytes each: 4 MiB
        discriminator=network(1234),
    )
    assert parameter_table(model).splitlines() == [
        "network          parameters      MiB  trained",
        "encoder           1,048,576      4.0      yes",
        "discriminator         1,234      0.0       no",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (44.6, "45 s"),
        (59.7, "1 min"),
        (60, "1 min"),
        (719, "12 min"),
        (3570, "1 h 0 min"),
        (12_000, "3 h 20 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_durations(seconds, words):
    assert callbacks.duration(seconds) == words
