"""`vaegan-sample`: draws images from a trained model."""

from vaegan_tf.cli import app, options

SUMMARY = """
Draws images with a trained model, of codes from the prior or from a sampler
beside it: the same seed, the same images. Writes one picture, or a file for
each image if --output ends in a slash.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {"Model": options.define_use(flag_values)}
    group = options.Group(flag_values)
    group.integer("count", 64, "How many images.", low=1)
    group.integer("seed", 0, "Seed of the codes.", low=0)
    options.define_output(group, "samples.png")
    groups["Images"] = group.names + options.define_condition(flag_values)
    groups["Codes"] = options.define_sampler(flag_values)
    return groups


def main(flags):
    """Loads the model, draws, writes."""
    from vaegan_tf.cli import pictures
    from vaegan_tf.sampling import create_sampler
    from vaegan_tf.training.runs import Run

    run = Run(flags.model_dir)
    sampler = create_sampler(run, **options.sampler_arguments(flags))
    model, _ = run.model(checkpoint=flags.checkpoint)
    attributes = pictures.conditions(
        flags.condition, run.read()["data"]["attribute_names"], model
    )
    if attributes is not None:
        attributes = attributes.repeat(flags.count, axis=0)
    codes = sampler.codes(flags.count, flags.seed)
    pictures.write(flags.output, model.decode(codes, attributes).numpy())


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
