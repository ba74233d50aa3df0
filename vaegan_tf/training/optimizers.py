"""How far to step: an optimizer for each network, and its learning rate."""

import keras

OPTIMIZERS = ("rmsprop", "adam")
DECAYS = ("none", "authors", "cosine")


def create_optimizers(
    networks,
    *,
    optimizer="rmsprop",
    learning_rate=3e-4,
    learning_rates=None,
    beta_1=0.5,
):
    """An optimizer for each network.

    Args:
        networks: Names of the trained networks.
        optimizer: `"rmsprop"`, as in the paper, with the averaging of 0.9 and
            ε of 1e-8 of the authors' code; or `"adam"`.
        learning_rate: Rate of the networks that `learning_rates` leaves out.
        learning_rates: Rates by network; `None` values are left out.
        beta_1: Adam's averaging of the gradient.

    Returns:
        A dict for `ObjectiveModel.compile`.

    Raises:
        ValueError: If the optimizer is unknown, or a rate not positive.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            f"`optimizer` must be one of {OPTIMIZERS}. "
            f"Received: optimizer={optimizer!r}."
        )
    rates = network_rates(networks, learning_rate, learning_rates)
    if optimizer == "adam":
        return {
            name: keras.optimizers.Adam(rate, beta_1=beta_1)
            for name, rate in rates.items()
        }
    return {
        name: keras.optimizers.RMSprop(rate, rho=0.9, epsilon=1e-8)
        for name, rate in rates.items()
    }


def compile_model(
    model,
    train_steps,
    *,
    learning_rate=3e-4,
    learning_rates=None,
    learning_rate_decay="none",
    final_learning_rate=1.6e-7,
    **options,
):
    """Compiles a model with an optimizer for each network.

    Args:
        model: An `ObjectiveModel`.
        train_steps: Steps over which rates fall.
        learning_rate: Rate of the networks that `learning_rates` leaves out.
        learning_rates: Rates by network; `None` values are left out.
        learning_rate_decay: `"none"`; `"authors"` for `AuthorsDecay`; or
            `"cosine"` for half a wave of it (Loshchilov & Hutter, 2017).
        final_learning_rate: What the rates fall to.
        **options: `optimizer` and `beta_1` of `create_optimizers`.

    Returns:
        Schedules by network, functions of the step; none without decay.

    Raises:
        ValueError: If an argument is out of range.
    """
    if learning_rate_decay not in DECAYS:
        raise ValueError(
            f"`learning_rate_decay` must be one of {DECAYS}. "
            f"Received: learning_rate_decay={learning_rate_decay!r}."
        )
    networks = model.trained_networks
    rates = network_rates(networks, learning_rate, learning_rates)
    optimizers = create_optimizers(networks, learning_rates=rates, **options)
    model.compile(optimizers, jit_compile=False)  # slower, where measured
    if learning_rate_decay == "none":
        return {}
    decay = AuthorsDecay if learning_rate_decay == "authors" else _cosine_decay
    return {
        name: decay(rate, final_learning_rate, train_steps)
        for name, rate in rates.items()
    }


def network_rates(networks, learning_rate, learning_rates=None):
    """The first learning rate of each network.

    Raises:
        ValueError: If a rate is not positive, or of a network that is not
            trained.
    """
    own = {
        name: rate
        for name, rate in (learning_rates or {}).items()
        if rate is not None
    }
    for name in own:
        if name not in networks:
            raise ValueError(
                f"The {name} is given a learning rate, but only these are "
                f"trained: {', '.join(networks)}."
            )
    rates = {name: own.get(name, learning_rate) for name in networks}
    for name, rate in rates.items():
        if rate <= 0:
            raise ValueError(
                f"The learning rate of the {name} must be positive. "
                f"Received: {rate}."
            )
    return rates


def _cosine_decay(start, stop, steps):
    """The rate stop + (start − stop) · (1 + cos(π t / steps)) / 2."""
    return keras.optimizers.schedules.CosineDecay(
        start, steps, alpha=stop / start
    )


@keras.saving.register_keras_serializable(package="vaegan_tf")
class AuthorsDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate of the authors' code.

    rate(t) = start − (t / T)^0.75 · (start − stop)

    The authors divide it by the batch size, their losses being sums over the
    batch; here losses are means and the rate is the divided one.

    Args:
        start: Rate of the first step.
        stop: Rate from step T on.
        steps: T.
    """

    def __init__(self, start, stop, steps):
        self.start = start
        self.stop = stop
        self.steps = steps

    def __call__(self, step):
        """The rate at a step, a scalar."""
        progress = keras.ops.cast(step, "float32") / self.steps
        progress = keras.ops.minimum(progress, 1.0)
        return self.start - progress**0.75 * (self.start - self.stop)

    def get_config(self):
        """The constructor's arguments."""
        return {"start": self.start, "stop": self.stop, "steps": self.steps}
