"""f-VAEGAN-D2: a step, and its classifier, beside the same in PyTorch."""

import importlib.util
import itertools
import time

import numpy as np

from benchmarks import tables
from benchmarks.training import NO_TORCH

# Features of ResNet-101, attributes of AwA; all else are defaults.
SIZES = {
    "batch_size": 64,
    "num_features": 2048,
    "num_attributes": 85,
    "hidden_units": 1024,
}
CLASSES, CLASSIFIER_BATCH = 50, 256
QUICK_SIZES = {"batch_size": 8, "num_features": 64, "hidden_units": 32}
FORMS = {"this project": "anyshot", "PyTorch": "torch_features"}
PARTS = {"train": "step", "classify": "epoch of the classifier"}


def measure(run, quick=False):
    """Measures both forms in turn, twice.

    Args:
        run: `children.run`.
        quick: Whether one round of small steps is enough.

    Returns:
        `anyshot`: summaries of seconds by part and form; and
        `anyshot_notes`, what was left out.
    """
    has_torch = importlib.util.find_spec("torch") is not None
    forms = dict(list(FORMS.items())[: 2 if has_torch else 1])
    seconds = {part: {form: [] for form in forms} for part in PARTS}
    arguments = {
        "train": {"timed": 1, **QUICK_SIZES} if quick else {"timed": 10},
        "classify": {"count": 512, "num_features": 64} if quick else {},
    }
    for _ in range(1 if quick else 2):
        for part, of_part in seconds.items():
            for form, module in forms.items():
                found = run(f"{module}:{part}", **arguments[part])
                of_part[form] += found["seconds"]
    summaries = {
        part: {form: tables.summary(each) for form, each in of_part.items()}
        for part, of_part in seconds.items()
    }
    notes = [] if has_torch else [NO_TORCH]
    return {"anyshot": summaries, "anyshot_notes": notes}


def report(results):
    """The table of both forms, and the notes.

    Args:
        results: What `measure` returned.
    """
    rows = []
    for part, of_part in results["anyshot"].items():
        ours = of_part["this project"]
        torch = of_part.get("PyTorch")
        speed = tables.ratio(torch and torch["median"], ours["median"])
        in_torch = tables.spread(torch) + " s" if torch else "–"
        cells = [f"{tables.spread(ours)} s", in_torch, tables.times(speed)]
        rows.append([PARTS[part], *cells])
    title = "f-VAEGAN-D2, 2,048 features, 1,024 units, batches of 64"
    header = ["", "this project", "PyTorch", "speed, of PyTorch's"]
    table = tables.table(title, header, rows)
    return "\n".join([table, *results["anyshot_notes"]]) + "\n"


def batches(
    count, *, batch_size, num_features, num_attributes, hidden_units=None
):
    """So many batches of noise, as `FeatureDataset` gives them."""
    draw = np.random.default_rng(0)
    widths = {"feature": num_features, "attributes": num_attributes}
    widths |= {f"novel_{name}": width for name, width in widths.items()}
    return [
        {
            name: draw.uniform(size=(batch_size, width)).astype(np.float32)
            for name, width in widths.items()
        }
        for _ in range(count)
    ]


def examples(count=20_000, num_features=SIZES["num_features"]):
    """Features and classes of noise: (count, d) float32, (count,) int64."""
    draw = np.random.default_rng(0)
    features = draw.uniform(size=(count, num_features)).astype(np.float32)
    return features, draw.integers(0, CLASSES, count)


def create(num_features, num_attributes, hidden_units):
    """f-VAEGAN-D2 by its defaults, and how it is optimised."""
    import keras

    from vaegan_tf.models import model_class
    from vaegan_tf.settings import groups_of

    keras.utils.set_random_seed(0)
    cls = model_class("f_vaegan_d2")
    model = cls.create(
        cls.Settings(hidden_units=hidden_units),
        num_features=num_features,
        num_attributes=num_attributes,
        offset=[0.0] * num_features,
        unit=[1.0] * num_features,
    )
    return model, groups_of("f_vaegan_d2")["optimisation"]()


def train(warm_up=1, timed=2, **sizes):
    """Times steps of this project; `sizes` are those of `batches`.

    Returns:
        `seconds` of each step that counts, and `first_step_seconds`.
    """
    import tensorflow as tf

    from benchmarks import ours
    from vaegan_tf.training.optimizers import compile_model

    sizes = {**SIZES, **sizes}
    widths = {k: v for k, v in sizes.items() if k != "batch_size"}
    model, optimisation = create(**widths)
    schedules = compile_model(model, optimisation)
    drawn = batches(model.rounds, **sizes)
    stacked = {key: np.stack([each[key] for each in drawn]) for key in drawn[0]}
    rows = tf.data.Dataset.from_tensor_slices(stacked).repeat()
    clock = ours.Clock()
    ours.run(model, schedules, rows, warm_up + timed, [clock])
    return {
        "seconds": clock.seconds[warm_up:],
        "first_step_seconds": clock.seconds[0],
    }


def classify(epochs=3, **sizes):
    """Times epochs of the linear classifier; the first is not counted.

    Returns:
        `seconds` of each epoch that counts.
    """
    from vaegan_tf.anyshot.classifier import (
        ClassifierOptions,
        SoftmaxClassifier,
    )
    from vaegan_tf.anyshot.task import Part

    features, labels = examples(**sizes)
    options = ClassifierOptions(
        epochs=epochs + 1, batch_size=CLASSIFIER_BATCH, weight_decay=0.03
    )
    classifier = SoftmaxClassifier(
        Part(features, labels), np.arange(CLASSES), features, options
    )
    ticks = [time.perf_counter() for _ in classifier.epochs()]
    return {"seconds": [b - a for a, b in itertools.pairwise(ticks)]}
