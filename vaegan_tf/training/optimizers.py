"""How far to step: an optimizer for each network, and its learning rate."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf.models import ObjectiveModel
from vaegan_tf.settings import OptimisationSettings, named_number
from vaegan_tf.training.fused_optimizers import FusedAdam, FusedRMSprop
from vaegan_tf.training.muon import Muon


def compile_model(
    model: ObjectiveModel, settings: OptimisationSettings
) -> dict[str, keras.optimizers.schedules.LearningRateSchedule]:
    """Compiles a model with an optimizer for each network.

    RMSprop has the averaging of 0.9 and ε of 1e-8 of the authors' code.

    Returns:
        Schedules by network, functions of the step; none without decay.

    Reference:
        Loshchilov & Hutter (2017), eq. 5, of the cosine decay.
    """
    rates = network_rates(model.trained_networks(), settings)
    makers: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
        "rmsprop": functools.partial(FusedRMSprop, rho=0.9, epsilon=1e-8),
        "adam": functools.partial(FusedAdam, beta_1=settings.beta_1),
        "muon": functools.partial(Muon, beta_1=settings.beta_1),
    }
    make = makers[settings.optimizer]
    optimizers = {name: make(rate) for name, rate in rates.items()}
    model.compile(optimizers, jit_compile=False)  # slower, where measured
    last, steps = settings.final_learning_rate, settings.train_steps
    if settings.learning_rate_decay == "authors":
        return {k: AuthorsDecay(rate, last, steps) for k, rate in rates.items()}
    schedules = keras.optimizers.schedules
    if settings.learning_rate_decay == "linear":
        linear = schedules.PolynomialDecay
        return {k: linear(rate, steps, last) for k, rate in rates.items()}
    if settings.learning_rate_decay == "cosine":
        cosine = schedules.CosineDecay
        return {
            name: cosine(rate, steps, alpha=last / rate)
            for name, rate in rates.items()
        }
    return {}


def network_rates(
    networks: Sequence[str], settings: OptimisationSettings
) -> dict[str, float]:
    """The first learning rate of each network that is trained."""
    rates = dict.fromkeys(networks, settings.learning_rate)
    for item in settings.learning_rates:
        name, rate = named_number(item)
        if name not in rates:
            raise ValueError(
                f"`learning_rates` may name {', '.join(networks)}, the "
                f"networks that are trained. Received: {item!r}."
            )
        if not 0 < rate < math.inf:
            raise ValueError(
                "`learning_rates` must hold network=rate with positive rates. "
                f"Received: {item!r}."
            )
        rates[name] = rate
    return rates


@keras.saving.register_keras_serializable(package="vaegan_tf")
@dataclasses.dataclass(eq=False)
class AuthorsDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of the authors' code.

    rate(t) = start − (t / T)^0.75 · (start − stop)

    The authors divide it by the batch size, their losses being sums over the
    batch; here losses are means and the rate is the divided one.

    """

    start: float
    stop: float
    steps: int  # T, from which on the rate is `stop`.

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate at a step, a scalar."""
        progress = keras.ops.cast(step, "float32") / self.steps
        progress = keras.ops.minimum(progress, 1.0)
        return self.start - progress**0.75 * (self.start - self.stop)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return dataclasses.asdict(self)
