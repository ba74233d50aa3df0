"""Compares images as a trained discriminator sees them.

They are compared by their features in layer l, and by their pixels: two images,
the images of the same names in two folders, or the images of one folder with
their reconstructions. The last gives each image a score of anomaly, and where
it is known which are anomalous, the ROC curve.
"""

import csv
import functools
import io
import pathlib
import statistics
from collections.abc import Callable, Mapping, Sequence

from absl import logging

from vaegan_tf import files
from vaegan_tf.cli import app
from vaegan_tf.cli.options import ConditionSettings, TrainedModel
from vaegan_tf.settings import setting
from vaegan_tf.settings.choices import FEATURE_SCALES
from vaegan_tf.tables import Row, table

BATCH_SIZE = 64
MOST_IN_MAP = 3000  # images, three for each item
SUFFIXES = (".json", ".csv")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "least": min,
    "largest": max,
}


class DistanceSettings(ConditionSettings):
    """Which images are compared, and what is known of them."""

    images: tuple[str, ...] = setting(
        (), "Image file or folder of images: two, or one."
    )
    feature_scale: str | None = setting(
        None,
        "Features as they are, or in units of their standard deviation "
        "(default: as in training; batch for a gan).",
        choices=FEATURE_SCALES,
    )
    output: str | None = setting(
        None, "File to write all numbers to: .json or .csv.", is_path=True
    )
    map: str | None = setting(
        None,
        "Image to write of where they differ: each image, below it the other "
        "or the reconstruction, below that the differences in orange.",
        is_path=True,
    )
    labels: str | None = setting(
        None,
        "CSV file that names each image (file) and says whether it is normal "
        "or anomalous (label). Not needed for the folders normal/ and "
        "anomalous/.",
        is_path=True,
    )
    roc: str | None = setting(
        None,
        "Image of the ROC curve to write (default: roc.png).",
        is_path=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output and pathlib.Path(self.output).suffix not in SUFFIXES:
            raise ValueError(
                f"--output must end in {' or '.join(SUFFIXES)}. "
                f"Received: {self.output}"
            )


def main(model: TrainedModel, images: DistanceSettings) -> None:
    """Loads model and images, compares, shows and writes the numbers."""
    from vaegan_tf.images import write_png
    from vaegan_tf.similarity import LearnedMetric
    from vaegan_tf.similarity.roc import draw_roc

    items = _items([pathlib.Path(p).expanduser() for p in images.images])
    _check_outputs(images, len(items))
    alone = items[0][2] is None
    labels = _labels(images, [name for name, *_ in items], alone)
    abilities = ("discriminate", "reconstruct") if alone else ("discriminate",)
    run, trained, step = model.open(*abilities)
    metric = LearnedMetric(trained, images.feature_scale)
    batches = functools.partial(_batches, items, run, trained, images.condition)
    rows = _compare(batches(), metric)
    curves = _curves(rows, labels) if labels else {}
    if alone:
        rows.sort(key=lambda row: -row["feature_distance"])
    summary, areas = _summary(rows), {n: c["auc"] for n, c in curves.items()}
    _show(rows, summary, areas)
    if images.output:
        record = {
            "model_dir": str(run.folder),
            "step": step,
            "feature_layers": trained.discriminator.feature_layers,
            "feature_scale": metric.scale,
            "summary": summary,
            **({"auc": areas} if areas else {}),
        }
        write(images.output, rows, record)
        logging.info("Wrote %d rows to %s.", len(rows), images.output)
    if images.map:
        write_png(images.map, _map_grid(batches(), metric))
        logging.info("Drew where they differ to %s.", images.map)
    if curves:
        write_png(images.roc or "roc.png", draw_roc(curves))
        logging.info("Drew the ROC curves to %s.", images.roc or "roc.png")


def _check_outputs(images, count):
    """Refuses what could not be written, before any work."""
    for output in (images.output, images.map, images.roc):
        if output is not None:
            files.check_output(output)
    if images.map is not None and 3 * count > MOST_IN_MAP:
        raise ValueError(
            f"--map shows at most {MOST_IN_MAP // 3:,} images. Received: "
            f"{count:,}."
        )


def write(path: str, rows: Sequence[Row], record: Row) -> None:
    """Writes rows of the same keys as CSV, or as JSON with a record.

    In CSV, a name that a spreadsheet would take for a formula begins with '.
    """
    if pathlib.Path(path).suffix == ".json":
        files.write_json(path, {**record, "rows": rows})
        return
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: _plain(v) for k, v in row.items()} for row in rows)
    files.write_text(path, lines.getvalue())


