import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.toy import Toy, make_toy, make_toy_vae, toy_batches
from tests.training.watched import (
    FixedEvaluator,
    Model,
    Writer,
    begin,
    lines,
    named,
    pass_epoch,
    pass_step,
)
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
        "network        parameters  MiB  trained",
        "encoder         1,048,576  4.0      yes",
        "discriminator       1,234  0.0       no",
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
