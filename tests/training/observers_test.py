import json
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from vaegan_tf import images as pictures
from vaegan_tf.evaluation import Evaluation, Score
from vaegan_tf.training import observers
from vaegan_tf.training.loop import Moment


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


class Painter:
    """A model whose images are all of one brightness, which is `level`."""

    num_attributes = 0
    level = 0.0

    def sample(self, count, seed, attributes=None):
        self.asked = (count, seed, attributes)
        return tf.fill([count, 4, 4, 3], self.level)


class Copier(Painter):
    """A painter whose reconstructions are half as bright as their images."""

    def reconstruct(self, image, attributes=None):
        return tf.constant(image) / 2

    def encode(self, image, attributes=None):
        self.told = attributes
        return {"mean": tf.reduce_mean(image, [1, 2])[:, :2]}


class Scorer:
    """A model whose scores are the values of the examples."""

    def scores(self, example):
        return {"pixel_error": example["value"], "kl": 2 * example["value"]}


class Best:
    """Stands for the `Checkpoints` of the best model."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.saves = 0

    def save(self):
        self.saves += 1


def moment(step, model=None, means=None, last_step=100):
    return Moment(model, step, last_step, means or {})


def example(count, level=1.0):
    return {"image": np.full((count, 4, 4, 3), level, np.float32)}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def named(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("every", "due"), [(1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6, 7]), (9, [7])]
)
def test_when_an_observer_looks(every, due):
    observer = observers.Observer(every)
    steps = range(1, 8)
    assert due == [s for s in steps if observer.is_due(moment(s, last_step=7))]


def test_progress(monkeypatch, tmp_path):
    clock = iter([10.0, 12.0, 12.0])
    monkeypatch.setattr(observers.time, "monotonic", lambda: next(clock))
    logged = []
    monkeypatch.setattr(
        observers.logging, "info", lambda text, *v: logged.append(text % v)
    )
    writer = Writer()
    model = types.SimpleNamespace(term_names=("kl", "real"))
    path = tmp_path / "speed.jsonl"
    progress = observers.Progress(10, 8, path, writer)
    progress.begin(moment(0, model))
    means = {"kl": 1234.56, "real": 0.25, "encoder_loss": 3.0}
    progress.look(moment(10, model, means, last_step=100))
    # 10 steps of 8 images in 2 s; the other 90 steps take 9 times as long.
    assert logged == [
        "step 10 of 100, 40.0 images/s, 18 s left: kl 1235, real 0.25"
    ]
    speed = {"speed/images_per_second": 40.0}
    assert writer.of("scalars") == [(10, speed)]
    expected = {"step": 10, "seconds": 2.0, "images_per_second": 40.0}
    assert lines(path) == [expected]


def test_progress_counts_from_where_a_training_resumed(monkeypatch, tmp_path):
    clock = iter([0.0, 4.0, 4.0])
    monkeypatch.setattr(observers.time, "monotonic", lambda: next(clock))
    writer = Writer()
    model = types.SimpleNamespace(term_names=())
    path = tmp_path / "speed.jsonl"
    path.write_text('{"step": 90}\n{"step": 100}\n')
    progress = observers.Progress(10, 2, path, writer)
    progress.begin(moment(96, model))
    assert lines(path) == [{"step": 90}]
    progress.look(moment(100, model))
    assert writer.of("scalars") == [(100, {"speed/images_per_second": 2.0})]


def model_with_rate(rate):
    optimizer = types.SimpleNamespace(learning_rate=rate)
    return types.SimpleNamespace(optimizers={"decoder": optimizer})


def test_numbers(tmp_path):
    path, writer = tmp_path / "metrics.jsonl", Writer()
    numbers = observers.Numbers(2, path, writer)
    means = {
        "kl": 1.5,
        "decoder_loss": 2.5,
        "decoder_gradient_norm": 3.5,
        "decoder_updated": 0.5,
    }
    model = model_with_rate(0.25)
    numbers.begin(moment(0, model))
    numbers.look(moment(2, model, means))
    numbers.look(moment(4, model, means))
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
    assert [name for name, *_ in writer.calls[-2:]] == ["scalars", "flush"]


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
    observers.Numbers(2, path, writer).begin(moment(step))
    assert [line["step"] for line in lines(path)] == kept
    assert path.read_text() == "" or path.read_text().endswith("\n")
    assert writer.of("rewind") == [(step,)]
    assert named(tmp_path) == ["metrics.jsonl"]


def test_there_may_be_no_records_yet(tmp_path):
    observers.drop_later(tmp_path / "metrics.jsonl", 2)
    assert not named(tmp_path)


def test_pictures_of_a_model_without_an_encoder(tmp_path):
    writer, model = Writer(), Painter()
    drawing = observers.Pictures(5, tmp_path / "samples", example(9), writer)
    drawing.begin(moment(0, model))
    drawing.look(moment(5, model))
    names = ["samples-00000000.png", "samples-00000005.png"]
    assert named(tmp_path / "samples") == names
    assert model.asked == (9, observers.SAMPLE_SEED, None)
    picture = pictures.read_png(tmp_path / "samples" / names[1])
    # Three by three of 4 pixels with 2 around each; level 0 is 127.5 of 255.
    assert picture.shape == (20, 20, 3)
    assert (picture[0] == 255).all()
    assert (picture[3, 3] == 128).all()
    (_, first), (step, second) = writer.of("images")
    assert set(first) == set(second) == {"samples"}
    assert step == 5
    np.testing.assert_array_equal(second["samples"], picture)


def test_pictures_of_reconstructions(tmp_path):
    drawing = observers.Pictures(5, tmp_path, example(40), Writer())
    drawing.look(moment(5, Copier()))
    assert named(tmp_path) == [
        "reconstructions-00000005.png",
        "samples-00000005.png",
    ]
    picture = pictures.read_png(tmp_path / "reconstructions-00000005.png")
    # The original is 1, white; below it, 1/2 is 0.75 · 255 = 191.25.
    assert (picture[2:6, 2:6] == 255).all()
    assert (picture[8:12, 2:6] == 191).all()


def test_pictures_show_no_more_than_64_images(tmp_path):
    model = Copier()
    observers.Pictures(5, tmp_path, example(70), Writer()).look(
        moment(5, model)
    )
    assert model.asked[0] == 64


def test_conditional_samples_have_the_examples_attributes(tmp_path):
    model = Painter()
    attributes = np.eye(3, dtype=np.float32)
    conditional = {**example(3), "attributes": attributes}
    observers.Pictures(5, tmp_path, conditional, Writer()).look(
        moment(5, model)
    )
    np.testing.assert_array_equal(model.asked[2], attributes)


def test_pictures_after_a_resume(tmp_path):
    drawing = observers.Pictures(5, tmp_path, example(1), Writer())
    for step in (5, 10, 15):
        drawing.look(moment(step, Copier()))
    for name in ("mine.png", "my-cat.png", "my-holidays.png"):
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / ".samples-00000015.png.123.0").write_bytes(b"cut sho")
    drawing.begin(moment(10, Copier()))
    assert named(tmp_path) == [
        "mine.png",
        "my-cat.png",
        "my-holidays.png",
        "reconstructions-00000005.png",
        "reconstructions-00000010.png",
        "samples-00000005.png",
        "samples-00000010.png",
    ]


def test_a_kill_between_the_first_two_pictures_leaves_none_out(tmp_path):
    drawing = observers.Pictures(5, tmp_path, example(1), Writer())
    drawing.begin(moment(0, Copier()))
    (tmp_path / "reconstructions-00000000.png").unlink()
    drawing.begin(moment(0, Copier()))
    assert len(named(tmp_path)) == 2


def frames(path):
    """Red of a pixel inside the first image, by frame."""
    found = []
    with Image.open(path) as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            found.append(np.asarray(animation.convert("RGB"))[4, 4, 0])
    return found


def draw(folder, levels):
    model = Painter()
    drawing = observers.Pictures(1, folder, example(1), Writer())
    for step, level in enumerate(levels):
        model.level = level
        drawing.look(moment(step, model))
    drawing.end(moment(len(levels) - 1, model))
    return frames(folder / "samples.gif")


def test_the_animation_has_a_frame_for_each_picture(tmp_path):
    # 127.5 · (1 + level), rounded to even.
    assert draw(tmp_path, [-1.0, 0.0, 0.6, 1.0]) == [0, 128, 204, 255]


def test_a_long_animation_leaves_frames_out_but_not_the_ends(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(observers, "MOST_FRAMES", 3)
    assert draw(tmp_path, [-1.0, -0.5, 0.0, 0.5, 1.0]) == [0, 128, 255]


def batches(*values):
    return [{"value": tf.constant(v, tf.float32)} for v in values]


@pytest.fixture
def validation(tmp_path):
    """A function that makes a validation on batches of scores."""

    def make(*values, **arguments):
        best = Best(tmp_path / "best")
        path = tmp_path / "metrics.jsonl"
        return observers.Validation(
            5, batches(*values), path, best, Writer(), **arguments
        )

    return make


def score(validation):
    return json.loads((validation.best.folder / "score.json").read_text())


def test_validation_is_the_mean_over_all_examples(validation):
    # Of 1, 2, 3 and 6, not of the batches' means 2 and 6.
    scored = validation([1, 2, 3], [6])
    scored.begin(moment(0, Scorer()))
    scored.look(moment(5, Scorer()))
    means = {"validation/pixel_error": 3.0, "validation/kl": 6.0}
    assert lines(scored.path) == [{"step": 5, **means}]
    assert scored.writer.of("scalars") == [(5, means)]
    assert score(scored) == {"step": 5, "pixel_error": 3.0}


def test_the_best_is_the_one_of_least_pixel_error(validation):
    scored = validation()
    scored.begin(moment(0, Scorer()))
    saves = []
    for step, error in [(5, 3.0), (10, 2.0), (15, 2.0), (20, 2.5), (25, 1.0)]:
        scored.batches = batches([error])
        scored.look(moment(step, Scorer()))
        saves.append(scored.best.saves)
    assert saves == [1, 2, 2, 2, 3]
    assert score(scored) == {"step": 25, "pixel_error": 1.0}


def test_the_best_may_be_that_of_another_score(validation):
    scored = validation([2.0], score="kl")
    scored.begin(moment(0, Scorer()))
    scored.look(moment(5, Scorer()))
    assert score(scored) == {"step": 5, "kl": 4.0}
    again = validation([3.0], score="kl")
    again.begin(moment(5, Scorer()))
    again.look(moment(10, Scorer()))
    assert again.best.saves == 0
    assert score(again) == {"step": 5, "kl": 4.0}


def test_the_best_is_remembered_by_a_resumed_training(validation):
    first = validation([2.0])
    first.begin(moment(0, Scorer()))
    first.look(moment(5, Scorer()))
    worse = validation([3.0])
    worse.begin(moment(5, Scorer()))
    worse.look(moment(10, Scorer()))
    assert worse.best.saves == 0
    assert score(worse) == {"step": 5, "pixel_error": 2.0}


def test_nothing_is_best_that_is_not_finite(validation):
    scored = validation([float("nan")])
    scored.begin(moment(0, Scorer()))
    scored.look(moment(5, Scorer()))
    assert scored.best.saves == 0


def test_a_model_that_cannot_reconstruct_has_no_best(validation):
    class Judge:
        def scores(self, example):
            return {"real": example["value"]}

    scored = validation([1.0])
    scored.begin(moment(0, Judge()))
    scored.look(moment(5, Judge()))
    assert lines(scored.path) == [{"step": 5, "validation/real": 1.0}]
    assert scored.best.saves == 0
    assert not named(scored.best.folder)


class FixedEvaluator:
    """Stands for an `Evaluator` whose scores are given."""

    num_images = 32
    extractor = types.SimpleNamespace(key="eyes")

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
def scoring(tmp_path):
    """A function that makes an observer that keeps the best by distance."""

    def make(distance, keeps=True, **arguments):
        best = Best(tmp_path / "best") if keeps else None
        evaluator = FixedEvaluator(distance, **arguments)
        path = tmp_path / "metrics.jsonl"
        return observers.Scoring(5, evaluator, path, best, Writer())

    return make


def test_all_scores_of_an_evaluation_are_recorded(scoring):
    scored = scoring(3.0)
    scored.begin(moment(0))
    scored.look(moment(5))
    numbers = {
        "evaluation/samples/frechet_distance/prior/ema": 3.0,
        "evaluation/samples/frechet_distance/prior/raw": 0.5,
        "evaluation/latents/kl/raw": 7.0,
    }
    assert lines(scored.path) == [{"step": 5, **numbers}]
    assert scored.writer.of("scalars") == [(5, numbers)]


def test_the_best_is_the_one_of_least_distance(scoring):
    scored = scoring(3.0)
    scored.begin(moment(0))
    saves = []
    for step, distance in [(5, 3.0), (10, 4.0), (15, float("nan")), (20, 2.0)]:
        scored.evaluator.distance = distance
        scored.look(moment(step))
        saves.append(scored.best.saves)
    assert saves == [1, 1, 1, 2]
    assert score(scored) == {
        "step": 20,
        "frechet_distance": 2.0,
        "features": "eyes",
        "num_images": 32,
    }


def test_the_least_distance_is_remembered_by_a_resumed_training(scoring):
    first = scoring(2.0)
    first.begin(moment(0))
    first.look(moment(5))
    worse = scoring(3.0)
    worse.begin(moment(5))
    worse.look(moment(10))
    assert worse.best.saves == 0
    assert score(worse)["step"] == 5


def test_distances_of_other_features_do_not_compare(scoring):
    first = scoring(2.0)
    first.begin(moment(0))
    first.look(moment(5))
    other = scoring(3.0)
    other.evaluator.num_images = 64
    other = observers.Scoring(
        5, other.evaluator, other.path, other.best, other.writer
    )
    other.begin(moment(5))
    other.look(moment(10))
    assert score(other)["frechet_distance"] == 3.0


def test_a_score_of_another_kind_does_not_count(scoring, validation):
    by_error = validation([2.0])
    by_error.begin(moment(0, Scorer()))
    by_error.look(moment(5, Scorer()))
    by_distance = scoring(30.0)
    by_distance.begin(moment(5))
    by_distance.look(moment(10))
    assert score(by_distance)["frechet_distance"] == 30.0


def test_only_one_observer_keeps_the_best(scoring, tmp_path):
    scored = scoring(3.0, keeps=False)
    scored.begin(moment(0))
    scored.look(moment(5))
    assert not (tmp_path / "best").exists()


def test_notes_are_said_once(scoring, monkeypatch):
    logged = []
    monkeypatch.setattr(
        observers.logging, "info", lambda text, *v: logged.append(text % v)
    )
    scored = scoring(3.0, notes=["Beware."])
    scored.begin(moment(0))
    for step in (5, 10):
        scored.look(moment(step))
    assert logged.count("Note: Beware.") == 1


def test_codes():
    writer = Writer()
    image = np.zeros((4, 2, 2, 3), np.float32)
    image[:, :, :, 0] = np.array([0, 0, 4, 4]).reshape(4, 1, 1)
    has_hat = np.array([[0], [0], [1], [1]], np.float32)
    model = Copier()
    observers.Codes(
        5, {"image": image, "attributes": has_hat}, ["Hat"], writer
    ).look(moment(5, model))
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
    assert model.told is None


def test_codes_of_a_conditional_model_are_told_the_attributes():
    model = Copier()
    model.num_attributes = 1
    attributes = np.ones((3, 1), np.float32)
    observers.Codes(
        5, {**example(3), "attributes": attributes}, ["Hat"], Writer()
    ).look(moment(5, model))
    assert model.told is attributes


def test_codes_without_attributes():
    writer = Writer()
    observers.Codes(5, example(3), [], writer).look(moment(5, Copier()))
    assert set(writer.of("histograms")[0][1]) == {"latents/all"}
    assert writer.of("projector")[0][2] == {}


def network(count):
    return types.SimpleNamespace(count_params=lambda: count)


def test_parameter_table():
    model = types.SimpleNamespace(
        network_names=("encoder", "discriminator"),
        trained_networks=("encoder",),
        encoder=network(2**20),  # 4 bytes each: 4 MiB
        discriminator=network(1234),
    )
    assert observers.parameter_table(model).splitlines() == [
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
def test_in_words(seconds, words):
    assert observers.in_words(seconds) == words
