"""What are the encoder, the generator and the critics of features?

All are one network: a hidden layer over inputs that lie beside each other, and
a linear layer for each output. Conditional ones take the class's attributes
beside the feature or code.

Reference:
    Xian et al. (2019), section 4.1; sizes and slopes as in the released code.
"""

from collections.abc import Mapping
from typing import Any, Self

import keras

from vaegan_tf.networks.blocks import LEAK
from vaegan_tf.settings import FeatureModelSettings


class FeatureNetwork(keras.Model):
    """One hidden layer between vectors.

    Args:
        name: Its name, which is that of its layers, too (default: `role`).
        num_features: Numbers of a feature.
        num_attributes: Attributes of a class.
        latent_dim: Dimension of the code.
        hidden_units: Units of the hidden layer.
        weight_decay: λ of the penalty λ Σ w² on its kernels.

    Attributes:
        role: What it is in its model.
        takes: Names of its inputs, (batch, n) each.
        gives: Names of its outputs.
        slope: That of the hidden layer's rectifier below 0.
        is_decayed: Whether the settings' `weight_decay` is its own.
    """

    role: str
    takes: tuple[str, ...] = ("feature", "attributes")
    gives: tuple[str, ...]
    slope: float = 0.0
    is_decayed: bool = False

    def __init__(
        self,
        name: str | None = None,
        *,
        num_features: int,
        num_attributes: int,
        latent_dim: int,
        hidden_units: int,
        weight_decay: float = 0.0,
    ):
        name = name or self.role
        widths = {
            **dict.fromkeys(("feature", "output"), num_features),
            **dict.fromkeys(("latent", "mean", "log_variance"), latent_dim),
            "attributes": num_attributes,
            "score": 1,
        }
        penalty = keras.regularizers.L2(weight_decay) if weight_decay else None

        def dense(width, layer, **options):
            return keras.layers.Dense(
                width,
                kernel_regularizer=penalty,
                name=f"{name}_{layer}",
                **options,
            )

        inputs = {k: keras.Input((widths[k],), name=k) for k in self.takes}
        x = keras.layers.Concatenate(name=f"{name}_inputs")(
            list(inputs.values())
        )
        x = dense(hidden_units, "hidden")(x)
        x = keras.layers.LeakyReLU(self.slope, name=f"{name}_rectifier")(x)
        outputs = {
            key: dense(widths[key], key, dtype="float32")(x)
            for key in self.gives
        }
        super().__init__(inputs, self.shaped(outputs), name=name)
        self.num_features = num_features
        self.num_attributes = num_attributes
        self.latent_dim = latent_dim
        self._arguments = {
            "num_features": num_features,
            "num_attributes": num_attributes,
            "latent_dim": latent_dim,
            "hidden_units": hidden_units,
            "weight_decay": weight_decay,
        }

    @staticmethod
    def shaped(outputs: Mapping[str, Any]) -> Any:
        """What calling the network returns, of its outputs by name."""
        return dict(outputs)

    @classmethod
    def from_settings(
        cls, settings: FeatureModelSettings, **example: Any
    ) -> Self:
        """The network of a model's settings.

        Args:
            settings: The settings.
            **example: `num_features` and `num_attributes`.
        """
        return cls(
            **example,
            latent_dim=settings.latent_dim or example["num_attributes"],
            hidden_units=settings.hidden_units,
            weight_decay=settings.weight_decay if cls.is_decayed else 0.0,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, **self._arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any], **kwargs: Any) -> Self:
        """Makes the network from `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FeatureEncoder(FeatureNetwork):
    """q(z|x, c): mean and log-variance, (batch, latent) each."""

    role = "encoder"
    gives = ("mean", "log_variance")


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FeatureGenerator(FeatureNetwork):
    """Outputs of a code and attributes, one for each number of a feature.

    What they stand for is the model's: logits or means.
    """

    role = "decoder"
    takes = ("latent", "attributes")
    gives = ("output",)
    is_decayed = True

    @staticmethod
    def shaped(outputs: Mapping[str, Any]) -> Any:
        """The only output, (batch, d)."""
        return outputs["output"]


@keras.saving.register_keras_serializable(package="vaegan_tf")
class ConditionalCritic(FeatureNetwork):
    """D1(x, c): scores features of a class, (batch,)."""

    role = "critic"
    gives = ("score",)
    slope = LEAK

    @staticmethod
    def shaped(outputs: Mapping[str, Any]) -> Any:
        """The score, (batch,)."""
        return keras.ops.squeeze(outputs["score"], -1)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class NovelCritic(ConditionalCritic):
    """D2(x): scores features of any novel class, (batch,)."""

    role = "novel_critic"
    takes = ("feature",)
