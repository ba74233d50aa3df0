"""f-VAEGAN-D2 and its classifier in PyTorch, as one would write them there.

The networks, objectives and optimizers of `vaegan_tf.anyshot` with the settings
that are its defaults: sigmoid features, five steps of the critics.
"""

import itertools
import time

import torch
from torch import nn
from torch.nn import functional

from benchmarks import anyshot


class Perceptron(nn.Module):
    """One hidden layer, and a linear layer for each output."""

    def __init__(self, inputs, units, outputs, rectifier):
        super().__init__()
        self.hidden = nn.Linear(inputs, units)
        self.rectifier = rectifier
        self.outputs = nn.ModuleList(nn.Linear(units, n) for n in outputs)

    def forward(self, *inputs):
        """Inputs of a row beside each other, to one tensor per output."""
        x = self.rectifier(self.hidden(torch.cat(inputs, 1)))
        found = [output(x) for output in self.outputs]
        return found[0] if len(found) == 1 else found


class FVAEGAND2:
    """f-VAEGAN-D2, its four optimizers and the decoder's running average."""

    def __init__(self, features, attributes, units, weights, critic_steps=5):
        relu, leaky = nn.ReLU(), nn.LeakyReLU(0.2)
        both, latent = features + attributes, attributes
        self.latent_dim = latent
        self.weights = weights
        self.critic_steps = critic_steps
        self.networks = {
            "encoder": Perceptron(both, units, [latent, latent], relu),
            "decoder": Perceptron(2 * latent, units, [features], relu),
            "critic": Perceptron(both, units, [1], leaky),
            "novel_critic": Perceptron(features, units, [1], leaky),
        }
        self.optimizers = {
            name: torch.optim.Adam(
                network.parameters(),
                lr=1e-4,
                betas=(0.5, 0.999),
                eps=1e-7,
                foreach=True,
            )
            for name, network in self.networks.items()
        }
        self.average = [w.detach().clone() for w in self._decoder_weights()]
        self.steps = 0

    def train_step(self, batches):
        """All but the last batch are the critics'; the last is everybody's.

        Args:
            batches: Of each round features, attributes, novel features and
                attributes of novel classes, float32.

        Returns:
            What each network minimised at last, by its name.
        """
        *early, last = batches
        critics = ("critic", "novel_critic")
        for batch in early:
            self._step(self._critics_losses(batch, self._noise(batch)), critics)
        losses = self.losses(last, self._noise(last))
        self._step(losses, tuple(self.networks))
        self.steps += 1
        momentum = min(0.99, self.steps / (9 + self.steps))
        torch._foreach_lerp_(
            self.average, self._decoder_weights(), 1 - momentum
        )
        return losses

    def losses(self, batch, noise):
        """What each network minimises, by its name.

        Args:
            batch: As of `train_step`.
            noise: Of the posterior and of both games' codes, and of the two
                games' mixing.
        """
        encoder, decoder, critic, _ = self.networks.values()
        feature, attributes, _, _ = batch
        # In the order in which Keras keeps their weights.
        log_variance, mean = encoder(feature, attributes)
        code = mean + torch.exp(0.5 * log_variance) * noise["posterior"]
        logits = decoder(code, attributes)
        divergence = 0.5 * (
            mean**2 + log_variance.exp() - log_variance - 1
        ).sum(1)
        error = functional.binary_cross_entropy_with_logits(
            logits, feature, reduction="none"
        ).sum(1)
        remade = critic(torch.sigmoid(logits), attributes).mean()
        games, losses = self._games(batch, noise)
        gamma, novel_gamma = self.weights["gamma"], self.weights["novel_gamma"]
        error = error.mean() - gamma * remade
        return {
            "encoder": divergence.mean() + error,
            "decoder": error - gamma * games[0] - novel_gamma * games[1],
            **losses,
        }

    def gradients(self, losses, names):
        """Each network's gradients of its own loss, by its name."""
        return {
            name: torch.autograd.grad(
                losses[name],
                list(self.networks[name].parameters()),
                retain_graph=name != names[-1],
            )
            for name in names
        }

    def _critics_losses(self, batch, noise):
        return self._games(batch, noise, fixed_decoder=True)[1]

    def _games(self, batch, noise, fixed_decoder=False):
        """Both critics' scores of generated features, and their losses."""
        feature, attributes, novel, classes = batch
        _, decoder, critic, novel_critic = self.networks.values()
        games = (
            (lambda x: critic(x, attributes), feature, attributes, "prior"),
            (novel_critic, novel, classes, "novel"),
        )
        scores, losses = [], {}
        for name, (score, real, own, draw) in zip(
            ("critic", "novel_critic"), games
        ):
            with torch.set_grad_enabled(not fixed_decoder):
                fake = torch.sigmoid(decoder(noise[draw], own))
            scores.append(score(fake).mean())
            slope = penalty(score, real, fake, noise[f"{draw}_mixing"])
            losses[name] = scores[-1] - score(real).mean() + 10 * slope
        return scores, losses

    def _step(self, losses, names):
        for name, gradients in self.gradients(losses, names).items():
            for weight, gradient in zip(
                self.networks[name].parameters(), gradients
            ):
                weight.grad = gradient
        for name in names:
            self.optimizers[name].step()

    def _noise(self, batch):
        count = len(batch[0])
        codes = {
            name: torch.randn(count, self.latent_dim)
            for name in ("posterior", "prior", "novel")
        }
        mixing = {
            f"{name}_mixing": torch.rand(count, 1)
            for name in ("prior", "novel")
        }
        return codes | mixing

    def _decoder_weights(self):
        return [w.detach() for w in self.networks["decoder"].parameters()]


