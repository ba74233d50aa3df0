"""`vaegan-train`: trains a model, or goes on where its training stopped."""

from absl import flags as absl_flags
from absl import logging

from vaegan_tf.cli import app, options

SUMMARY = """
Trains a model on a data set, and prepares the data set first if need be. The
same command goes on where a training stopped. --model_dir then holds pictures
(samples/), numbers (metrics.jsonl, tensorboard/), checkpoints, and at the end
a SavedModel (export/<step>/).
"""


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {
        "Data": options.define_data(flag_values)
        + options.define_augmentation(flag_values),
        "Model": options.define_model(flag_values),
        "Optimisation": options.define_optimisation(flag_values),
        "Run": options.define_run(flag_values),
        "Evaluation": options.define_evaluation(flag_values),
    }
    absl_flags.mark_flag_as_required("model_dir", flag_values=flag_values)
    return groups


def main(flags):
    """Loads the data, trains, exports."""
    from vaegan_tf.training.distribution import create_distribution

    options.check_model(flags)  # Before the data set is prepared for it.
    # Devices can be laid out only before anything is computed.
    distribution = create_distribution(flags.strategy, flags.logical_cpus)
    with distribution.watched():
        _train(flags, distribution)
        distribution.wait()


def _train(flags, distribution):
    from vaegan_tf.cli import scoring
    from vaegan_tf.data import load_dataset
    from vaegan_tf.export import export_saved_model
    from vaegan_tf.training.runs import Run
    from vaegan_tf.training.train import train

    run = Run(flags.model_dir)
    data = options.data_arguments(flags)
    dataset = distribution.chief_first(lambda: load_dataset(**data))
    finished = train(
        run,
        dataset,
        record={
            "command": app.command_line(),
            "flags": app.flags_as_dict(flags),
            "flag_file": app.flags_as_text(flags),
            "data": options.data_record(data, dataset.attribute_names),
        },
        model=options.model_arguments(flags, dataset.attribute_names),
        evaluator=scoring.evaluator_while_training(flags, dataset),
        distribution=distribution,
        **options.training_arguments(flags),
    )
    if not finished:
        logging.info("Stopped; the same command goes on from here.")
    elif distribution.is_chief:
        model, step = run.model()
        export_saved_model(model, run.exports / str(step))
        logging.info("Done: look at %s.", run.samples)


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
