"""The page: gathers what is known of runs, and writes it down."""

import dataclasses
import datetime
import json
import os
import pathlib

import jinja2

from vaegan_tf.report import charts, curves, gallery, scores, settings, words
from vaegan_tf.report.records import read_records
from vaegan_tf.training.observers import in_words
from vaegan_tf.training.runs import write_text


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What can be compared: runs of one data set at one size.

    Attributes:
        title: The data set.
        records: The runs' `Record`s.
        reconstructions: `Strips` of reconstructions.
        samples: (latent size, `Picture`s) of models that share their codes.
        scores: `ScoreGroup`s.
        curves: `CurveGroup`s.
        latents: The `Chart` of latent dimensions, or `None`.
    """

    title: str
    records: tuple
    reconstructions: tuple
    samples: tuple
    scores: tuple
    curves: tuple
    latents: charts.Chart | None


def write_report(
    folders,
    output,
    *,
    checkpoint="latest",
    num_samples=36,
    num_reconstructions=16,
    seed=0,
    data_dir=None,
    command=None,
):
    """Writes one page that shows which of several models is better.

    Runs of different data sets or image sizes are shown, but not compared.

    Args:
        folders: The runs' folders, at most eight.
        output: The file to write.
        checkpoint: Which checkpoint draws, `"latest"` or `"best"`.
        num_samples: Samples of each model.
        num_reconstructions: Test images that are reconstructed.
        seed: Seed of the samples' codes.
        data_dir: Folder of prepared data sets, if not what runs remember.
        command: What the user typed, for the page to tell.

    Returns:
        What could not be shown, and why, as lines of text.

    Raises:
        FileNotFoundError: If a folder is no run's.
        ValueError: If runs cannot be compared, or what they hold is damaged.
        OSError: If the page cannot be written; what was there before stays.
    """
    output = pathlib.Path(output).expanduser()
    records = read_records(folders)
    _check_output(output, records)
    examples = _examples({} if data_dir is None else {"data_dir": data_dir})
    looks = [
        gallery.look(
            record,
            examples,
            checkpoint=checkpoint,
            seed=seed,
            num_samples=num_samples,
            num_reconstructions=num_reconstructions,
        )
        for record in records
    ]
    write_text(output, render(records, looks, command))
    return [problem for look in looks for problem in look.problems]


def render(records, looks, command=None):
    """The page as text.

    Args:
        records: `Record`s of the runs.
        looks: What their models showed, `Look`s in the same order.
        command: What the user typed, if it was a command.
    """
    differing, shared, organisation = settings.setting_tables(records)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("vaegan_tf.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=in_words,
        moment=words.moment,
        images_seen=settings.images_seen,
    )
    return environment.get_template("report.html").render(
        records=records,
        looks=looks,
        pairs=list(zip(records, looks)),
        comparisons=comparisons(records, looks),
        differing=differing,
        shared=shared,
        organisation=organisation,
        costs=settings.cost_rows(records, looks),
        problems=[problem for look in looks for problem in look.problems],
        command=command,
        box=charts.BOX,
        made=datetime.datetime.now().astimezone(),
        state=settings.state,
        speed=settings.speed,
        train_command=settings.train_command,
        again_command=settings.again_command,
    )


def comparisons(records, looks):
    """Parts of the runs that can be compared, each as a `Comparison`."""
    parts = {}
    for record, look in zip(records, looks):
        parts.setdefault(record.data_key, []).append((record, look))
    budget = gallery.ALL_PICTURES_BYTES // max(_num_pictures(looks), 1)
    return [_comparison(pairs, budget) for pairs in parts.values()]


def _comparison(pairs, budget):
    records = tuple(record for record, _ in pairs)
    return Comparison(
        title=records[0].data_title,
        records=records,
        reconstructions=tuple(
            gallery.reconstruction_strips(part, budget)
            for part in gallery.by_same_originals(pairs)
        ),
        samples=tuple(
            (size, gallery.sample_pictures(part, budget))
            for size, part in gallery.by_latent_size(pairs)
        ),
        scores=tuple(scores.score_groups(records)),
        curves=tuple(curves.curve_groups(records)),
        latents=curves.latent_chart(records),
    )


def _num_pictures(looks):
    """Pictures in the page; as a strip is smaller than a grid, about."""
    return sum(
        (look.samples is not None) + 2 * (look.reconstructions is not None)
        for look in looks
    )


def _check_output(output, records):
    """Refuses what cannot be written before models take their time."""
    if output.is_dir():
        raise ValueError(
            f"{output} is a folder. Give the page a file's name: "
            "--output=report.html."
        )
    own = [record.run.record.resolve() for record in records]
    if output.resolve() in own or output.suffix not in (".html", ".htm"):
        raise ValueError(
            f"A report is a page, its name ends in .html. Received: {output}."
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(output.parent, os.W_OK):
        raise PermissionError(f"{output.parent} cannot be written to.")


def _examples(changes):
    """Test images of runs; what several runs share is read once."""
    known = {}

    def examples(record, count):
        key = json.dumps([record.about["data"], count], sort_keys=True)
        if key not in known:
            known[key] = record.run.examples("test", count, **changes)
        return known[key]

    return examples
