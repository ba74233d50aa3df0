"""What do drawn features of classes that nobody has seen look like?

    vaegan-train --flagfile=anyshot/f_vaegan_d2 --model_dir=runs/anyshot
    python examples/invert_features.py runs/anyshot features.png

A conditional VAE/GAN learns to draw images of seen classes from their features;
its code holds what these do not tell. Then it draws the features that a run on
`avatars_anyshot` generates of each unseen class. A row of the figure is one
class: real images, pictures of their features, pictures of generated features.

Reference:
    Xian et al. (2019), section 4.4: features inverted to pixels; the inverter
    is this project's.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from vaegan_tf import create_model
from vaegan_tf.anyshot.avatars import IMAGE_SIZE, images_of
from vaegan_tf.images import grid, to_uint8, write_png
from vaegan_tf.runs import Run

STEPS, BATCH_SIZE = 1500, 32
COLUMNS = 4


def train_inverter(images, features, steps=STEPS, seed=0):
    """A VAE/GAN of images, uint8 (n, 32, 32, 3), by their features, (n, d)."""
    keras.utils.set_random_seed(seed)
    model = create_model(
        "vaegan",
        image_size=IMAGE_SIZE,
        num_attributes=features.shape[1],
        conditional=True,
        width=0.125,
        latent_dim=16,
        ema_momentum=0.995,
        seed=seed,
    )
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5))
    pairs = tf.data.Dataset.from_tensor_slices((images, features))
    pairs = pairs.shuffle(len(images), seed=seed).repeat().batch(BATCH_SIZE)
    pairs = pairs.map(lambda x, y: (tf.cast(x, tf.float32) / 127.5 - 1, y))
    model.fit(pairs, steps_per_epoch=steps, verbose=0)
    return model


def pictures(inverter, generator, features):
    """Pictures of features, in the data's units, of the same codes."""
    scaled = (features - generator.offset) / generator.unit
    return to_uint8(inverter.sample(len(scaled), 0, np.float32(scaled)))


def figure(inverter, generator, dataset, images):
    """A row for each unseen class, uint8 (height, width, 3)."""
    table, task = dataset.table, dataset.task
    rows = [np.flatnonzero(table.labels == label) for label in task.novel]
    rows = np.concatenate([np.resize(each, COLUMNS) for each in rows])
    attributes = task.class_attributes[table.labels[rows]].astype(np.float32)
    drawn = generator.generate(tf.constant(attributes), seed=0).numpy()
    panels = [
        images[rows],
        pictures(inverter, generator, table.features[rows]),
        pictures(inverter, generator, drawn),
    ]
    return np.concatenate([grid(each, COLUMNS) for each in panels], axis=1)


def main(folder, output, steps=STEPS, data_dir=None, images="avatars"):
    """Trains the inverter and writes the figure."""
    run = Run(folder)
    generator, _ = run.model()
    dataset = run.dataset()
    pixels = images_of(data_dir, images)
    train = dataset.table.locations["trainval"]
    scaled = (dataset.table.features - generator.offset) / generator.unit
    inverter = train_inverter(pixels[train], scaled[train], int(steps))
    write_png(output, figure(inverter, generator, dataset, pixels))


if __name__ == "__main__":
    main(*sys.argv[1:])
