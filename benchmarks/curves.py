"""`python -m benchmarks.curves`: does bfloat16 learn what float32 learns?"""

import sys

from benchmarks import plots, tables
from benchmarks.__main__ import announced
from benchmarks.children import ROOT, MeasurementError
from vaegan_tf import files
from vaegan_tf.cli import app
from vaegan_tf.cli.options import SeedSettings
from vaegan_tf.settings import DataSettings, setting

SUMMARY = """
Trains VAE/GAN in float32 and in bfloat16 from the same seed, and, as a
yardstick, in float32 with other noise; prints how far the curves lie apart and
draws them.
"""
WINDOW = 20
RUNS = {
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
    "float32, other noise": {"precision": "float32", "noise_seed": 1},
}


class CurveSettings(SeedSettings):
    """What is trained, and where the curves go."""

    width: float = setting(0.25, "Multiplies channels and units.", low=0.01)
    batch_size: int = setting(32, "Images in a step.", low=2)
    train_steps: int = setting(300, "Steps of each run.", low=2 * WINDOW)
    plot: str = setting(
        str(ROOT / "benchmarks" / "curves.png"),
        "File to draw to.",
        is_path=True,
    )
    json: str | None = setting(
        None, "File to write all curves to, as JSON.", is_path=True
    )


def main(data, settings):
    """Trains, prints the table and draws the curves.

    Args:
        data: The data set, `DataSettings`.
        settings: `CurveSettings`.

    Raises:
        ValueError: If a run failed.
    """
    try:
        curves = trained(announced, data, settings)
    except MeasurementError as error:
        raise ValueError(str(error)) from None
    smooth = {
        run: {name: smoothed(v) for name, v in numbers.items()}
        for run, numbers in curves.items()
    }
    sys.stdout.write(f"{report(smooth)}\n")
    if settings.json:
        files.write_json(settings.json, curves)
    if plots.can_draw():
        plots.draw_curves(smooth, settings.plot)
    else:
        sys.stdout.write(f"{plots.NO_MATPLOTLIB}\n")


def trained(run, data, settings):
    """Every number of every step, by run and name.

    Args:
        run: `children.run`.
        data: The data set, `DataSettings`.
        settings: `CurveSettings`.
    """
    arguments = {**data.as_dict(), "seed": settings.seed}
    arguments["name"] = arguments.pop("dataset")
    return {
        name: run(
            "ours:curves",
            data=arguments,
            steps=settings.train_steps,
            batch_size=settings.batch_size,
            width=settings.width,
            image_size=data.image_size,
            num_channels=data.num_channels,
            **choices,
        )["numbers"]
        for name, choices in RUNS.items()
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
        curves: Smoothed numbers by name, by run.
    """
    reference, *others = RUNS
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


command = app.Command(
    main, SUMMARY, {"Data": DataSettings, "Curves": CurveSettings}
)


if __name__ == "__main__":
    command(["curves", *sys.argv[1:]])
