"""What a server gets out of the exported SavedModel."""

import pathlib
import tempfile
import time

from benchmarks import tables

BATCH_SIZES = (1, 64)
SIGNATURES = ("encode", "decode", "reconstruct", "sample")


def measure(run, quick=False):
    """Exports a model of full width, and calls its signatures.

    Args:
        run: `children.run`.
        quick: Whether few calls are enough.

    Returns:
        `inference`: for each signature, by batch size, `latency_seconds` and
        `images_per_second`; and `loading_seconds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        exported = str(pathlib.Path(folder) / "1")
        run("inference:export", folder=exported)
        answer = run("inference:serve", folder=exported, quick=quick)
    calls = {
        name: {
            size: {
                "latency_seconds": tables.summary(seconds),
                "images_per_second": tables.summary(
                    [int(size) / second for second in seconds]
                )["median"],
            }
            for size, seconds in sizes.items()
        }
        for name, sizes in answer["calls"].items()
    }
    return {
        "inference": {**calls, "loading_seconds": answer["loading_seconds"]}
    }


def export(folder):
    """Exports an untrained VAE/GAN of full width.

    Args:
        folder: Where to.
    """
    from benchmarks import ours, recipe
    from vaegan_tf.export import export_saved_model

    export_saved_model(ours.created(recipe.experiment()), folder)
    return {}


def serve(folder, quick=False):
    """Loads a SavedModel with plain TensorFlow and calls its signatures.

    Args:
        folder: The SavedModel.
        quick: Whether few calls are enough.

    Returns:
        `loading_seconds`, and `calls`: the seconds of every call by signature
        and batch size.
    """
    import tensorflow as tf

    start = time.perf_counter()
    model = tf.saved_model.load(folder)
    loading = time.perf_counter() - start
    calls = {
        name: {
            size: _seconds(model.signatures[name], _inputs(name, size), quick)
            for size in BATCH_SIZES
        }
        for name in SIGNATURES
    }
    return {"loading_seconds": loading, "calls": calls}


def report(results):
    """The table of signatures.

    Args:
        results: What `measure` returned.
    """
    inference = results["inference"]
    rows = [
        [
            name,
            str(size),
            tables.number(1000 * found["latency_seconds"]["median"]) + " ms",
            tables.number(found["images_per_second"]),
        ]
        for name in SIGNATURES
        for size, found in inference[name].items()
    ]
    loading = tables.number(inference["loading_seconds"])
    return tables.table(
        f"Inference from the SavedModel (float32; loads in {loading} s)",
        ["signature", "batch", "latency, median", "images/s"],
        rows,
    )


def _inputs(name, size):
    import tensorflow as tf

    if name == "sample":
        return {"count": tf.constant(size), "seed": tf.constant([0, 0])}
    if name == "decode":
        return {"latent": tf.random.stateless_normal((size, 128), (0, 0))}
    return {"image": tf.random.stateless_uniform((size, 64, 64, 3), (0, 0))}


def _seconds(signature, inputs, quick):
    """Seconds of calls after two that do not count, results fetched."""
    calls = 3 if quick else (50 if _is_single(inputs) else 10)
    seconds = []
    for _ in range(2 + calls):
        start = time.perf_counter()
        for output in signature(**inputs).values():
            output.numpy()
        seconds.append(time.perf_counter() - start)
    return seconds[2:]


def _is_single(inputs):
    if "count" in inputs:
        return int(inputs["count"]) == 1
    return len(next(iter(inputs.values()))) == 1
