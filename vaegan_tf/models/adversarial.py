"""What does a discriminator add? Features, an error in them, and L_GAN."""

import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

from vaegan_tf import losses
from vaegan_tf.models.base import Terms
from vaegan_tf.models.equilibrium import equilibrium_gates
from vaegan_tf.models.generative import GenerativeModel
from vaegan_tf.settings import (
    AdversarialSettings,
    LearnedMetricVAESettings,
    VAEGANSettings,
)

Loss = Callable[[tf.Tensor], tf.Tensor]

# Features of a layer for each unit of the divergence's weight: the feature
# error sums over all of them.
FEATURES_PER_KL_WEIGHT = 3550


class DiscriminatingModel(GenerativeModel):
    """A model with a discriminator: its logits and its features."""

    def discriminate(
        self, image: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Logits, (batch, 1): positive for images it takes for real."""
        inputs = self.conditioned({"image": image}, attributes)
        return self.discriminator(inputs, training=False)["logit"]

    def features(
        self, image: tf.Tensor, attributes: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """Features of each layer l, Dis_l(x), (batch, h, w, channels).

        They come before attributes, so that they need none.
        """
        if attributes is None and self.num_attributes:
            attributes = tf.zeros([tf.shape(image)[0], self.num_attributes])
        inputs = self.conditioned({"image": image}, attributes)
        return self.discriminator(inputs, training=False)["features"]

    def discriminate_batches(
        self,
        images: Sequence[tf.Tensor],
        attributes: tf.Tensor | None,
        training: bool,
    ) -> dict[str, list[tf.Tensor]]:
        """Discriminates several batches in one pass, as `decode_batches` does.

        Returns:
            `{"logit": [...], "features": [...]}`: for each batch of images
            (batch, 1), and a list of (batch, h, w, channels).
        """
        count, image = len(images), tf.concat(images, axis=0)
        inputs = self.conditioned({"image": image}, attributes, count)
        outputs = self.discriminator(inputs, training=training)
        maps = [tf.split(layer, count) for layer in outputs["features"]]
        return {
            "logit": tf.split(outputs["logit"], count),
            "features": [list(layers) for layers in zip(*maps)],
        }


class FeatureErrorModel(DiscriminatingModel):
    """A model whose reconstruction error is that of layers l."""

    settings: VAEGANSettings | LearnedMetricVAESettings

    @property
    def kl_weight(self) -> float:
        """β, the weight of the divergence in the encoder."""
        weight = self.settings.kl_weight
        if weight is not None:
            return weight
        if self.settings.feature_scale == "unit":
            return 1.0
        return self.discriminator.num_features / FEATURES_PER_KL_WEIGHT

    def feature_nll(
        self, real: Sequence[tf.Tensor], reconstructed: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        """L_llike of the features of all layers l, (batch,)."""
        scale = self.settings.feature_scale
        errors = [
            losses.feature_nll(*features, scale)
            for features in zip(real, reconstructed)
        ]
        return losses.mean_over_layers(errors, real)


class AdversarialModel(DiscriminatingModel):
    """A model whose decoder plays against its discriminator, for L_GAN."""

    abilities: tuple[str, ...] = ("sample", "discriminate")
    settings: AdversarialSettings

    @property
    def generated_terms(self) -> tuple[str, ...]:
        """Names of the fakes that count in L_GAN."""
        return ("generated",)

    @property
    def gated_networks(self) -> tuple[str, ...]:
        """With an equilibrium rule, the two players."""
        margin = self.settings.equilibrium_margin
        return () if margin is None else ("decoder", "discriminator")

    def decode_batches(
        self,
        latents: Sequence[tf.Tensor],
        attributes: tf.Tensor | None,
        training: bool,
    ) -> list[tf.Tensor]:
        """As `GenerativeModel` does, or each batch by itself."""
        decode = super().decode_batches
        if self.settings.batch_statistics != "separate":
            return decode(latents, attributes, training)
        return [decode([z], attributes, training)[0] for z in latents]

    def discriminate_batches(
        self,
        images: Sequence[tf.Tensor],
        attributes: tf.Tensor | None,
        training: bool,
    ) -> dict[str, list[tf.Tensor]]:
        """Discriminates images in the passes that `batch_statistics` asks for.

        `images` are real ones, reconstructions if any, and generated ones.
        Running variances of features are those of the real ones.
        """
        discriminate = super().discriminate_batches

        def together(*images: tf.Tensor) -> dict[str, list[tf.Tensor]]:
            return discriminate(images, attributes, training)

        outputs = self._in_passes(images, together)
        if training:
            self.discriminator.update_variances(outputs["features"][0])
        return outputs

    def _in_passes(
        self,
        images: Sequence[tf.Tensor],
        together: Callable[..., dict[str, list[tf.Tensor]]],
    ) -> dict[str, list[tf.Tensor]]:
        statistics = self.settings.batch_statistics
        if statistics == "separate":
            apart = [together(image) for image in images]
            return {key: [out[key][0] for out in apart] for key in apart[0]}
        if statistics == "joint" or len(images) == 2:
            return together(*images)
        real, reconstructed, generated = images
        similar = together(real, reconstructed)
        played = together(real, generated)
        real_logit, generated_logit = played["logit"]
        return {
            "features": [*similar["features"], played["features"][1]],
            "logit": [real_logit, similar["logit"][1], generated_logit],
        }

    def adversarial_terms(
        self, real: tf.Tensor, **fakes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's losses, and the decoder's of not fooling it.

        Args:
            real: Logits of real images, (batch, 1).
            **fakes: Logits of those `generated` and `reconstructed`.

        Returns:
            `real`, each of the fakes, and `fooling`, all (batch,).
        """
        real_loss, generated_loss = self._game
        terms = {name: generated_loss(logit) for name, logit in fakes.items()}
        terms["real"] = real_loss(real)
        if self.settings.adversarial == "minimax":
            names = ("real", *self.generated_terms)
            return {**terms, "fooling": -tf.add_n([terms[n] for n in names])}
        logits = [fakes[name] for name in self.generated_terms]
        if self.settings.adversarial == "hinge":
            fooling = -tf.reduce_mean(tf.concat(logits, -1), axis=-1)
        else:
            fooling = tf.add_n([real_loss(logit) for logit in logits])
        return {**terms, "fooling": fooling}

    @property
    def _game(self) -> tuple[Loss, Loss]:
        """The discriminator's on real and on generated images."""
        if self.settings.adversarial == "hinge":
            return losses.real_hinge, losses.generated_hinge
        epsilon = {"epsilon": self.settings.log_epsilon}
        return (
            functools.partial(losses.real_nll, **epsilon),
            functools.partial(losses.generated_nll, **epsilon),
        )

    def discriminator_objective(self, terms: Terms) -> tf.Tensor:
        """−L_GAN of Larsen et al. (2016), eq. 10, or what stands for it."""
        fakes = [terms[name] for name in self.generated_terms]
        weight = self.settings.real_weight
        if weight is not None:
            average = sum(fakes) / len(fakes)
            return weight * terms["real"] + (1 - weight) * average
        if self.settings.adversarial == "hinge":  # both halves weigh the same
            return terms["real"] + sum(fakes) / len(fakes)
        return terms["real"] + sum(fakes)

    def gates(self, terms: Terms) -> dict[str, tf.Tensor]:
        """The equilibrium rule on the losses of real and generated images."""
        margin = self.settings.equilibrium_margin
        if margin is None:
            return {}
        fakes = [terms[name] for name in self.generated_terms]
        return equilibrium_gates(terms["real"], sum(fakes) / len(fakes), margin)
