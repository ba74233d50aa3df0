"""The embedded data set: cartoon faces with exactly known attributes."""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds
from tqdm import tqdm

from vaegan_tf.data import avatar_drawing, drawing_pool

SEED = 0


@dataclasses.dataclass(kw_only=True)
class AvatarsConfig(tfds.core.BuilderConfig):
    """How many avatars there are.

    Args:
        split_sizes: Number of avatars by split.
    """

    split_sizes: dict[str, int]


class Avatars(tfds.core.GeneratorBasedBuilder):
    """Cartoon faces, drawn offline with `python-avatars` and `resvg-py`.

    Example number i of a split is avatar number i: `avatar_drawing` says what
    it looks like. `avatars/tiny` is for smoke tests.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        AvatarsConfig(
            name="full",
            description="10,000 faces.",
            split_sizes={"train": 8000, "validation": 1000, "test": 1000},
        ),
        AvatarsConfig(
            name="tiny",
            description="224 faces for smoke tests.",
            split_sizes={"train": 160, "validation": 32, "test": 32},
        ),
    ]

    def _info(self):
        size = avatar_drawing.IMAGE_SIZE
        attributes = dict.fromkeys(avatar_drawing.ATTRIBUTES, np.bool_)
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3)),
                    "attributes": attributes,
                }
            ),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {
            split: self._generate_examples(split, count)
            for split, count in self.builder_config.split_sizes.items()
        }

    def _generate_examples(self, split, count):
        pictures = drawing_pool.draw_all(SEED, split, count)
        for index, picture in enumerate(
            tqdm(
                pictures,
                total=count,
                desc=f"Drawing avatars ({split})",
                unit=" images",
                disable=None,
            )
        ):
            attributes = avatar_drawing.sample_attributes(SEED, split, index)
            yield index, {"image": picture, "attributes": attributes}
