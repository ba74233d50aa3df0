"""Collects what is known of runs and writes the page."""

import dataclasses
import datetime
import functools
import json
import os
from collections.abc import Sequence
from typing import Any

from vaegan_tf import files, templates
from vaegan_tf.anyshot.evaluation import HEADS
from vaegan_tf.report import (
    any_shot,
    charts,
    curves,
    formatting,
    gallery,
    scores,
    settings,
)
from vaegan_tf.report.records import Record, read_records
from vaegan_tf.runs import Run
from vaegan_tf.training.callbacks import duration


def write_report(
    folders: Sequence[Run | str | os.PathLike] | None,
    output: str | os.PathLike,
    *,
    checkpoint: str = "latest",
    num_samples: int = 36,
    num_reconstructions: int = 16,
    seed: int = 0,
    data_dir: str | os.PathLike | None = None,
    source_dir: str | os.PathLike | None = None,
    command: str | None = None,
) -> list[str]:
    """Writes one page that shows which of several models is better.

    Runs of different data sets or image sizes are shown, but not compared.

    Args:
        folders: Runs or their folders, at most eight.
        output: The file to write.
        checkpoint: The one that generates.
        num_samples: Samples of each model.
        num_reconstructions: Test images that are reconstructed.
        seed: Seed of the samples' codes.
        data_dir: Folder of prepared data sets, instead of the runs' own.
        source_dir: The same for the images of runs that have such a folder.
        command: What the user typed, to be shown.

    Returns:
        What could not be shown, and why, as lines of text.

    Raises:
        FileNotFoundError: If a folder holds no run.
        ValueError: If runs cannot be compared, or what they hold is damaged.
        OSError: If the page cannot be written; the old one is kept.
    """
    output = files.local(output)
    records = read_records(folders)
    _check_output(output, records)
    generate = functools.partial(
        gallery.generate,
        examples=_examples(source_dir, data_dir),
        checkpoint=checkpoint,
        seed=seed,
        num_samples=num_samples,
        num_reconstructions=num_reconstructions,
    )
    outputs = [generate(record) for record in records]
    files.write_text(output, render(records, outputs, command))
    return [problem for each in outputs for problem in each.problems]


def render(
    records: Sequence[Record],
    outputs: Sequence[gallery.Outputs],
    command: str | None = None,
) -> str:
    """The page as text: runs, their models' outputs, what the user typed."""
    differing, shared, organisation = settings.setting_tables(records)
    environment = templates.environment("vaegan_tf.report")
    environment.filters.update(
        duration=duration, timestamp=formatting.timestamp
    )
    return environment.get_template("report.html").render(
        records=records,
        pairs=list(zip(records, outputs)),
        comparisons=comparisons(records, outputs),
        differing=differing,
        shared=shared,
        organisation=organisation,
        costs=settings.cost_rows(records, outputs),
        problems=[problem for each in outputs for problem in each.problems],
        command=command,
        box=charts.BOX,
        any_shot_heads=HEADS,
        created=datetime.datetime.now().astimezone(),
        settings=settings,
        edit_strength=gallery.EDIT_STRENGTH,
    )


def comparisons(
    records: Sequence[Record], outputs: Sequence[gallery.Outputs]
) -> list[dict[str, Any]]:
    """What the page shows of each data set at one size, for the template."""
    groups = gallery.grouped(zip(records, outputs), lambda r, _: r.data_key)
    # As a row of reconstructions is smaller than a grid, about.
    num_figures = sum(
        (each.samples is not None) + 2 * (each.reconstructions is not None)
        for each in outputs
    )
    budget = gallery.MAX_TOTAL_BYTES // max(num_figures, 1)
    return [_comparison(pairs, budget) for pairs in groups.values()]


def _comparison(pairs, budget):
    records = [record for record, _ in pairs]
    return {
        "title": records[0].data_title,
        "records": records,
        # Blocks of rows for each set of originals.
        "reconstructions": [
            gallery.reconstruction_rows(group, budget)
            for group in gallery.by_same_originals(pairs)
        ],
        # Models that share their codes.
        "samples": [
            (size, gallery.sample_figures(group, budget))
            for size, group in gallery.by_latent_size(pairs)
        ],
        "edits": gallery.attribute_figures(pairs, "edits"),
        "cosines": gallery.attribute_figures(pairs, "cosines"),
        "scores": scores.score_groups(records),
        "any_shot": any_shot.any_shot_rows(records),
        "curves": curves.curve_groups(records),
        "latents": curves.latent_chart(records),
    }


def _check_output(output, records):
    """Refuses what cannot be written before models take their time."""
    files.check_output(output)
    own = [record.run.record.resolve() for record in records]
    if output.resolve() in own or output.suffix not in (".html", ".htm"):
        raise ValueError(
            f"A report is a page, its name ends in .html. Received: {output}."
        )


def _examples(source_dir, data_dir) -> gallery.Examples:
    """Test images of runs; what several runs share is read once."""
    cache = {}

    def examples(record, count):
        key = json.dumps([record.data, count], sort_keys=True)
        if key not in cache:
            places = {"data_dir": data_dir}
            if record.data.get("source_dir"):
                places["source_dir"] = source_dir
            run = dataclasses.replace(record.run, **places)
            cache[key] = run.examples("test", count)
        return cache[key]

    return examples
