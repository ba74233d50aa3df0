"""What all models share: one training step, and what surrounds it.

A model declares its *networks*, its *terms* (named numbers, one per example,
in nats) and its *objectives* (for each network, the arithmetic of mean terms
that it minimises). This module owns everything else.
"""

import keras
import tensorflow as tf

from vaegan_tf import noise, replicas
from vaegan_tf.models import steps
from vaegan_tf.models.chain import Chain, hand_over
from vaegan_tf.noise import Purpose


class ObjectiveModel(keras.Model):
    """A model whose networks each minimise their own objective.

    Subclasses set `network_names`, `trained_networks` (in the order in which
    they hand over their outputs), `term_names` (with the last trained network
    that each term is computed through) and `settings` (the names of their
    constructor's other arguments), and implement `terms` and `objectives`;
    `gates` where a network may have to wait; `after_step` where something
    follows each step. They give themselves an `image_shape`.

    Examples are dicts `{"image": (batch, height, width, channels)}` with
    values in [−1, 1], and `"attributes": (batch, num_attributes)` beside it.
    A bare image tensor is taken as `image`; the `y` of `fit(x, y)` as
    `attributes`.

    Args:
        networks: The networks by name.
        gated_networks: Names of those that step only when `gates` says so.
        seed: Seed of all noise drawn in training and evaluation.
        name: Name of the model.
    """

    network_names: tuple[str, ...] = ()
    trained_networks: tuple[str, ...] = ()
    term_names: dict[str, str] = {}
    settings: tuple[str, ...] = ()

    def __init__(self, networks, *, gated_networks=(), seed=0, name=None):
        super().__init__(name=name)
        self.gated_networks = tuple(gated_networks)
        for network_name, network in networks.items():
            setattr(self, network_name, network)
        self.optimizers = {}
        self.step = self._counter("step", 0)
        self.noise_seed = self._counter("noise_seed", seed)
        self._means = {
            key: steps.CommonMean(name=key) for key in self._log_names()
        }
        self.seed = seed

    def terms(self, example, training):
        """The terms on a batch: a dict of (batch,) tensors, in nats."""
        raise NotImplementedError

    def objectives(self, terms):
        """What each trained network minimises: weighted sums of terms' means.

        Args:
            terms: The terms' means, scalars by name.

        Returns:
            A scalar for each of `trained_networks`.
        """
        raise NotImplementedError

    def term_weights(self):
        """The weight of every term in every objective: numbers by name.

        Raises:
            ValueError: If an objective is no weighted sum of terms.
        """
        columns = {
            name: self.objectives(
                {other: float(other == name) for other in self.term_names}
            )
            for name in self.term_names
        }
        weights = {
            network: {name: columns[name][network] for name in self.term_names}
            for network in self.trained_networks
        }
        _check_linear(self.objectives, weights)
        return weights

    def gates(self, terms):
        """Which networks step, from the terms' means over all replicas.

        Returns:
            A boolean scalar for each of `gated_networks`; the others always
            step.
        """
        return {}

    def after_step(self):
        """Called when all networks have stepped, before the step counts."""

    def compile(self, optimizer="rmsprop", **kwargs):
        """Gives every trained network an optimizer of its own.

        Args:
            optimizer: What `keras.optimizers.get` takes, of which each
                network gets a copy; or a dict of these by network.
            **kwargs: `run_eagerly`, `jit_compile` and `steps_per_execution`
                of `keras.Model.compile`.

        Raises:
            ValueError: If a dict does not name exactly the trained networks.
        """
        super().compile(optimizer=None, **kwargs)
        self.optimizers = {
            name: self._built_optimizer(name, choice)
            for name, choice in self._per_network(optimizer).items()
        }

    def optimize(self, example):
        """One pass of Algorithm 1's loop over one batch.

        All networks step from the same weights: each has a tape that watches
        its variables, and takes the gradient of its own objective.

        Args:
            example: A batch of examples, as described for the class; under a
                distribution strategy, this replica's part of it.

        Returns:
            This step's numbers by name, scalars, equal on every replica:
            every term's mean, every network's objective (`encoder_loss`),
            gradient norm (`encoder_gradient_norm`) and, with a gate, whether
            it stepped (`decoder_updated`).

        Reference:
            Larsen et al. (2016), Algorithm 1.
        """
        example = self.as_example(example)
        share = replicas.share(tf.shape(example["image"])[0])
        chain = Chain(dict(self._trained()))
        with chain.recording():
            terms = _means(self.terms(example, training=True))
            penalties = self._penalties()
        gradients = chain.gradients(
            self._terms_by_network(terms),
            self.term_weights(),
            penalties,
            {
                name: optimizer.scale_loss(share)
                for name, optimizer in self.optimizers.items()
            },
        )
        gradients = replicas.total(gradients)
        objectives = _summed(self.objectives(terms), penalties)
        terms, objectives = replicas.mean((terms, objectives), share)
        norms = {
            name: steps.gradient_norm(gradient, self.optimizers[name])
            for name, gradient in gradients.items()
        }
        gates = self.gates(terms) if self.gated_networks else {}
        for name, network in self._trained():
            steps.take(
                self.optimizers[name],
                gradients[name],
                network.trainable_weights,
                gate=gates.get(name),
            )
        self.after_step()
        self.step.assign_add(1)
        return {
            **terms,
            **_suffixed("loss", objectives),
            **_suffixed("gradient_norm", norms),
            **_suffixed("updated", gates),
        }

    def train_step(self, data):
        """Keras's training step: `optimize`, and running means of its log."""
        return self.log(self.optimize(data))

    def test_step(self, data):
        """Keras's evaluation step: terms and objectives, nothing changes."""
        example = self.as_example(data)
        share = replicas.share(tf.shape(example["image"])[0])
        terms = _means(self.terms(example, training=False))
        objectives = _summed(self.objectives(terms), self._penalties())
        terms, objectives = replicas.mean((terms, objectives), share)
        return self.log({**terms, **_suffixed("loss", objectives)})

    def scores(self, example):
        """Held-out scores: every term, one value per example, (batch,)."""
        return self.terms(self.as_example(example), training=False)

    def log(self, numbers):
        """Adds a step's numbers to the running means, and returns these."""
        for name, number in numbers.items():
            self._means[name].update_state(tf.cast(number, tf.float32))
        return {name: self._means[name].result() for name in numbers}

    @property
    def metrics(self):
        """The running means, which Keras resets at every epoch."""
        return list(self._means.values())

    def as_example(self, data):
        """Turns what Keras hands over into an example, and checks it.

        Raises:
            ValueError: If images have another shape than the networks take.
        """
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        example = dict(x) if isinstance(x, dict) else {"image": x}
        if y is not None:
            example["attributes"] = y
        image = tf.cast(example["image"], tf.float32)
        if image.shape[1:] != self.image_shape:
            raise ValueError(
                f"Images must have shape (batch, {_listed(self.image_shape)}). "
                f"Received: shape {tuple(image.shape)}."
            )
        return {**example, "image": image}

    def build(self, input_shape):
        """Nothing is left to build: networks are built when they are made."""
        self.built = True

    def get_config(self):
        """The constructor's arguments, networks included."""
        return {
            **{
                name: keras.saving.serialize_keras_object(getattr(self, name))
                for name in self.network_names
            },
            **{name: getattr(self, name) for name in self.settings},
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """Makes the model, and its networks, from `get_config`."""
        return cls(
            **{
                key: keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict)
                else value
                for key, value in config.items()
            }
        )

    def get_compile_config(self):
        """The optimizers, so that a loaded model goes on training."""
        return {
            "optimizer": {
                name: keras.optimizers.serialize(optimizer)
                for name, optimizer in self.optimizers.items()
            }
        }

    def compile_from_config(self, config):
        """Compiles with the optimizers of `get_compile_config`."""
        self.compile(**config)

    def _trained(self):
        return [(name, getattr(self, name)) for name in self.trained_networks]

    def _log_names(self):
        trained = self.trained_networks
        return [
            *self.term_names,
            *[f"{name}_loss" for name in trained],
            *[f"{name}_gradient_norm" for name in trained],
            *[f"{name}_updated" for name in self.gated_networks],
        ]

    def _counter(self, name, value):
        return self.add_weight(
            name=name,
            shape=(),
            dtype="int32",
            initializer=lambda shape, dtype: tf.constant(value, dtype, shape),
            trainable=False,
            aggregation="only_first_replica",
        )

    def _per_network(self, optimizer):
        if not isinstance(optimizer, dict) or "class_name" in optimizer:
            return dict.fromkeys(self.trained_networks, optimizer)
        if sorted(optimizer) != sorted(self.trained_networks):
            raise ValueError(
                "`optimizer` must name every trained network: "
                f"{list(self.trained_networks)}. Received: {list(optimizer)}."
            )
        return {name: optimizer[name] for name in self.trained_networks}

    def _built_optimizer(self, name, choice):
        if isinstance(choice, keras.optimizers.Optimizer):
            choice = keras.optimizers.serialize(choice)
        optimizer = keras.optimizers.get(choice)
        scaling = keras.mixed_precision.LossScaleOptimizer
        half = self.dtype_policy.name == "mixed_float16"
        if half and not isinstance(optimizer, scaling):
            optimizer = scaling(optimizer)
        # A slot made inside a traced step fails under MirroredStrategy.
        optimizer.build(getattr(self, name).trainable_weights)
        return steps.adding_up_nothing(optimizer)

    def _terms_by_network(self, terms):
        return {
            network: {
                name: term
                for name, term in terms.items()
                if self.term_names[name] == network
            }
            for network in self.trained_networks
        }

    def _penalties(self):
        return {name: list(network.losses) for name, network in self._trained()}


