"""The chain rule across networks: a tape for each, and no pass made twice.

Networks follow one another: the encoder's codes go into the decoder, whose
images go into the discriminator. Each network's tape ends where its outputs
are handed over, and there the next one's begins. Going back, every network is
passed through for its own objective and for those of the networks before it.

Objectives are weighted sums of the same terms. Where one is a combination of
others, so are the gradients, and it needs no pass of its own: a VAE's two
networks share one through the decoder, and in the minimax game the decoder's
L_GAN is the discriminator's with the other sign.
"""

import contextlib
import contextvars
import dataclasses

import numpy as np
import tensorflow as tf

_recording = contextvars.ContextVar("recording", default=None)


def hand_over(producer, tensors):
    """Hands a network's outputs over to the next network.

    While a `Chain` records, the network's tape ends here and that of the next
    trained network begins; otherwise nothing happens.

    Args:
        producer: Name of the network.
        tensors: Its outputs, a list.

    Returns:
        The same values, a list, to go on with.
    """
    chain = _recording.get()
    return tensors if chain is None else chain.cut(producer, tensors)


@dataclasses.dataclass
class Signal:
    """What a pass back through a network brings to the one before it.

    Attributes:
        gradients: Of the pass's objective by what was handed over, a list;
            `None` where it does not matter.
        scale: What they are multiplied by.
    """

    gradients: list
    scale: object


class Chain:
    """A gradient tape for each of several networks in a row.

    Args:
        networks: The trained networks by name, in the order in which they
            hand over their outputs.
    """

    def __init__(self, networks):
        self.names = list(networks)
        self.weights = {
            name: [weight.value for weight in network.trainable_weights]
            for name, network in networks.items()
        }
        self.inputs = {name: [] for name in networks}
        self.outputs = {name: [] for name in networks}
        self.tapes = {
            name: tf.GradientTape(
                persistent=True, watch_accessed_variables=False
            )
            for name in networks
        }

    @contextlib.contextmanager
    def recording(self):
        """Records what is computed, each network on its own tape."""
        with contextlib.ExitStack() as stack:
            for name, tape in self.tapes.items():
                stack.enter_context(tape)
                tape.watch(self.weights[name])
            stack.callback(_recording.reset, _recording.set(self))
            yield

    def cut(self, producer, tensors):
        """Ends a network's tape at its outputs, and begins the next one's."""
        if producer not in self.names[:-1]:
            return tensors
        receiver = self.names[self.names.index(producer) + 1]
        copies = [tf.stop_gradient(tensor) for tensor in tensors]
        self.tapes[receiver].watch(copies)
        self.outputs[producer] += tensors
        self.inputs[receiver] += copies
        return copies

    def gradients(self, terms, objectives, penalties, scales):
        """Gradients of each network's objective by its own weights.

        Args:
            terms: For each network, the scalars computed from its outputs, by
                name.
            objectives: For each network, the weights of the terms in what it
                minimises, numbers by the term's name.
            penalties: For each network, a list of scalars of its weights.
            scales: For each network, what its gradients are multiplied by.

        Returns:
            For each network, a list of gradients.
        """
        gradients = {}
        signals = []  # From the network behind.
        shares = {name: [] for name in self.names}  # Of objectives in them.
        for stage, name in reversed(list(enumerate(self.names))):
            rows = {
                objective: [
                    *[objectives[objective][key] for key in terms[name]],
                    *shares[objective],
                ]
                for objective in [name, *self.names[:stage]]
            }
            passes, shares = independent_rows(rows)
            found = [
                self._pass_back(
                    name,
                    [
                        *zip(terms[name].values(), rows[objective]),
                        *[(loss, 1.0) for loss in penalties[name]],
                    ],
                    zip(signals, rows[objective][len(terms[name]) :]),
                    scales[objective],
                )
                for objective in passes
            ]
            gradients[name] = found[0][0]
            signals = [signal for _, signal in found]
        return gradients

    def _pass_back(self, name, terms, signals, scale):
        """Goes back through a network with one objective.

        Args:
            name: The network.
            terms: `(scalar, weight)` pairs.
            signals: `(Signal, weight)` pairs.
            scale: What gradients are multiplied by.

        Returns:
            Gradients by the network's weights, and its `Signal`.
        """
        seeded = [(term, weight * scale) for term, weight in terms if weight]
        for signal, weight in signals:
            if weight:
                factor = weight * (scale / signal.scale)
                seeded += [
                    (output, factor * gradient)
                    for output, gradient in zip(
                        self.outputs[name], signal.gradients
                    )
                    if gradient is not None
                ]
        if not seeded:
            raise ValueError(
                f"Nothing reaches the {name} that it could minimise. A network "
                "before others must `hand_over` its outputs to them."
            )
        targets, seeds = zip(*seeded)
        weights, inputs = self.tapes[name].gradient(
            targets, (self.weights[name], self.inputs[name]), seeds
        )
        return weights, Signal(inputs, scale)


def independent_rows(rows):
    """Writes rows as combinations of as few of them as possible.

    Args:
        rows: Lists of numbers by name, the first of which is kept.

    Returns:
        `(kept, shares)`: the names of rows that are no combination of earlier
        ones; and for every row its weights in these, a list by name.
    """
    kept = []
    shares = {}
    for name, row in rows.items():
        basis = np.array([rows[key] for key in kept], dtype=np.float64)
        weights = _combination(basis, np.array(row, dtype=np.float64))
        if weights is None:
            kept.append(name)
            weights = [0.0] * (len(kept) - 1) + [1.0]
        shares[name] = weights
    padded = {
        name: [*weights, *[0.0] * (len(kept) - len(weights))]
        for name, weights in shares.items()
    }
    return kept, padded


def _combination(basis, row):
    """Weights of the basis's rows in a row, or `None` if there are none."""
    if not len(basis):
        return None
    weights = np.linalg.lstsq(basis.T, row, rcond=None)[0]
    weights[np.abs(weights) < 1e-12] = 0.0
    if np.abs(weights @ basis - row).max(initial=0.0) > 1e-9 * np.abs(row).max(
        initial=0.0
    ):
        return None
    return weights.tolist()
