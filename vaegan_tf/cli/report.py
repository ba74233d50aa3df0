"""Compares trained models in one page.

Shows their samples of the same codes, their reconstructions of the same test
images, their scores (those that vaegan-evaluate has written), curves, settings
and cost; of models of features the table of classes told, beside the baselines.
The page is a single file that needs no network.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import CheckpointSettings, ModelModule
from vaegan_tf.settings import MAX_SEED, setting


class ReportSettings(ModelModule, CheckpointSettings):
    """Which runs are compared, and how."""

    runs: tuple[str, ...] | None = setting(
        None,
        "Folders of trained runs, one to eight; published weights also by "
        "name or address, as --pretrained of other commands.",
    )
    output: str = setting("report.html", "The page to write.")
    num_samples: int = setting(36, "Samples of each model.", low=1, high=10_000)
    num_reconstructions: int = setting(
        16, "Test images to reconstruct.", low=1, high=10_000
    )
    seed: int = setting(0, "Seed of the samples' codes.", low=0, high=MAX_SEED)
    data_dir: str | None = setting(
        None,
        "Folder of prepared data sets (default: that of each run's record, if "
        "you made the run on this machine).",
        is_path=True,
        may_be_url=True,
    )
    source_dir: str | None = setting(
        None,
        "Where images of the runs are, as data_dir.",
        is_path=True,
    )


def main(report: ReportSettings) -> None:
    """Reads the runs, lets their models draw, writes the page."""
    from vaegan_tf.pretrained import find_run
    from vaegan_tf.report import write_report

    settings = report.as_dict()
    del settings["import_"]
    runs = [find_run(name) for name in settings.pop("runs") or ()]
    output = settings.pop("output")
    typed = app.command_line()
    for problem in write_report(runs, output, **settings, command=typed):
        logging.warning("%s", problem)
    logging.info("Wrote %s.", report.output)


command = app.Command(main, __doc__, positional="runs")


if __name__ == "__main__":
    command()