def penalty(score, real, fake, mixing):
    """Mean squared deviation of the score's slope from 1."""
    between = (mixing * real + (1 - mixing) * fake).detach()
    between.requires_grad_()
    (slope,) = torch.autograd.grad(
        score(between).sum(), between, create_graph=True
    )
    return (slope.norm(dim=1) - 1).square().mean()


def train(warm_up=1, timed=2, **sizes):
    """Times steps of f-VAEGAN-D2; `sizes` are those of `anyshot.batches`.

    Returns:
        `seconds` of each step that counts, and `first_step_seconds`.
    """
    torch.manual_seed(0)
    sizes = {**anyshot.SIZES, **sizes}
    weights = {"gamma": 10.0, "novel_gamma": 10.0}
    model = FVAEGAND2(
        sizes["num_features"],
        sizes["num_attributes"],
        sizes["hidden_units"],
        weights,
    )
    rounds = [
        tuple(map(torch.from_numpy, batch.values()))
        for batch in anyshot.batches(model.critic_steps, **sizes)
    ]
    seconds = []
    for _ in range(warm_up + timed):
        start = time.perf_counter()
        model.train_step(rounds)["critic"].item()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[warm_up:], "first_step_seconds": seconds[0]}


def classify(epochs=3, **sizes):
    """Times epochs of the linear classifier; the first is not counted.

    Returns:
        `seconds` of each epoch that counts.
    """
    features, labels = anyshot.examples(**sizes)
    features, labels = torch.from_numpy(features), torch.from_numpy(labels)
    classifier = nn.Linear(features.shape[1], anyshot.CLASSES)
    optimizer = torch.optim.Adam(
        classifier.parameters(), lr=1e-3, betas=(0.5, 0.999), foreach=True
    )
    ticks = []
    for _ in range(epochs + 1):
        for rows in torch.randperm(len(labels)).split(anyshot.CLASSIFIER_BATCH):
            optimizer.zero_grad()
            loss = functional.cross_entropy(
                classifier(features[rows]), labels[rows]
            )
            loss = loss + 0.03 * classifier.weight.square().sum()
            loss.backward()
            optimizer.step()
        ticks.append(time.perf_counter())
    return {"seconds": [b - a for a, b in itertools.pairwise(ticks)]}
