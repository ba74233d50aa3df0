"""HP-VAE-GAN: a step at each scale, beside the same in PyTorch."""

import importlib.util

import numpy as np

from benchmarks import tables
from benchmarks.training import NO_TORCH

# By default all else is as in `vaegan-train`.
SHAPE = (96, 128)
QUICK = {
    "shape": (12, 24),
    "channels": 4,
    "layers": 1,
    "smallest_size": 12,
    "scale_factor": 0.5,
    "vae_scales": 1,
}
FORMS = {"this project": "patch", "PyTorch": "torch_patch"}


def measure(run, quick=False):
    """Measures both forms in turn, twice.

    Args:
        run: `children.run`.
        quick: Whether one round of small steps is enough.

    Returns:
        `patch`: for each scale its `shape`, whether it `is_vae`, and by form
        `seconds`, a summary, and `bytes`, the most memory held so far above
        what the process held before; and `patch_notes`, what was left out.
    """
    has_torch = importlib.util.find_spec("torch") is not None
    arguments = {"timed": 1, **QUICK} if quick else {"timed": 5}
    ours, theirs = FORMS.values()
    rounds = {form: [] for form in list(FORMS)[: 2 if has_torch else 1]}
    for _ in range(1 if quick else 2):
        found = run(f"{ours}:train", **arguments)
        rounds["this project"].append(found)
        if has_torch:
            shapes = [scale["shape"] for scale in found["scales"]]
            also = {k: v for k, v in arguments.items() if k != "shape"}
            again = run(f"{theirs}:train", shapes=shapes, **also)
            rounds["PyTorch"].append(again)
    scales = [
        {
            **{key: scale[key] for key in ("shape", "is_vae")},
            **{form: _summary(each, n) for form, each in rounds.items()},
        }
        for n, scale in enumerate(rounds["this project"][0]["scales"])
    ]
    return {"patch": scales, "patch_notes": [] if has_torch else [NO_TORCH]}


def _summary(rounds, scale):
    """What several rounds have found of a form's step at a scale."""
    found = [each["scales"][scale] for each in rounds]
    seconds = [second for each in found for second in each["seconds"]]
    return {
        "seconds": tables.summary(seconds),
        "bytes": max(each["bytes"] for each in found),
    }


def report(results):
    """The table of scales, and the notes.

    Args:
        results: What `measure` returned.
    """
    rows = []
    for scale in results["patch"]:
        ours, torch = scale["this project"], scale.get("PyTorch")
        speed = torch and tables.ratio(
            torch["seconds"]["median"], ours["seconds"]["median"]
        )
        rows.append(
            [
                " × ".join(map(str, scale["shape"])),
                "VAE" if scale["is_vae"] else "GAN",
                f"{tables.spread(ours['seconds'])} s",
                f"{tables.spread(torch['seconds'])} s" if torch else "–",
                tables.times(speed),
                tables.gibibytes(ours["bytes"]),
                tables.gibibytes(torch and torch["bytes"]),
            ]
        )
    header = [
        "scale",
        "",
        "this project",
        "PyTorch",
        "speed, of PyTorch's",
        "memory",
        "PyTorch's",
    ]
    table = tables.table("HP-VAE-GAN of one picture", header, rows)
    return "\n".join([table, *results["patch_notes"]]) + "\n"


def by_scale(seconds, peaks, shapes, vae_scales, warm_up):
    """What `train` returns, of each step's seconds and peak of memory.

    Args:
        seconds: Of all steps, as many for each scale.
        peaks: Bytes before the first step and after each.
        shapes: Of all scales.
        vae_scales: How many of them are a VAE's.
        warm_up: Steps of each scale that do not count.
    """
    steps = len(seconds) // len(shapes)
    return {
        "scales": [
            {
                "shape": list(shape),
                "is_vae": scale < vae_scales,
                "seconds": seconds[scale * steps + warm_up : end],
                "bytes": peaks[end] - peaks[0],
            }
            for scale, shape in enumerate(shapes)
            for end in [(scale + 1) * steps]
        ]
    }


def train(warm_up=2, timed=2, shape=SHAPE, **choices):
    """Times steps of this project at each scale, the coarsest first.

    Args:
        warm_up: Steps of each scale before those that count.
        timed: Steps of each scale that count.
        shape: Height and width of the picture.
        **choices: Settings that differ from their defaults.

    Returns:
        `scales`, each with its `shape`, whether it `is_vae`, `seconds` of each
        step that counts, and `bytes`, the most memory held until then above
        what was held before the first.
    """
    import keras
    import tensorflow as tf

    from benchmarks import ours
    from vaegan_tf.patch import HPVAEGAN
    from vaegan_tf.settings import groups_of
    from vaegan_tf.training.optimizers import compile_model

    keras.utils.set_random_seed(0)
    settings = HPVAEGAN.Settings(scale_steps=warm_up + timed, **choices)
    model = HPVAEGAN.create(settings, shape=shape, num_channels=3)
    schedules = compile_model(model, groups_of(model.kind)["optimisation"]())
    draw = np.random.default_rng(0)
    image = draw.uniform(-1, 1, (1, *shape, 3)).astype(np.float32)
    batches = tf.data.Dataset.from_tensors({"image": image}).repeat()
    clock, memory = ours.Clock(), ours.Memory()
    ours.run(model, schedules, batches, model.last_step, [clock, memory])
    return by_scale(
        clock.seconds,
        memory.peaks,
        model.pyramid.shapes,
        settings.vae_scales,
        warm_up,
    )
