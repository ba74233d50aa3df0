"""`vaegan-report`: compares trained models in one page."""

from absl import logging

from vaegan_tf.cli import app, options

SUMMARY = """
Compares trained models in one page: their pictures of the same codes and of
the same test images, their scores (those that vaegan-evaluate has written),
curves, settings and cost. The page is a single file that needs no network.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    group = options.Group(flag_values)
    group.repeated("runs", "Folder of a trained run; one to eight of them.")
    group.string("output", "report.html", "The page to write.")
    options.define_checkpoint(group)
    group.integer("num_samples", 36, "Samples of each model.", low=1)
    group.integer(
        "num_reconstructions", 16, "Test images to reconstruct.", low=1
    )
    group.integer("seed", 0, "Seed of the samples' codes.", low=0)
    group.string(
        "data_dir",
        None,
        "Folder of prepared data sets (default: what each run remembers).",
    )
    return {"Report": group.names}


def main(flags):
    """Reads the runs, has their models draw, writes the page."""
    from vaegan_tf.report import write_report

    problems = write_report(
        flags.runs,
        flags.output,
        checkpoint=flags.checkpoint,
        num_samples=flags.num_samples,
        num_reconstructions=flags.num_reconstructions,
        seed=flags.seed,
        data_dir=flags.data_dir,
        command=app.command_line(),
    )
    for problem in problems:
        logging.warning("%s", problem)
    logging.info("Wrote %s.", flags.output)


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY, positional="runs")


if __name__ == "__main__":
    command()
