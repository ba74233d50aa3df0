"""Figures of the numbers; needs the extra `bench`."""

import importlib.util
import os
import pathlib

NO_MATPLOTLIB = (
    "Matplotlib is not installed, no figure is drawn: "
    "pip install -e '.[bench]'."
)
AXES = {
    "batch_size": "images in a batch",
    "image_size": "pixels of a side",
    "width": "width",
}


def can_draw():
    """Whether Matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_scaling(points, path):
    """Draws the seconds of a step along each axis.

    Args:
        points: `scaling` of the results.
        path: Where to.
    """
    figure, panels = _figure(1, len(AXES), "a training step", (11, 3.6))
    base = {"batch_size": 16, "image_size": 64, "width": 1.0}
    for panel, (axis, label) in zip(panels, AXES.items()):
        others = {name: v for name, v in base.items() if name != axis}
        for precision in ("float32", "bfloat16", "auto"):
            line = sorted(
                (point[axis], point["step_seconds"]["median"])
                for point in points
                if point["precision"] == precision
                and all(point[name] == v for name, v in others.items())
            )
            if len(line) > 1:
                panel.plot(*zip(*line), marker="o", label=precision)
                panel.set_xticks([x for x, _ in line])
                panel.set_xticklabels([f"{x:g}" for x, _ in line])
        panel.set(xlabel=label, ylabel="seconds")
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.legend()
    _save(figure, path)


def draw_curves(curves, path):
    """Draws every number of several runs, a panel for each.

    Args:
        curves: Smoothed numbers by name, by run.
        path: Where to.
    """
    names = list(next(iter(curves.values())))
    rows = -(-len(names) // 3)
    figure, panels = _figure(rows, 3, "smoothed curves", (12, 2.8 * rows))
    for panel, name in zip(panels, names):
        for run, numbers in curves.items():
            panel.plot(numbers[name], label=run, linewidth=1.2)
        panel.set(title=name, xlabel="step")
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    panels[0].legend()
    _save(figure, path)


def _figure(rows, columns, title, size):
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        rows, columns, figsize=size, layout="constrained"
    )
    figure.suptitle(title)
    return figure, list(panels.flat)


def _save(figure, path):
    """Writes the figure whole or not at all."""
    path = pathlib.Path(path).expanduser()
    temporary = path.with_name(f"partial-{path.name}")
    try:
        figure.savefig(temporary, dpi=110)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
