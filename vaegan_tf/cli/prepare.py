"""`vaegan-prepare`: prepares a data set, once, before trainings need it."""

from absl import logging

from vaegan_tf.cli import app, options

SUMMARY = """
Prepares a data set: draws or downloads it, or reads your files, and stores
its images at the size that a training takes. Trainings do the same by
themselves; this command tells what they will find.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    return {
        "Data": options.define_data(flag_values)
        + options.define_seed(flag_values)
    }


def main(flags):
    """Loads the data set, and says what is in it."""
    from vaegan_tf.data import load_dataset

    dataset = load_dataset(**options.data_arguments(flags))
    for line in description(dataset):
        logging.info(line)


def description(dataset):
    """What a data set holds, as lines of text."""
    height, width, channels = dataset.image_shape
    lines = [f"{dataset.name}: images of {height}x{width}x{channels}"]
    for name, split in dataset.splits.items():
        lines.append(f"  {name}: {len(split):,} images")
    shares = dataset.splits["train"].attributes.mean(axis=0)
    for name, share in zip(dataset.attribute_names, shares):
        lines.append(f"  {name}: {share:.1%} of the training images")
    return lines


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
