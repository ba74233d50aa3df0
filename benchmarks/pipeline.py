"""How fast images come, and whether a run waits for them."""

import pathlib
import tempfile
import time

from benchmarks import tables
from vaegan_tf.settings.training import AUGMENTATIONS

BATCH_SIZE = 64


def measure(run, quick=False):
    """Measures a folder of JPEGs and a data set of TFDS.

    Args:
        run: `children.run`.
        quick: Whether fewer images are enough.

    Returns:
        `pipeline`: for each source images per second of its preparation, of
        reading its records again, and of batches by augmentation; and for
        some augmentations the share of a training step spent waiting.
    """
    with tempfile.TemporaryDirectory() as folder:
        photos = str(pathlib.Path(folder) / "photos")
        data_dir = str(pathlib.Path(folder) / "prepared")
        count = 256 if quick else 2048
        run("pipeline:draw_photos", folder=photos, count=count)
        sources = {
            "image_folder": {"name": "image_folder", "source_dir": photos},
            "avatars/tiny": {"name": "avatars/tiny"},
        }
        found = {
            name: _measure_source(run, {**source, "data_dir": data_dir}, quick)
            for name, source in sources.items()
        }
        data = {**sources["image_folder"], "data_dir": data_dir}
        waits = {
            augmentation: _measure_wait(run, data, augmentation, quick)
            for augmentation in (("flip",) if quick else ("flip", "authors"))
        }
    return {"pipeline": {"sources": found, "waits": waits}}


def draw_photos(folder, count):
    """Writes JPEGs of 178×218 pixels, as large as photographs of that size.

    Args:
        folder: Where to; made.
        count: How many.
    """
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    folder = pathlib.Path(folder)
    folder.mkdir()
    for number in range(count):
        coarse = generator.integers(0, 256, (28, 22, 3), np.uint8)
        image = Image.fromarray(coarse).resize((178, 218), Image.BICUBIC)
        grain = generator.normal(0, 4, (218, 178, 3))
        pixels = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
        path = folder / f"{number:05d}.jpg"
        Image.fromarray(pixels).save(path, quality=90)
    return {"bytes": sum(path.stat().st_size for path in folder.iterdir())}


def load(data):
    """Loads a data set, and prepares what is not.

    Args:
        data: Arguments of `load_dataset`.

    Returns:
        `seconds` it took, and the number of `images`.
    """
    from vaegan_tf.data import load_dataset

    start = time.perf_counter()
    dataset = load_dataset(**data)
    seconds = time.perf_counter() - start
    images = sum(len(split) for split in dataset.splits.values())
    return {"seconds": seconds, "images": images}


def batches(data, augmentation, count, warm_up=5):
    """Takes batches as fast as they come.

    Args:
        data: Arguments of `load_dataset`.
        augmentation: Variation of the images.
        count: Batches that count.
        warm_up: Batches before them.

    Returns:
        `images_per_second`.
    """
    from vaegan_tf.data import load_dataset

    dataset = load_dataset(**data)
    iterator = iter(
        dataset.train_batches(BATCH_SIZE, seed=0, augmentation=augmentation)
    )
    for _ in range(warm_up):
        next(iterator)
    start = time.perf_counter()
    for _ in range(count):
        next(iterator)
    seconds = time.perf_counter() - start
    return {"images_per_second": count * BATCH_SIZE / seconds}


def report(results):
    """The tables of sources and of waits.

    Args:
        results: What `measure` returned.
    """
    pipeline = results["pipeline"]
    rows = [
        [name, *[tables.number(speed) for speed in speeds.values()]]
        for name, speeds in pipeline["sources"].items()
    ]
    header = ["images/s", "prepare", "records", *AUGMENTATIONS]
    waits = [
        [
            augmentation,
            f"{tables.number(1000 * wait['waiting_seconds'])} ms",
            f"{tables.number(wait['step_seconds'])} s",
            tables.percent(wait["fraction"]),
        ]
        for augmentation, wait in pipeline["waits"].items()
    ]
    return "\n".join(
        [
            tables.table("Input pipeline alone, 64×64", header, rows),
            tables.table(
                f"Waiting for input in a run, batches of {BATCH_SIZE}",
                ["augmentation", "wait", "step", "share"],
                waits,
            ),
        ]
    )


def _measure_source(run, data, quick):
    """Images per second: from files, from records, and as batches."""
    first = run("pipeline:load", data=data)
    # Another size is read from the records anew.
    records = run("pipeline:load", data={**data, "image_size": 32})
    speeds = {
        "prepare": first["images"] / first["seconds"],
        "records": records["images"] / records["seconds"],
    }
    for augmentation in AUGMENTATIONS:
        answer = run(
            "pipeline:batches",
            data=data,
            augmentation=augmentation,
            count=20 if quick else 200,
        )
        speeds[augmentation] = answer["images_per_second"]
    return speeds


def _measure_wait(run, data, augmentation, quick):
    answer = run(
        "ours:train_on",
        data=data,
        augmentation=augmentation,
        batch_size=8 if quick else BATCH_SIZE,
    )
    waited, seconds = sum(answer["waiting_seconds"]), sum(answer["seconds"])
    steps = len(answer["seconds"])
    return {
        "waiting_seconds": waited / steps,
        "step_seconds": seconds / steps,
        "fraction": waited / seconds,
    }
