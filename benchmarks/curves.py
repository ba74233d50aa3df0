"""`python -m benchmarks.curves`: does bfloat16 learn what float32 learns?"""

import json
import pathlib
import sys

from benchmarks import plots, tables
from benchmarks.__main__ import announced
from benchmarks.children import ROOT, MeasurementError
from vaegan_tf.cli import app, options

SUMMARY = """
Trains VAE/GAN in float32 and in bfloat16 from the same seed, and, as a
yardstick, in float32 with other noise; prints how far the curves lie apart and
draws them.
"""
WINDOW = 20
TRAININGS = {
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
    "float32, other noise": {"precision": "float32", "noise_seed": 1},
}


def define_flags(flag_values):
    """The command's flags by group."""
    data = options.define_data(flag_values)
    group = options.Group(flag_values)
    group.integer("seed", 0, "Seed of splits the source does not have.", low=0)
    group.number("width", 0.25, "Multiplies channels and units.", low=0.01)
    group.integer("batch_size", 32, "Images in a step.", low=2)
    group.integer("train_steps", 300, "Steps of each training.", low=2 * WINDOW)
    group.string(
        "plot", str(ROOT / "benchmarks" / "curves.png"), "File to draw to."
    )
    group.string("json", None, "File to write all curves to, as JSON.")
    return {"Data": data, "Curves": group.names}


def main(flags):
    """Trains, prints the table and draws the curves.

    Returns:
        The exit status: 1 if a training failed.
    """
    try:
        curves = trained(announced, flags)
    except MeasurementError as error:
        raise ValueError(str(error)) from None
    smooth = {
        training: {name: smoothed(v) for name, v in numbers.items()}
        for training, numbers in curves.items()
    }
    print(report(smooth))
    if flags.json:
        from vaegan_tf.training.runs import write_text

        write_text(pathlib.Path(flags.json).expanduser(), json.dumps(curves))
    if plots.can_draw():
        plots.draw_curves(smooth, flags.plot)
    else:
        print(plots.NO_MATPLOTLIB)


def trained(run, flags):
    """Every number of every step, by training and name.

    Args:
        run: `children.run`.
        flags: The command's flags.
    """
    return {
        name: run(
            "ours:curves",
            data=options.data_arguments(flags),
            steps=flags.train_steps,
            batch_size=flags.batch_size,
            width=flags.width,
            image_size=flags.image_size,
            num_channels=flags.num_channels,
            **training,
        )["numbers"]
        for name, training in TRAININGS.items()
    }


def smoothed(values, window=WINDOW):
    """Means of so many numbers in a row, as many fewer."""
    return [
        sum(values[start : start + window]) / window
        for start in range(len(values) - window + 1)
    ]


def difference(curve, reference):
    """Mean distance of two curves over the reference's mean height."""
    distance = sum(abs(a - b) for a, b in zip(curve, reference))
    return distance / sum(abs(value) for value in reference)


def report(curves):
    """The table of distances from float32.

    Args:
        curves: Smoothed numbers by name, by training.
    """
    reference, *others = TRAININGS
    rows = [
        [
            name,
            *[
                tables.percent(difference(curves[other][name], values))
                for other in others
            ],
        ]
        for name, values in curves[reference].items()
    ]
    return tables.table(
        f"Mean relative distance from float32, means of {WINDOW} steps",
        ["number", *others],
        rows,
    )


if __name__ == "__main__":
    app.run(main, define_flags, SUMMARY, argv=["curves", *sys.argv[1:]])
