"""`vaegan-reconstruct`: encodes and decodes images with a trained model."""

from vaegan_tf.cli import app, options

SUMMARY = """
Encodes images and decodes their codes with a trained model: your own image
files (cut to the central square; those of CelebA's size as for the training,
if that was on CelebA), or held-out images of the data set the model was
trained on. Writes one picture, originals above reconstructions, or a file for
each reconstruction if --output ends in a slash.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {"Model": options.define_use(flag_values)}
    group = options.Group(flag_values)
    group.repeated("images", "Image file; may be given several times.")
    group.choice(
        "split",
        "test",
        ("train", "validation", "test"),
        "Part of the data set to take images from if no file is given.",
    )
    group.integer("count", 32, "How many of these.", low=1)
    options.define_output(group, "reconstructions.png")
    groups["Images"] = group.names + options.define_condition(flag_values)
    return groups


def main(flags):
    """Loads model and images, reconstructs, writes."""
    from vaegan_tf import images as layout
    from vaegan_tf.cli import pictures
    from vaegan_tf.data import crop_of
    from vaegan_tf.training.runs import Run

    run = Run(flags.model_dir)
    record = run.read()
    data = record["data"]
    model, _ = run.model(checkpoint=flags.checkpoint)
    if not hasattr(model, "reconstruct"):
        raise ValueError(
            f"{run.folder} holds a {record['model']['model']}, which has no "
            "encoder: it cannot reconstruct. Draw from it with vaegan-sample."
        )
    if flags.images:
        crop = crop_of(data["name"], data["crop"])
        images = pictures.read(flags.images, model.image_shape, crop)
        example = {"image": images}
    else:
        example = pictures.held_out(data, flags.split, flags.count)
    count = len(example["image"])
    if flags.condition is not None or flags.images:
        attributes = pictures.conditions(
            flags.condition, data["attribute_names"], model
        )
        if attributes is not None:
            example["attributes"] = attributes.repeat(count, axis=0)
    reconstructed = model(model.as_example(example)).numpy()
    if flags.output.endswith("/"):
        pictures.write(flags.output, reconstructed)
        return
    pair = [example["image"], reconstructed]
    layout.write_png(flags.output, layout.pairs_grid(pair))
    pictures.say_where(flags.output, count)


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY, positional="images")


if __name__ == "__main__":
    command()