class GenerativeModel(ObjectiveModel):
    """A model that draws images from codes.

    Examples hold attributes for conditional models only.

    Args:
        networks: The networks by name: `encoder`, `decoder`, `discriminator`.
        ema_momentum: Momentum of `decoder_ema`, the running average of the
            decoder's weights and batch statistics; 0 for no average.
        **kwargs: `gated_networks`, `seed` and `name` of `ObjectiveModel`.

    Raises:
        ValueError: If the networks do not fit together, or an argument is out
            of range.
    """

    def __init__(self, networks, *, ema_momentum=0.999, **kwargs):
        _check_networks(networks)
        if not 0 <= ema_momentum < 1:
            raise ValueError(
                "`ema_momentum` must lie in [0, 1). "
                f"Received: ema_momentum={ema_momentum}."
            )
        super().__init__(networks, **kwargs)
        self.decoder_ema = (
            steps.frozen_twin(self.decoder) if ema_momentum else None
        )
        self.ema_momentum = ema_momentum
        self.image_shape = self.decoder.image_shape
        self.latent_dim = self.decoder.latent_dim
        self.num_attributes = self.decoder.num_attributes
        self(self.symbolic_inputs())  # Keras exports what was called once.

    def after_step(self):
        """Moves the average of the decoder."""
        if self.decoder_ema is not None:
            steps.follow(
                self.decoder_ema, self.decoder, self.ema_momentum, self.step
            )

    @property
    def generator(self):
        """The decoder to look at pictures with: averaged if there is one."""
        return self.decoder if self.decoder_ema is None else self.decoder_ema

    def decode(self, latent, attributes=None):
        """Images of latent codes, (batch, height, width, channels)."""
        return self.generator(
            self.conditioned({"latent": latent}, attributes), training=False
        )

    def sample(self, count, seed=0, attributes=None):
        """Images of codes drawn from the prior N(0, I).

        Args:
            count: How many.
            seed: An integer, or int32 (2,): the same seed, the same images.
            attributes: (count, num_attributes), for conditional models.

        Returns:
            Images in [−1, 1], (count, height, width, channels).
        """
        latent = noise.latent_codes(count, self.latent_dim, seed)
        return self.decode(latent, attributes)

    def as_example(self, data):
        """Turns what Keras hands over into an example, and checks it.

        Raises:
            ValueError: If images have another shape than the networks take,
                or attributes are missing.
        """
        example = super().as_example(data)
        image, attributes = example["image"], example.get("attributes")
        return self.conditioned({"image": image}, attributes)

    def conditioned(self, inputs, attributes):
        """Inputs of a network: with attributes if the model is conditional."""
        if not self.num_attributes:
            return inputs
        if attributes is None:
            raise ValueError(
                f"This model is conditional: it needs `attributes` of shape "
                f"(batch, {self.num_attributes}) beside {sorted(inputs)}."
            )
        inputs = {**inputs, "attributes": attributes}
        return {k: tf.cast(value, tf.float32) for k, value in inputs.items()}

    def decode_batches(self, latents, attributes, training):
        """Decodes several batches of codes in one pass, for training.

        Args:
            latents: Batches of codes, each (batch, latent).
            attributes: (batch, num_attributes), the same for each of them.
            training: Whether the pass uses the batch's own statistics.

        Returns:
            As many batches of images, (batch, height, width, channels) each.
        """
        count = len(latents)
        codes = {"latent": tf.concat(latents, axis=0)}
        images = self.decoder(
            self.conditioned(codes, _repeated(attributes, count)),
            training=training,
        )
        return hand_over("decoder", tf.split(images, count))

    def discriminate(self, images, attributes, training):
        """Judges several batches of images in one pass.

        Args:
            images: Batches of images, (batch, height, width, channels) each.
            attributes: (batch, num_attributes), the same for each of them.
            training: Whether the pass uses the batch's own statistics.

        Returns:
            `{"logit": [...], "features": [...]}`: for each batch of images
            (batch, 1) and (batch, ..., channels).
        """
        count = len(images)
        inputs = {"image": tf.concat(images, axis=0)}
        judged = self.discriminator(
            self.conditioned(inputs, _repeated(attributes, count)),
            training=training,
        )
        return {key: tf.split(value, count) for key, value in judged.items()}

    def draw(self, batch_size, purpose, training):
        """Standard normal codes, (batch, latent): new ones at every step.

        Evaluation draws the same ones for every batch.
        """
        step = self.step if training else 0
        seed = self.noise_seed if training else self.seed
        if not training:
            seed = noise.fold(seed, Purpose.EVALUATION)
        return noise.normal([batch_size, self.latent_dim], seed, step, purpose)

    def symbolic_inputs(self):
        """What `call` takes, as Keras tensors; here, an example."""
        return self.conditioned_symbols("image", self.image_shape)

    def conditioned_symbols(self, name, shape):
        """A Keras tensor, in a dict beside `attributes` if conditional."""
        tensor = keras.KerasTensor((None, *shape))
        if not self.num_attributes:
            return tensor
        attributes = keras.KerasTensor((None, self.num_attributes))
        return {name: tensor, "attributes": attributes}

    def get_config(self):
        """The constructor's arguments, networks included."""
        return {**super().get_config(), "ema_momentum": self.ema_momentum}


