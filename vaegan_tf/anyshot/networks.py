"""What are the encoder, the generator and the critics of features?

Each is one hidden layer. Conditional ones take the class's attributes beside
their input.

Reference:
    Xian et al. (2019), section 4.1; sizes and slopes as in the released code.
"""

from typing import Any, Self

import keras

from vaegan_tf.networks.blocks import LEAK
from vaegan_tf.settings import FeatureModelSettings


class FeatureNetwork(keras.Model):
    """A functional model of vectors that remembers its arguments.

    Args:
        inputs: Its Keras inputs by name.
        outputs: Its Keras outputs.
        **arguments: Those of the subclass's constructor.

    Attributes:
        own_settings: Names of further settings that are arguments.
    """

    own_settings: tuple[str, ...] = ()

    def __init__(self, inputs: dict, outputs: Any, **arguments: Any):
        super().__init__(inputs, outputs, name=arguments["name"])
        self._arguments = arguments
        for key in ("latent_dim", "num_features", "num_attributes"):
            setattr(self, key, arguments[key])

    @classmethod
    def from_settings(
        cls, settings: FeatureModelSettings, **example: Any
    ) -> Self:
        """The network of a model's settings.

        Args:
            settings: The settings.
            **example: `num_features` and `num_attributes`.
        """
        latent_dim = settings.latent_dim or example["num_attributes"]
        return cls(
            **example,
            latent_dim=latent_dim,
            hidden_units=settings.hidden_units,
            **{key: getattr(settings, key) for key in cls.own_settings},
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dict(self._arguments)

    @classmethod
    def from_config(cls, config: dict[str, Any], **kwargs: Any) -> Self:
        """Makes the network from `get_config`."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FeatureEncoder(FeatureNetwork):
    """q(z|x, c): mean and log-variance, (batch, latent) each."""

    def __init__(self, name: str = "encoder", **arguments: Any):
        feature, attributes = _inputs(arguments, "num_features")
        hidden = _hidden([feature, attributes], arguments, name, "relu")
        latent_dim = arguments["latent_dim"]
        posterior = {
            key: _dense(latent_dim, f"{name}_{key}", dtype="float32")(hidden)
            for key in ("mean", "log_variance")
        }
        inputs = {"feature": feature, "attributes": attributes}
        super().__init__(inputs, posterior, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class FeatureGenerator(FeatureNetwork):
    """Outputs of a code and attributes, one for each number of a feature.

    What they stand for is the model's: logits or means.
    """

    own_settings = ("weight_decay",)

    def __init__(
        self,
        name: str = "decoder",
        weight_decay: float = 0.0,
        **arguments: Any,
    ):
        latent, attributes = _inputs(arguments, "latent_dim")
        decay = _penalty(weight_decay)
        hidden = _hidden([latent, attributes], arguments, name, "relu", **decay)
        width = arguments["num_features"]
        output = _dense(width, f"{name}_output", dtype="float32", **decay)
        outputs = output(hidden)
        arguments["weight_decay"] = weight_decay
        inputs = {"latent": latent, "attributes": attributes}
        super().__init__(inputs, outputs, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class ConditionalCritic(FeatureNetwork):
    """D1(x, c): scores features of a class, (batch,)."""

    def __init__(self, name: str = "critic", **arguments: Any):
        feature, attributes = _inputs(arguments, "num_features")
        score = _score([feature, attributes], arguments, name)
        inputs = {"feature": feature, "attributes": attributes}
        super().__init__(inputs, score, name=name, **arguments)


@keras.saving.register_keras_serializable(package="vaegan_tf")
class NovelCritic(FeatureNetwork):
    """D2(x): scores features of any novel class, (batch,)."""

    def __init__(self, name: str = "novel_critic", **arguments: Any):
        feature, _ = _inputs(arguments, "num_features")
        score = _score([feature], arguments, name)
        super().__init__({"feature": feature}, score, name=name, **arguments)


def _inputs(arguments: dict[str, Any], of: str) -> list[Any]:
    """The input whose width an argument says, and that of attributes."""
    names = {"num_features": "feature", "latent_dim": "latent"}
    return [
        keras.Input((arguments[of],), name=names[of]),
        keras.Input((arguments["num_attributes"],), name="attributes"),
    ]


def _hidden(
    inputs: list[Any],
    arguments: dict[str, Any],
    name: str,
    activation: Any,
    **options: Any,
) -> Any:
    x = inputs[0] if len(inputs) == 1 else keras.ops.concatenate(inputs, -1)
    units = arguments["hidden_units"]
    return _dense(units, f"{name}_hidden", activation=activation, **options)(x)


def _score(inputs: list[Any], arguments: dict[str, Any], name: str) -> Any:
    rectifier = keras.layers.LeakyReLU(LEAK, name=f"{name}_rectifier")
    hidden = rectifier(_hidden(inputs, arguments, name, None))
    score = _dense(1, f"{name}_score", dtype="float32")(hidden)
    return keras.ops.squeeze(score, -1)


def _dense(units: int, name: str, **options: Any) -> keras.layers.Dense:
    return keras.layers.Dense(units, name=name, **options)


def _penalty(weight_decay: float) -> dict[str, Any]:
    if not weight_decay:
        return {}
    return {"kernel_regularizer": keras.regularizers.L2(weight_decay)}
