"""Prepares a data set, once, before runs need it.

Draws or downloads it, or reads your files, and stores its images at the size
that models take. vaegan-train does the same by itself; this command says what
it will find.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import SeedSettings
from vaegan_tf.settings import DataSettings


def main(data: DataSettings, splits: SeedSettings) -> None:
    """Loads the data set, and says what is in it."""
    from vaegan_tf.data import load_dataset

    settings = data.as_dict()
    dataset = load_dataset(
        settings.pop("dataset"), seed=splits.seed, **settings
    )
    height, width, channels = dataset.image_shape
    logging.info(f"{dataset.name}: images of {height}x{width}x{channels}")
    for name, split in dataset.splits.items():
        logging.info(f"  {name}: {len(split):,} images")
    shares = dataset.splits["train"].attributes.mean(axis=0)
    for name, share in zip(dataset.attribute_names, shares):
        logging.info(f"  {name}: {share:.1%} of the training images")


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
