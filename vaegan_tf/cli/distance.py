"""`vaegan-distance`: compares images as a trained discriminator sees them."""

import pathlib
import statistics
import sys

from absl import logging

from vaegan_tf.cli import app, options, tables

SUMMARY = """
Compares images by their features in layer l of a trained discriminator, and by
their pixels: two images, the images of the same names in two folders, or the
images of one folder with their reconstructions. The last gives each image a
score of anomaly, and where it is known which are anomalous, the ROC curve.
"""
BATCH_SIZE = 64


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {"Model": options.define_use(flag_values)}
    group = options.Group(flag_values)
    group.repeated("images", "Image file or folder of images: two, or one.")
    group.choice(
        "feature_scale",
        None,
        ("unit", "batch"),
        "Features as they are, or in units of their spread (default: as the "
        "model was trained; units of their spread for a gan).",
    )
    group.string("output", None, "File to write all numbers to: .json or .csv.")
    groups["Images"] = group.names
    group = options.Group(flag_values)
    group.string(
        "labels",
        None,
        "CSV file that names each image (file) and says whether it is normal "
        "or anomalous (label). Not needed for the folders normal/ and "
        "anomalous/.",
    )
    group.string("roc", "roc.png", "Picture of the ROC curve to write.")
    groups["Anomalies"] = group.names + options.define_condition(flag_values)
    return groups


def main(flags):
    """Loads model and images, compares, shows and writes the numbers."""
    from vaegan_tf import images as layout
    from vaegan_tf.similarity import LearnedMetric
    from vaegan_tf.similarity.roc import draw_roc
    from vaegan_tf.training.runs import Run

    tables.check_output(flags.output)
    items = _items([pathlib.Path(path) for path in flags.images or []])
    alone = items[0][2] is None
    labels = _labels(flags, [name for name, *_ in items], alone)
    run = Run(flags.model_dir)
    model, step = run.model(checkpoint=flags.checkpoint)
    metric = LearnedMetric(model, flags.feature_scale)
    rows = _compare(items, metric, run.read()["data"], flags.condition)
    curves = _curves(rows, labels) if labels else {}
    if alone:
        rows.sort(key=lambda row: -row["feature_distance"])
    summary = _summary(rows)
    _show(rows, summary, curves)
    if flags.output:
        tables.write(
            flags.output,
            rows,
            model_dir=str(run.folder),
            step=step,
            feature_layer=model.discriminator.feature_layer,
            feature_scale=metric.scale,
            summary=summary,
            **({"auc": _areas(curves)} if curves else {}),
        )
        logging.info("Wrote %d rows to %s.", len(rows), flags.output)
    if curves:
        path = pathlib.Path(flags.roc).expanduser()
        layout.write_png(path, draw_roc(curves))
        logging.info("Drew the ROC curves to %s.", path)


def _items(paths):
    """What to compare: (name, file, other file or `None`)."""
    from vaegan_tf.similarity import files

    paths = [path.expanduser() for path in paths]
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path}.")
    folders = [path.is_dir() for path in paths]
    if len(paths) not in (1, 2) or len(set(folders)) > 1:
        raise ValueError(
            "Give two images, two folders, one folder or one image. "
            f"Received: {', '.join(map(str, paths)) or 'nothing'}."
        )
    one, other = paths[0], paths[1] if len(paths) > 1 else None
    if not folders[0]:
        name = " ".join(path.name for path in paths)
        return [(name, one, other)]
    if other is None:
        return [(name, one / name, None) for name in files.image_names(one)]
    names = files.common_names(one, other)
    return [(name, one / name, other / name) for name in names]


def _labels(flags, names, alone):
    """1 for anomalous and 0 for normal images; `None` if nothing is known."""
    from vaegan_tf.similarity import files

    if not alone:
        for flag in ("labels", "roc", "condition"):
            if flags[flag].present:
                raise ValueError(
                    f"--{flag} is for one folder, whose images are compared "
                    "with their reconstructions."
                )
        return None
    if flags.labels is not None:
        path = pathlib.Path(flags.labels).expanduser()
        return files.read_labels(path, names)
    labels = files.labels_of_folders(names)
    if labels is None and flags["roc"].present:
        raise ValueError(
            "--roc needs to know which images are anomalous: give --labels, "
            "or put them into the folders normal/ and anomalous/."
        )
    return labels


def _compare(items, metric, data, condition):
    """Rows of numbers, one for each item."""
    from tqdm import tqdm

    from vaegan_tf.cli import pictures
    from vaegan_tf.data import crop_of

    model, crop = metric.model, crop_of(data["name"], data["crop"])
    told = pictures.conditions(condition, data["attribute_names"], model)
    rows = []
    for start in tqdm(
        range(0, len(items), BATCH_SIZE), "Comparing", disable=None
    ):
        names, paths, others = zip(*items[start : start + BATCH_SIZE])
        images = pictures.read(paths, model.image_shape, crop)
        if others[0] is None:
            attributes = None if told is None else told.repeat(len(images), 0)
            numbers = metric.from_reconstruction(images, attributes)
        else:
            others = pictures.read(others, model.image_shape, crop)
            numbers = metric(images, others)
        columns = [values.numpy().tolist() for values in numbers.values()]
        rows += [
            {"image": name, **dict(zip(numbers, row))}
            for name, *row in zip(names, *columns)
        ]
    return rows


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
    measures = {
        "mean": statistics.fmean,
        "median": statistics.median,
        "least": min,
        "largest": max,
    }
    columns = {
        name: [row[name] for row in rows]
        for name, value in rows[0].items()
        if isinstance(value, float)
    }
    return {
        name: {word: measure(values) for word, measure in measures.items()}
        for name, values in columns.items()
    }


def _areas(curves):
    return {name: curve["auc"] for name, curve in curves.items()}


def _show(rows, summary, curves):
    """Writes tables to standard output."""
    sys.stdout.write(tables.text(rows))
    if len(rows) > 1:
        overall = [{"": name, **row} for name, row in summary.items()]
        sys.stdout.write("\n" + tables.text(overall))
    if curves:
        areas = [
            {"": n, "ROC area": area} for n, area in _areas(curves).items()
        ]
        sys.stdout.write("\n" + tables.text(areas))


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY, positional="images")


if __name__ == "__main__":
    command()