def check_kl_weight(kl_weight):
    """Refuses a divergence that would be maximised.

    Raises:
        ValueError: If the weight is negative.
    """
    if kl_weight < 0:
        raise ValueError(
            "`kl_weight` must not be negative. "
            f"Received: kl_weight={kl_weight}."
        )


def _means(terms):
    return {name: tf.reduce_mean(term) for name, term in terms.items()}


def _check_linear(objectives, weights):
    """Compares objectives with the weighted sums at one point."""
    for network, row in weights.items():
        point = {name: 2.0 + index for index, name in enumerate(row)}
        expected = sum(row[name] * point[name] for name in row)
        value = objectives(point)[network]
        if abs(value - expected) > 1e-6 * max(abs(value), abs(expected)):
            raise ValueError(
                "`objectives` must return weighted sums of the terms, without "
                f"a constant. Received another function for the {network}."
            )


def _summed(objectives, penalties):
    return {
        name: tf.add_n([objective, *penalties[name]])
        for name, objective in objectives.items()
    }


def _repeated(attributes, count):
    return None if attributes is None else tf.tile(attributes, [count, 1])


def _suffixed(suffix, numbers):
    return {f"{name}_{suffix}": number for name, number in numbers.items()}


def _listed(shape):
    return ", ".join(str(size) for size in shape)


def _check_networks(networks):
    for key in ("image_shape", "latent_dim", "num_attributes"):
        values = {
            name: getattr(network, key)
            for name, network in networks.items()
            if hasattr(network, key)
        }
        if len(set(values.values())) > 1:
            raise ValueError(f"Networks must agree on `{key}`. {values}.")
