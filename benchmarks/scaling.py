"""How the cost of training grows with batch, image and width."""

from benchmarks import tables

BASE = {"precision": "auto", "batch_size": 16, "image_size": 64, "width": 1.0}
AXES = {
    "batch_size": (16, 32, 64),
    "image_size": (32, 64, 128),
    "width": (0.25, 0.5, 1.0),
}
PRECISIONS = ("float32", "bfloat16")


def points():
    """What is measured: batches in both precisions, the others in `auto`."""
    found = [
        {**BASE, "batch_size": size, "precision": precision}
        for precision in PRECISIONS
        for size in AXES["batch_size"]
    ]
    for axis in ("image_size", "width"):
        found += [{**BASE, axis: value} for value in AXES[axis]]
    return [p for n, p in enumerate(found) if p not in found[:n]]


def measure(run, quick=False):
    """Measures a few steps at each point.

    Args:
        run: `children.run`.
        quick: Whether one step each, of the smaller points, is enough.

    Returns:
        `scaling`: the points with `step_seconds`, `images_per_second`, the
        operations that a step needs and the most memory held.
    """
    chosen = [p for p in points() if not quick or _is_small(p)]
    return {"scaling": [_measured(run, point, quick) for point in chosen]}


def report(results):
    """The table of points.

    Args:
        results: What `measure` returned.
    """
    rows = [
        [
            point["precision"],
            str(point["batch_size"]),
            str(point["image_size"]),
            f"{point['width']:g}",
            tables.spread(point["step_seconds"]) + " s",
            tables.number(point["images_per_second"]),
            tables.number(point["flops_per_second"] / 1e9),
            tables.gibibytes(point["peak_bytes"]),
        ]
        for point in results["scaling"]
    ]
    header = [
        "precision",
        "batch",
        "image",
        "width",
        "step",
        "images/s",
        "GFLOP/s",
        "memory",
    ]
    return tables.table("Growth of the cost of training", header, rows)


def _measured(run, point, quick):
    from benchmarks import flops

    answer = run("ours:train", **point, timed=1 if quick else 3)
    step = tables.summary(answer["seconds"])
    needed = flops.step_flops(
        point["batch_size"],
        image_size=point["image_size"],
        width=point["width"],
    )
    return {
        **point,
        "computed_in": answer["precision"],
        "step_seconds": step,
        "images_per_second": point["batch_size"] / step["median"],
        "step_flops": needed,
        "flops_per_second": needed / step["median"],
        "peak_bytes": answer["peak_bytes"],
    }


def _is_small(point):
    return point["batch_size"] <= 16 and point["image_size"] <= 64
