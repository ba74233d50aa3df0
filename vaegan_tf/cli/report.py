"""Compares trained models in one page.

Shows their samples of the same codes, their reconstructions of the same test
images, their scores (those that vaegan-evaluate has written), curves, settings
and cost; of models of features how well they classify, beside the baselines.
The page is a single file that needs no network.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import TrainedModels
from vaegan_tf.settings import MAX_SEED, setting


class ReportSettings(TrainedModels):
    """Which runs are compared, one to eight, and how."""

    output: str = setting("report.html", "The page to write.")
    num_samples: int = setting(36, "Samples of each model.", low=1, high=10_000)
    num_reconstructions: int = setting(
        16, "Test images to reconstruct.", low=1, high=10_000
    )
    seed: int = setting(0, "Seed of the samples' codes.", low=0, high=MAX_SEED)


def main(report: ReportSettings) -> None:
    """Reads the runs, lets their models draw, writes the page."""
    from vaegan_tf.pretrained import find_run
    from vaegan_tf.report import write_report

    settings = report.as_dict()
    for name in ("import_", "runs", "output"):
        del settings[name]
    settings["command"] = app.command_line()
    runs = [find_run(name) for name in report.runs]
    for problem in write_report(runs, report.output, **settings):
        logging.warning("%s", problem)
    logging.info("Wrote %s.", report.output)


command = app.Command(main, __doc__, positional="runs")


if __name__ == "__main__":
    command()
