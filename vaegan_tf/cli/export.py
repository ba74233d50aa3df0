"""`vaegan-export`: writes a trained model as a SavedModel."""

from absl import logging

from vaegan_tf.cli import app, options

SUMMARY = """
Writes a trained model as a SavedModel with the signatures encode, decode,
reconstruct, sample, sample_truncated, sample_mixture (with --mixture),
features, discriminate and distance, as far as the model has the networks for
them. Plain TensorFlow and TensorFlow Serving load it.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {"Model": options.define_use(flag_values)}
    group = options.Group(flag_values)
    group.string(
        "output",
        None,
        "Folder to write to (default: export/<step> in the run's folder).",
    )
    group.boolean(
        "mixture",
        False,
        "Add the signature sample_mixture, whose codes come from a Gaussian "
        "mixture fitted to those of the training images.",
    )
    options.define_components(group)
    groups["Export"] = group.names
    return groups


def main(flags):
    """Loads the model and exports it."""
    import pathlib

    from vaegan_tf.export import export_saved_model
    from vaegan_tf.sampling import create_sampler
    from vaegan_tf.training.runs import Run

    run = Run(flags.model_dir)
    mixture = None
    if flags.mixture:
        mixture = create_sampler(
            run,
            "mixture",
            checkpoint=flags.checkpoint,
            num_components=flags.components,
        )
    elif flags.components is not None:
        raise ValueError("--components is for --mixture.")
    model, step = run.model(checkpoint=flags.checkpoint)
    folder = pathlib.Path(flags.output or run.exports / str(step)).expanduser()
    export_saved_model(model, folder, mixture)
    logging.info("Exported the model of step %d to %s.", step, folder)


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
