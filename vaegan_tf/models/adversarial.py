"""What does a discriminator add? Features, an error in them, and L_GAN."""

from collections.abc import Sequence

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

# Features for each unit of the divergence's weight: the feature error sums
# over all of them, and this gave faces at several widths.
FEATURES_PER_KL_WEIGHT = 820


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
    ) -> tf.Tensor:
        """Features of layer l, Dis_l(x), (batch, h, w, channels).

        Layer l comes before attributes, so that it needs none.
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
            (batch, 1) and (batch, h, w, channels).
        """
        count, image = len(images), tf.concat(images, axis=0)
        inputs = self.conditioned({"image": image}, attributes, count)
        outputs = self.discriminator(inputs, training=training)
        return {key: tf.split(value, count) for key, value in outputs.items()}


class FeatureErrorModel(DiscriminatingModel):
    """A model whose reconstruction error is that of layer l."""

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
        """
        discriminate = super().discriminate_batches

        def together(*images: tf.Tensor) -> dict[str, list[tf.Tensor]]:
            return discriminate(images, attributes, training)

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

    def real_terms(self, logit: tf.Tensor) -> Terms:
        """The discriminator's loss on real images."""
        return {"real": losses.real_nll(logit, self.settings.log_epsilon)}

    def fake_terms(self, name: str, logit: tf.Tensor) -> Terms:
        """The discriminator's loss on fakes, and the loss of not fooling it.

        `name` is `"generated"` or `"reconstructed"`.
        """
        epsilon = self.settings.log_epsilon
        return {
            name: losses.generated_nll(logit, epsilon),
            f"{name}_as_real": losses.real_nll(logit, epsilon),
        }

    def discriminator_objective(self, terms: Terms) -> tf.Tensor:
        """−L_GAN of Larsen et al. (2016), eq. 10, or its weighted form."""
        fakes = [terms[name] for name in self.generated_terms]
        weight = self.settings.real_weight
        if weight is None:
            return terms["real"] + sum(fakes)
        return weight * terms["real"] + (1 - weight) * sum(fakes) / len(fakes)

    def adversarial_objective(self, terms: Terms) -> tf.Tensor:
        """L_GAN, which the decoder minimises, or the non-saturating form.

        The weights of real and generated terms do not enter, as in the
        authors' code.
        """
        names = self.generated_terms
        if self.settings.adversarial == "minimax":
            return -(terms["real"] + sum(terms[name] for name in names))
        return sum(terms[f"{name}_as_real"] for name in names)

    def gates(self, terms: Terms) -> dict[str, tf.Tensor]:
        """The equilibrium rule on the losses of real and generated images."""
        margin = self.settings.equilibrium_margin
        if margin is None:
            return {}
        fakes = [terms[name] for name in self.generated_terms]
        return equilibrium_gates(terms["real"], sum(fakes) / len(fakes), margin)
