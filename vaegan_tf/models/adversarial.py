"""What the models with a discriminator share: L_GAN, seen from both sides."""

from vaegan_tf import losses
from vaegan_tf.models.base import GenerativeModel
from vaegan_tf.models.equilibrium import equilibrium_gates

ADVERSARIAL_TERMS = ("minimax", "non_saturating")
BATCH_STATISTICS = ("joint", "paired", "separate")


class AdversarialModel(GenerativeModel):
    """A model whose decoder plays against a discriminator.

    Args:
        networks: The networks by name, a `discriminator` among them.
        adversarial: What the decoder minimises. `"minimax"`, as in the paper:
            the negative of the discriminator's cost, −(real + generated).
            `"non_saturating"`: −log D(x̃) instead, whose gradient does not
            vanish while the discriminator wins (Goodfellow et al., 2014).
        real_weight: `None`, as in the paper, weighs all terms of the
            discriminator's objective by 1. A number w in (0, 1) gives
            w·real + (1 − w)·(mean of the generated ones), as the authors'
            `real_vs_gen_weight`.
        log_epsilon: Added inside the logarithms, 1e-3 in the authors' code.
        batch_statistics: Which images share batch statistics. `"joint"`:
            all, in the discriminator; all that are decoded, in the decoder.
            `"paired"`, as in the authors' code: in the discriminator,
            reconstructed with real ones for the features, generated with
            real ones for the logits, which is one pass more. `"separate"`:
            each kind by itself, in both networks. The last hides from the
            discriminator what sets the kinds apart on average, and so keeps
            it from winning early.
        equilibrium_margin: Margin of the equilibrium rule, 0.35 in the
            authors' code; `None` to let both networks step always.
        **kwargs: `seed`, `ema_momentum` and `name` of `GenerativeModel`.

    Raises:
        ValueError: If an argument is out of range.
    """

    settings = (
        "adversarial",
        "real_weight",
        "log_epsilon",
        "batch_statistics",
        "equilibrium_margin",
    )
    generated_terms: tuple[str, ...] = ("generated",)

    def __init__(
        self,
        networks,
        *,
        adversarial="minimax",
        real_weight=None,
        log_epsilon=0.0,
        batch_statistics="joint",
        equilibrium_margin=None,
        **kwargs,
    ):
        _check_choice("adversarial", adversarial, ADVERSARIAL_TERMS)
        _check_choice(
            "batch_statistics",
            batch_statistics,
            BATCH_STATISTICS,
        )
        _check_numbers(real_weight, equilibrium_margin)
        gated = () if equilibrium_margin is None else self.trained_networks
        super().__init__(
            networks,
            gated_networks=[name for name in gated if name != "encoder"],
            **kwargs,
        )
        self.adversarial = adversarial
        self.real_weight = real_weight
        self.log_epsilon = log_epsilon
        self.batch_statistics = batch_statistics
        self.equilibrium_margin = equilibrium_margin

    def generate(self, latents, attributes, training):
        """Decodes several batches of codes, in the batches asked for.

        Args:
            latents: As for `decode_batches`.
            attributes: As for `decode_batches`.
            training: As for `decode_batches`.

        Returns:
            What `decode_batches` returns.
        """
        if self.batch_statistics != "separate":
            return self.decode_batches(latents, attributes, training)
        return [
            image
            for latent in latents
            for image in self.decode_batches([latent], attributes, training)
        ]

    def judge(self, images, attributes, training):
        """Discriminates real images and fakes, in the batches asked for.

        Args:
            images: Real images, reconstructions if any, generated images.
            attributes: As for `discriminate`.
            training: As for `discriminate`.

        Returns:
            What `discriminate` returns.
        """

        def together(*images):
            return self.discriminate(images, attributes, training)

        if self.batch_statistics == "separate":
            apart = [together(image) for image in images]
            return {
                key: [judged[key][0] for judged in apart] for key in apart[0]
            }
        if self.batch_statistics == "joint" or len(images) == 2:
            return together(*images)
        real, reconstructed, generated = images
        similar = together(real, reconstructed)
        played = together(real, generated)
        return {
            "features": [*similar["features"], played["features"][1]],
            "logit": [
                played["logit"][0],
                similar["logit"][1],
                played["logit"][1],
            ],
        }

    def real_terms(self, logit):
        """The discriminator's cost of real images."""
        return {"real": losses.real_nll(logit, self.log_epsilon)}

    def fake_terms(self, name, logit):
        """The discriminator's cost of fakes, and the cost of not fooling it.

        Args:
            name: `"generated"` or `"reconstructed"`.
            logit: What the discriminator says of them, (batch, 1).
        """
        return {
            name: losses.generated_nll(logit, self.log_epsilon),
            f"{name}_as_real": losses.real_nll(logit, self.log_epsilon),
        }

    def discriminator_objective(self, terms):
        """−L_GAN of Larsen et al. (2016), eq. 10, or its weighted form."""
        fakes = [terms[name] for name in self.generated_terms]
        if self.real_weight is None:
            return terms["real"] + sum(fakes)
        fake = sum(fakes) / len(fakes)
        return self.real_weight * terms["real"] + (1 - self.real_weight) * fake

    def adversarial_objective(self, terms):
        """L_GAN, which the decoder minimises, or the non-saturating form.

        The weights of real and generated terms do not enter, as in the
        authors' code.
        """
        names = self.generated_terms
        if self.adversarial == "minimax":
            return -(terms["real"] + sum(terms[name] for name in names))
        return sum(terms[f"{name}_as_real"] for name in names)

    def gates(self, terms):
        """The equilibrium rule on the costs of real and generated images."""
        fakes = [terms[name] for name in self.generated_terms]
        return equilibrium_gates(
            terms["real"], sum(fakes) / len(fakes), self.equilibrium_margin
        )


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {choices}. Received: {name}={value!r}."
        )


def _check_numbers(real_weight, equilibrium_margin):
    if real_weight is not None and not 0 < real_weight < 1:
        raise ValueError(
            "`real_weight` must lie between 0 and 1, or be None. "
            f"Received: real_weight={real_weight}."
        )
    if equilibrium_margin is not None and equilibrium_margin <= 0:
        raise ValueError(
            "`equilibrium_margin` must be positive, or None. "
            f"Received: equilibrium_margin={equilibrium_margin}."
        )
