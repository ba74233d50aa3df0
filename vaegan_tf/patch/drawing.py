"""How do networks of several scales draw a picture or clip?"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from vaegan_tf import noise
from vaegan_tf.models.base import ObjectiveModel
from vaegan_tf.noise import Purpose
from vaegan_tf.patch.networks import (
    PatchCritic,
    PatchDecoder,
    PatchEncoder,
    Refiner,
)
from vaegan_tf.patch.pyramid import (
    Pyramid,
    create_pyramid,
    enlarged,
    resized,
)
from vaegan_tf.patch.single import SingleDataset, load_single
from vaegan_tf.patch.stages import Stages
from vaegan_tf.settings import HPVAEGANSettings


class PatchHierarchy(ObjectiveModel):
    """Draws at the coarsest scale, and refines at each further one.

    A subclass says what the networks minimise.

    Args:
        networks: `encoder`, `decoder`, `refiner` and `critic`.
        settings: The settings.
        shape: Sizes of the example at the finest scale.
        **kwargs: `seed` and `name` of `ObjectiveModel`.
    """

    Settings = HPVAEGANSettings
    networks = {
        "encoder": PatchEncoder,
        "decoder": PatchDecoder,
        "refiner": Refiner,
        "critic": PatchCritic,
    }
    abilities = ("draw",)
    settings: HPVAEGANSettings

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: HPVAEGANSettings | None = None,
        *,
        shape: Sequence[int],
        **kwargs: Any,
    ):
        super().__init__(networks, settings, **kwargs)
        chosen = self.settings
        self.shape = tuple(shape)
        self.pyramid = pyramid_of(self.shape, chosen)
        self.stages = Stages(
            len(self.pyramid), chosen.vae_scales, chosen.scale_steps
        )
        self.image_shape = (*self.shape, self.refiner.num_channels)
        self(keras.KerasTensor((None, *self.image_shape)))

    @property
    def newest_scale(self) -> int:
        """The finest scale that has been trained."""
        with tf.init_scope():
            return int(self.refiner.newest.numpy())

    def draw(
        self,
        count: int | tf.Tensor,
        seed: int | tf.Tensor = 0,
        shape: Sequence[int | tf.Tensor] | None = None,
        scale: int | None = None,
        angle: float = 0.0,
    ) -> tf.Tensor:
        """New pictures or clips, (count, *shape, channels) in [−1, 1].

        Args:
            count: How many.
            seed: An integer, or int32 (2,): the same seed, the same samples.
            shape: Sizes of the finest scale; by default the example's.
            scale: The scale to stop at; by default the newest.
            angle: How far all noise is turned, in radians: samples move with
                it, and are back after a full turn (`noise.turned_normal`).
        """
        scale = self.newest_scale if scale is None else scale
        shapes = self.shapes(shape)
        code = self._prior(count, shapes, seed, angle)
        coarse = self.decoder(code)
        return self._drawn(coarse, 1, scale, shapes, seed, angle)

    def refine(
        self,
        image: tf.Tensor,
        first: int,
        seed: int | tf.Tensor = 0,
        shape: Sequence[int | tf.Tensor] | None = None,
        angle: float = 0.0,
    ) -> tf.Tensor:
        """Lets blocks refine what was not drawn by the scales below them.

        The example itself gives others like it, the more so the finer the
        first scale; a collage or a painting takes on the example's patches.

        Args:
            image: (batch, *sizes, channels); it is brought to the size of the
                scale below the first, whatever its own.
            first: The first scale that refines, from 1.
            seed: As for `draw`.
            shape: Sizes of the finest scale; by default the example's.
            angle: As for `draw`.
        """
        if not 1 <= first <= self.newest_scale:
            raise ValueError(
                f"`first` must be from 1 to {self.newest_scale}, the newest "
                f"scale. Received: first={first}."
            )
        shapes = self.shapes(shape)
        below = resized(image, shapes[first - 1])
        last = self.newest_scale
        return self._drawn(below, first, last, shapes, seed, angle)

    def reconstruct(self, image: tf.Tensor) -> tf.Tensor:
        """The example through the mean of its code, at the newest scale.

        Without an encoder it is drawn from the fixed code, whatever the image.
        """
        coarse = self.decoder(self._own_code(image, False))
        shapes = self.pyramid.shapes
        return self._refined(coarse, 1, self.newest_scale, shapes)

    def call(self, inputs: Any) -> tf.Tensor:
        """Reconstructs an example, or bare images."""
        image = inputs["image"] if isinstance(inputs, dict) else inputs
        return self.reconstruct(image)

    def shapes(
        self, shape: Sequence[int | tf.Tensor] | None = None
    ) -> Sequence[Sequence[int | tf.Tensor]]:
        """Shapes of all scales of a sample; `Pyramid.fitted`."""
        if shape is None:
            return self.pyramid.shapes
        return self.pyramid.fitted(shape)

    @classmethod
    def create(cls, settings: Any, *, seed: int = 0, **example: Any) -> Self:
        """The model on its own networks, built but not compiled.

        Args:
            settings: Its settings.
            seed: Seed of the noise.
            **example: `shape` and `num_channels`.
        """
        shape, channels = example["shape"], example["num_channels"]
        common = {"rank": len(shape), "num_channels": channels}
        scales = {"num_scales": len(pyramid_of(shape, settings))}
        networks = {
            name: network.from_settings(
                settings, **common, **(scales if name == "refiner" else {})
            )
            for name, network in cls.networks.items()
        }
        return cls(networks, settings, seed=seed, shape=shape)

    @classmethod
    def inputs_of(  # type: ignore[override]
        cls, dataset: SingleDataset, settings: HPVAEGANSettings
    ) -> dict[str, Any]:
        """Sizes and channels of the example."""
        *shape, channels = dataset.example.shape
        return {"shape": shape, "num_channels": channels}

    @staticmethod
    def load_dataset(name: str, **arguments: Any) -> SingleDataset:
        """The picture or clip of `load_single`."""
        return load_single(name, **arguments)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "shape": list(self.shape)}

    def _refined(self, maps, first, last, shapes, draws=None):
        """Passes maps through blocks; with noise where it is drawn."""
        for scale in range(first, last + 1):
            maps, drawn = enlarged(maps, shapes[scale]), None
            if draws is not None and not self.stages.is_vae(scale):
                drawn = draws(maps, scale)
            maps = self.refiner.refine(maps, scale, drawn)
        return maps

    def _drawn(self, maps, first, last, shapes, seed, angle):
        """Passes maps through blocks with the noise of a seed and an angle."""

        def draws(maps, scale):
            return self._noise(maps, scale, seed, angle)

        return self._refined(maps, first, last, shapes, draws)

    def _own_code(self, image, training):
        """What stands for the example at GAN scales and after training."""
        if not self.settings.vae_scales:
            return self._fixed_code(tf.shape(image)[0])
        posterior = self._posterior(image, training=False)
        return self._code_of(posterior, True) if training else posterior["mean"]

    def _posterior(self, image, training):
        return self.encoder(self.pyramid.at(image, 0), training=training)

    def _code_of(self, posterior, training):
        """A code of the example, z ~ q(z|x)."""
        seed, step = self.noise_of(training)
        shape = tf.unstack(tf.shape(posterior["mean"]))
        epsilon = noise.normal(shape, seed, step, Purpose.POSTERIOR)
        return noise.reparameterize(**posterior, epsilon=epsilon)

    def _prior(self, count, shapes, seed, angle=0.0):
        """Codes of noise, a map for each sample."""
        shape = [count, *shapes[0], self.settings.latent_channels]
        return noise.turned_normal(shape, seed, 0, Purpose.PRIOR, angle)

    def _fixed_code(self, count):
        """What stands for the example where there is no encoder."""
        shape = [1, *self.pyramid.shapes[0], self.settings.latent_channels]
        seed = noise.fold(self.seed, Purpose.POSTERIOR)
        code = tf.random.stateless_normal(shape, seed)
        return tf.repeat(code, count, axis=0)

    def _noise(self, maps, scale, seed, angle=0.0):
        """Standard normal noise of a scale, as the maps are."""
        shape = tf.unstack(tf.shape(maps))
        return noise.turned_normal(
            shape, seed, scale, Purpose.REFINEMENT, angle
        )


def pyramid_of(shape: Sequence[int], settings: HPVAEGANSettings) -> Pyramid:
    """The pyramid of an example of some sizes; raises as `create_pyramid`."""
    return create_pyramid(
        shape,
        settings.smallest_size,
        settings.scale_factor,
        settings.sampling_rates,
    )
