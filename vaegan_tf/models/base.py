"""What all models share: one training step.

A model declares its *networks*, its *terms* (named numbers, one per example,
in nats) and its *objectives* (what each network minimises, any function of
the mean terms). This module owns everything else.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Self

import keras
import tensorflow as tf

from vaegan_tf import data, noise, replicas
from vaegan_tf.data import ImageDataset
from vaegan_tf.models import steps
from vaegan_tf.noise import Purpose
from vaegan_tf.settings import ModelSettings

Example = Mapping[str, tf.Tensor]
Terms = dict[str, tf.Tensor]


class ObjectiveModel(keras.Model):
    """A model whose networks each minimise their own objective.

    A subclass declares the attributes below and implements `terms` and
    `objectives`; `gates` where a network may have to wait.

    Examples are dicts `{"image": (batch, height, width, channels)}` with
    values in [−1, 1], and `"attributes": (batch, num_attributes)` beside it.
    Models of other data override `as_example` and `load_dataset`.
    A bare image tensor is taken as `image`; the `y` of `fit(x, y)` as
    `attributes`. `seed` is that of all noise in training and evaluation.

    Attributes:
        title: What people call it.
        networks: Its networks' classes by name. Each has a classmethod
            `from_settings(settings, **example)`.
        trained: The networks that are trained; by default all.
        borrowed: Networks whose weights come from another run, whose folder
            is the setting `<name>_from`.
        abilities: What it can do: the names of its methods among `encode`,
            `reconstruct`, `sample`, `discriminate`, `analyze`, `generate` and
            `draw`.
        best_by: The term on validation examples whose lowest value says which
            checkpoint is best.
        num_validation: How many validation examples these are.
        updates_per_step: How often a network steps while the others step
            once; 1 for those left out. The extra steps come first, each on a
            batch and noise of its own.
        last_step: The step that training ends with, if the model knows.
    """

    kind: str
    title: str
    Settings: type[ModelSettings]
    networks: Mapping[str, type[keras.Model]]
    trained: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()
    term_names: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    best_by: str = "pixel_error"
    num_validation: int = 512
    updates_per_step: Mapping[str, int] = {}
    last_step: int | None = None

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: ModelSettings | None = None,
        *,
        seed: int = 0,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.settings = self.Settings() if settings is None else settings
        for network_name in self.networks:
            network = networks[network_name]
            setattr(self, network_name, network)
            if network_name not in self.trained_networks():
                network.trainable = False
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.step = self._counter("step", 0)
        self.noise_seed = self._counter("noise_seed", seed)
        self.seed = seed
        self.round = 0
        self._means = {
            key: steps.CommonMean(name=key) for key in self._log_names()
        }

    def optimize(self, *examples: Any) -> Terms:
        """One pass of the loop of Algorithm 1, Larsen et al. (2016).

        Args:
            *examples: As many batches of examples, or this replica's parts of
                them, as a step has `rounds`; or one for all rounds.

        Returns:
            Scalars by name, equal on every replica: every term's mean, every
            network's objective (`encoder_loss`), gradient norm
            (`encoder_gradient_norm`) and, with a gate, whether it stepped
            (`decoder_updated`).
        """
        rounds, batches = self._rounds(), [*map(self.as_example, examples)]
        if len(batches) == 1:
            batches *= len(rounds)
        if len(batches) != len(rounds):
            raise ValueError(
                f"A step takes {len(rounds)} batches, or 1. "
                f"Received: {len(batches)}."
            )
        numbers: Terms = {}
        for number, (batch, names) in enumerate(zip(batches, rounds)):
            self.round = number
            numbers |= self._descend(batch, names)
        self.after_step(batches[-1])
        self.step.assign_add(1)
        return numbers

    def _descend(self, example: Example, names: list[str]) -> Terms:
        """Some networks step from the same weights, each by its objective."""
        with self._tapes(names) as tapes:
            terms, objectives = self._terms_and_objectives(example, True)
            losses = {
                name: self.optimizers[name].scale_loss(objectives[name])
                for name in names
            }
        gradients = replicas.total(
            {n: self._gradient(tapes[n], losses[n], n) for n in names}
        )
        gates = self.gates(terms)
        norms = {}
        for name in names:
            optimizer, gradient = self.optimizers[name], gradients[name]
            weights = self.weights_that_step(name)
            norms[name] = steps.gradient_norm(gradient, optimizer)
            steps.apply_gradients(optimizer, gradient, weights, gates.get(name))
        return {
            **terms,
            **_suffixed("loss", objectives),
            **_suffixed("gradient_norm", norms),
            **_suffixed("updated", gates),
        }

    def _terms_and_objectives(
        self, example: Example, training: bool
    ) -> tuple[Terms, Terms]:
        """Mean terms, and objectives with penalties on weights: scalars."""
        # All entries of an example have as many rows.
        share = replicas.share(tf.shape(tf.nest.flatten(example)[0])[0])
        terms = {
            name: tf.reduce_mean(term)
            for name, term in self.terms(example, training).items()
        }
        terms = replicas.mean(terms, share)
        objectives = {
            name: objective
            + replicas.counted_once(sum(getattr(self, name).losses), share)
            for name, objective in self.objectives(terms).items()
        }
        return terms, objectives

    @contextlib.contextmanager
    def _tapes(self, names: list[str]) -> Iterator[dict[str, tf.GradientTape]]:
        """A tape for each network, which watches that network's weights."""
        tapes = {
            name: tf.GradientTape(watch_accessed_variables=False)
            for name in names
        }
        with contextlib.ExitStack() as stack:
            for name, tape in tapes.items():
                stack.enter_context(tape)
                tape.watch(self._weights(name))
            yield tapes

    def _gradient(
        self, tape: tf.GradientTape, loss: tf.Tensor, name: str
    ) -> list[tf.Tensor]:
        weights = self._weights(name)
        gradients = tape.gradient(loss, weights)
        if all(gradient is None for gradient in gradients):
            raise ValueError(
                f"The objective of the {name} does not depend on its weights."
            )
        return [
            tf.zeros_like(weight) if gradient is None else gradient
            for weight, gradient in zip(weights, gradients)
        ]

    def _weights(self, name: str) -> list[tf.Variable]:
        return [w.value for w in self.weights_that_step(name)]

    @property
    def rounds(self) -> int:
        """Batches that a step takes: updates of the busiest network."""
        return len(self._rounds())

    def _rounds(self) -> list[list[str]]:
        """Which networks step in each round; all of them in the last."""
        counts = {
            name: self.updates_per_step.get(name, 1)
            for name in self.stepping_networks()
        }
        return [
            [name for name, count in counts.items() if count >= left]
            for left in range(max(counts.values()), 0, -1)
        ]

    def noise_of(self, training: bool) -> tuple[tf.Tensor, Any]:
        """Seed and step of noise: another at every step and round.

        Evaluation draws the same for every batch.
        """
        if not training:
            return noise.fold(self.seed, Purpose.EVALUATION), 0
        if self.round:
            return noise.fold(self.noise_seed, self.round), self.step
        return self.noise_seed, self.step

    def loss_scale(self, name: str) -> float | tf.Tensor:
        """What a network's loss is multiplied by against underflow."""
        optimizer = self.optimizers.get(name)
        return 1.0 if optimizer is None else optimizer.scale_loss(1.0)

    def terms(self, example: Example, training: bool) -> Terms:
        """The terms on a batch: (batch,) tensors by name, in nats."""
        raise NotImplementedError

    def objectives(self, terms: Terms) -> Terms:
        """What each trained network minimises, given mean terms: scalars."""
        raise NotImplementedError

    @property
    def gated_networks(self) -> tuple[str, ...]:
        """Names of the networks that step only when `gates` says so."""
        return ()

    def gates(self, terms: Terms) -> dict[str, tf.Tensor]:
        """Which of `gated_networks` step, boolean scalars by name."""
        return {}

    def stepping_networks(self) -> tuple[str, ...]:
        """Those of them that step now: of a model that grows, not always all.

        What it says may change where `prepare_step` returns another number.
        """
        return self.trained_networks()

    def weights_that_step(self, name: str) -> list[keras.Variable]:
        """The weights of a network that step now."""
        return getattr(self, name).trainable_weights

    def prepare_step(self, step: int) -> int:
        """Called by a run before each step, outside of its graph.

        Returns:
            A number. Steps of different numbers are traced apart, so that a
            model can train other networks, at other sizes, as it grows.
        """
        return 0

    def after_step(self, example: Example) -> None:
        """Called when all networks have stepped, before the step counts.

        Args:
            example: The batch that they have stepped on, the last one.
        """

    def validation_terms(self, example: Any) -> Terms:
        """What is reported of held-out examples, (batch,) by name."""
        return self.terms(self.as_example(example), training=False)

    @classmethod
    def can(cls, ability: str) -> bool:
        """Whether the model has an ability, such as `encode`."""
        return ability in cls.abilities

    @classmethod
    def trained_networks(cls) -> tuple[str, ...]:
        """Names of the networks that are trained."""
        return cls.trained or tuple(cls.networks)

    @classmethod
    def create(
        cls, settings: ModelSettings, *, seed: int = 0, **example: Any
    ) -> Self:
        """The model on its own networks, built but not compiled.

        Args:
            settings: Its settings.
            seed: Seed of the noise.
            **example: `image_size`, `num_channels` and `num_attributes`.
        """
        networks = {
            name: network.from_settings(settings, **example)
            for name, network in cls.networks.items()
        }
        return cls(networks, settings, seed=seed)

    @staticmethod
    def load_dataset(name: str, **arguments: Any) -> Any:
        """A data set that the model learns from, as a run's settings say.

        It has what `ImageDataset` has for training: `name`, `contents`,
        `attribute_names`, `train_batches` and `batches`.
        """
        return data.load_dataset(name, **arguments)

    @classmethod
    def inputs_of(
        cls, dataset: ImageDataset, settings: ModelSettings
    ) -> dict[str, Any]:
        """What `create` needs to know of a data set, as JSON knows it."""
        size, _, channels = dataset.image_shape
        return {"image_size": size, "num_channels": channels}

    def load_initial_weights(self) -> None:
        """Called once before a run's first step."""

    def forecast(self, batch_size: int) -> list[str]:
        """What training will take, as lines for the log, if it is known.

        Raises:
            ValueError: If it takes more than the machine has.
        """
        return []

    def as_example(self, data: Any) -> dict[str, tf.Tensor]:
        """Turns what Keras hands over into an example of the right shape."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        example = dict(x) if isinstance(x, dict) else {"image": x}
        if y is not None:
            example["attributes"] = y
        image = tf.cast(example["image"], tf.float32)
        if image.shape[1:] != self.image_shape:
            sizes = ", ".join(map(str, self.image_shape))
            raise ValueError(
                f"Images must have shape (batch, {sizes}). "
                f"Received: shape {tuple(image.shape)}."
            )
        return {**example, "image": image}

    def train_step(self, data: Any) -> Terms:
        """Keras's training step: `optimize` on a batch, and its log's means."""
        return self.log(self.optimize(data))

    def test_step(self, data: Any) -> Terms:
        """Keras's evaluation step: terms and objectives, nothing changes."""
        terms, objectives = self._terms_and_objectives(
            self.as_example(data), training=False
        )
        return self.log({**terms, **_suffixed("loss", objectives)})

    def log(self, numbers: Terms) -> Terms:
        """Adds a step's numbers to the running means, and returns these."""
        for name, number in numbers.items():
            self._means[name].update_state(tf.cast(number, tf.float32))
        return {name: self._means[name].result() for name in numbers}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means, which Keras resets at every epoch."""
        return list(self._means.values())

    def compile(self, optimizer: Any = "rmsprop", **kwargs: Any) -> None:
        """Gives every trained network an optimizer of its own.

        Args:
            optimizer: What `keras.optimizers.get` takes, of which each
                network gets a copy; or a dict of these by network.
            **kwargs: `run_eagerly`, `jit_compile` and `steps_per_execution`
                of `keras.Model.compile`.
        """
        super().compile(optimizer=None, **kwargs)
        self.optimizers = {
            name: steps.network_optimizer(choice, getattr(self, name))
            for name, choice in self._per_network(optimizer).items()
        }

    def _per_network(self, optimizer: Any) -> dict[str, Any]:
        names = self.trained_networks()
        if not isinstance(optimizer, dict) or "class_name" in optimizer:
            return dict.fromkeys(names, optimizer)
        if sorted(optimizer) != sorted(names):
            raise ValueError(
                f"`optimizer` must name every trained network: {list(names)}. "
                f"Received: {list(optimizer)}."
            )
        return {name: optimizer[name] for name in names}

    def build(self, input_shape: Any) -> None:
        """Nothing is left to build: networks are built when they are made."""
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Networks, settings, seed and name."""
        return {
            "networks": {
                name: keras.saving.serialize_keras_object(getattr(self, name))
                for name in self.networks
            },
            "settings": self.settings.as_dict(),
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the model, and its networks, from `get_config`."""
        config = dict(config)
        networks = {
            name: keras.saving.deserialize_keras_object(network)
            for name, network in config.pop("networks").items()
        }
        settings = cls.Settings.from_dict(config.pop("settings"))
        return cls(networks, settings, **config)

    def get_compile_config(self) -> dict[str, Any]:
        """The optimizers, so that a loaded model resumes training."""
        optimizers = {
            name: keras.optimizers.serialize(optimizer)
            for name, optimizer in self.optimizers.items()
        }
        return {"optimizer": optimizers} if optimizers else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with the optimizers of `get_compile_config`."""
        self.compile(**config)

    def _log_names(self) -> list[str]:
        trained = self.trained_networks()
        return [
            *self.term_names,
            *[f"{name}_loss" for name in trained],
            *[f"{name}_gradient_norm" for name in trained],
            *[f"{name}_updated" for name in self.gated_networks],
        ]

    def _counter(self, name: str, value: int) -> tf.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            dtype="int32",
            initializer=lambda shape, dtype: tf.constant(value, dtype, shape),
            trainable=False,
            aggregation="only_first_replica",
        )


def _suffixed(suffix: str, numbers: Terms) -> Terms:
    return {f"{name}_{suffix}": number for name, number in numbers.items()}