def _plain(value):
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula else value


def _items(paths):
    """Names, files and what they are compared with; `None`: reconstructions."""
    from vaegan_tf.similarity.files import common_names, image_names

    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path}.")
    are_folders = {path.is_dir() for path in paths}
    if len(paths) not in (1, 2) or len(are_folders) > 1:
        raise ValueError(
            "Give two images, two folders, one folder or one image. "
            f"Received: {', '.join(map(str, paths)) or 'nothing'}."
        )
    one, other = paths[0], paths[1] if len(paths) > 1 else None
    if are_folders == {False}:
        return [(" ".join(path.name for path in paths), one, other)]
    if other is None:
        return [(name, one / name, None) for name in image_names(one)]
    names = common_names(one, other)
    return [(name, one / name, other / name) for name in names]


def _labels(settings, names, alone):
    """1 for anomalous and 0 for normal images; `None` if nothing is known."""
    from vaegan_tf.similarity.files import labels_of_folders, read_labels

    if not alone:
        for name in ("labels", "roc", "condition"):
            if getattr(settings, name) is not None:
                raise ValueError(
                    f"--{name} is for one folder, whose images are compared "
                    "with their reconstructions."
                )
        return None
    if settings.labels is not None:
        return read_labels(settings.labels, names)
    labels = labels_of_folders(names)
    if labels is None and settings.roc is not None:
        raise ValueError(
            "--roc needs to know which images are anomalous: give --labels, "
            "or put them into the folders normal/ and anomalous/."
        )
    return labels


def _batches(items, run, model, condition):
    """Names of items, their images, and what these are compared with."""
    from tqdm import tqdm

    from vaegan_tf.cli.images import conditions, read

    starts = range(0, len(items), BATCH_SIZE)
    for start in tqdm(starts, "Comparing", disable=None):
        names, paths, others = zip(*items[start : start + BATCH_SIZE])
        given = conditions(condition, run, model, len(names))
        shown = read(run, paths)
        if others[0] is None:
            yield names, shown, model.reconstruct(shown, given).numpy()
        else:
            yield names, shown, read(run, others)


def _compare(batches, metric):
    """Rows of numbers, one for each item."""
    rows: list[Row] = []
    for names, *pair in batches:
        numbers = metric(*pair)
        columns = [values.numpy().tolist() for values in numbers.values()]
        rows += [
            {"image": name, **dict(zip(numbers, row))}
            for name, *row in zip(names, *columns)
        ]
    return rows


def _map_grid(batches, metric):
    """The figure of `similarity.figures.map_grid`, of all items."""
    import numpy as np

    from vaegan_tf.similarity.figures import map_grid

    parts = [
        (*pair, metric.difference_map(*pair).numpy()) for _, *pair in batches
    ]
    return map_grid(*map(np.concatenate, zip(*parts)))


def _curves(rows, labels):
    """Adds the labels to the rows, and returns the ROC curves."""
    from vaegan_tf.similarity.files import CLASSES
    from vaegan_tf.similarity.roc import roc_curve

    truth = [labels[row["image"]] for row in rows]
    for row, label in zip(rows, truth):
        row["label"] = CLASSES[label]
    return {
        name: roc_curve(truth, [row[name] for row in rows])
        for name in ("feature_distance", "pixel_distance")
    }


def _summary(rows):
    """Statistics of each number over all rows, by the number's name."""
    return {
        name: {
            statistic: function([row[name] for row in rows])
            for statistic, function in STATISTICS.items()
        }
        for name, value in rows[0].items()
        if isinstance(value, float)
    }


def _show(rows, summary, areas):
    """Writes tables to standard output."""
    parts = [table(rows)]
    if len(rows) > 1:
        parts.append(table([{"": name, **r} for name, r in summary.items()]))
    if areas:
        lines = [{"": name, "ROC area": area} for name, area in areas.items()]
        parts.append(table(lines))
    app.show("\n".join(parts))


command = app.Command(main, __doc__, positional="images")


if __name__ == "__main__":
    command()
