"""The same networks, objectives and optimizers in PyTorch.

What `benchmarks.recipe` is at 64×64, as one would write it for PyTorch:
modules in channels-first layout, symmetric padding (TensorFlow's "same" is its
mirror image), one forward pass, a gradient for each network.
"""

import time

import torch
from torch import nn
from torch.nn import functional

from benchmarks import recipe


class Encoder(nn.Module):
    """Posterior mean, centred on the prior, and log-variance."""

    def __init__(self, width=1.0, latent_dim=128):
        super().__init__()
        a, b, c = (round(filters * width) for filters in (64, 128, 256))
        units = round(2048 * width)
        self.body = nn.Sequential(
            *down(3, a),
            *down(a, b),
            *down(b, c),
            nn.Flatten(),
            nn.Linear(8 * 8 * c, units, bias=False),
            norm(nn.BatchNorm1d, units),
            nn.ReLU(inplace=True),
        )
        self.mean = nn.Linear(units, latent_dim)
        self.log_variance = nn.Linear(units, latent_dim)
        self.center = norm(nn.BatchNorm1d, latent_dim)
        self.center.register_parameter("bias", None)

    def forward(self, image):
        """Images (batch, 3, 64, 64) to two (batch, latent), in float32."""
        x = self.body(image)
        with torch.autocast("cpu", enabled=False):
            x = x.to(self.mean.weight.dtype)
            return self.center(self.mean(x)), self.log_variance(x)


class Decoder(nn.Module):
    """Images in [−1, 1]."""

    def __init__(self, width=1.0, latent_dim=128):
        super().__init__()
        first = round(256 * width)
        a, b, c = (round(filters * width) for filters in (256, 128, 32))
        units = 8 * 8 * first
        self.dense = nn.Sequential(
            nn.Linear(latent_dim, units, bias=False),
            norm(nn.BatchNorm1d, units),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (first, 8, 8)),
        )
        self.maps = nn.Sequential(
            *up(first, a),
            *up(a, b),
            *up(b, c),
            nn.Conv2d(c, 3, 5, padding=2),
        )

    def forward(self, latent):
        """Codes (batch, latent) to images (batch, 3, 64, 64), in float32."""
        x = self.maps(self.dense(latent))
        return torch.tanh(x.to(self.maps[-1].weight.dtype))


class Discriminator(nn.Module):
    """Logit, and the features of the third strided convolution."""

    def __init__(self, width=1.0):
        super().__init__()
        a, b, c = (round(filters * width) for filters in (32, 128, 256))
        units = round(512 * width)
        self.before = nn.Sequential(
            nn.Conv2d(3, a, 5, padding=2),
            nn.ReLU(inplace=True),
            *down(a, b),
            *down(b, c),
            down(c, c)[0],
        )
        self.after = nn.Sequential(
            *down(c, c)[1:],
            nn.Flatten(),
            nn.Linear(8 * 8 * c, units, bias=False),
            norm(nn.BatchNorm1d, units),
            nn.ReLU(inplace=True),
        )
        self.logit = nn.Linear(units, 1)

    def forward(self, image):
        """Images to (batch, 1) and (batch, channels, 8, 8), in float32."""
        features = self.before(image)
        x = self.after(features)
        dtype = self.logit.weight.dtype
        with torch.autocast("cpu", enabled=False):
            return self.logit(x.to(dtype)), features.to(dtype)


def down(channels, filters):
    """A convolution that halves the map, batch normalisation, ReLU."""
    return (
        nn.Conv2d(channels, filters, 5, stride=2, padding=2, bias=False),
        norm(nn.BatchNorm2d, filters),
        nn.ReLU(inplace=True),
    )


def up(channels, filters):
    """A convolution that doubles the map, batch normalisation, ReLU."""
    return (
        nn.ConvTranspose2d(
            channels,
            filters,
            5,
            stride=2,
            padding=2,
            output_padding=1,
            bias=False,
        ),
        norm(nn.BatchNorm2d, filters),
        nn.ReLU(inplace=True),
    )


def norm(kind, channels):
    """Batch normalisation with the constants of the authors' code."""
    return kind(channels, eps=1e-6, momentum=0.1)


class VAEGAN:
    """VAE/GAN, its three optimizers and the decoder's running average.

    Args:
        gamma: Weight of the feature error in the decoder.
        kl_weight: Weight of the divergence in the encoder.
        width: Multiplies the channels and units of every layer.
        channels_last: Whether maps lie with their channels together.
        bfloat16: Whether networks compute in bfloat16, by autocast.
        compiled: Whether `torch.compile` compiles the networks.
    """

    def __init__(
        self,
        gamma,
        kl_weight,
        width=1.0,
        channels_last=False,
        bfloat16=False,
        compiled=False,
    ):
        self.gamma = gamma
        self.kl_weight = kl_weight
        self.bfloat16 = bfloat16
        self.layout = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        self.networks = {
            "encoder": Encoder(width),
            "decoder": Decoder(width),
            "discriminator": Discriminator(width),
        }
        for network in self.networks.values():
            network.to(memory_format=self.layout)
        self.optimizers = {
            name: torch.optim.RMSprop(
                network.parameters(), lr=3e-4, alpha=0.9, eps=1e-8, foreach=True
            )
            for name, network in self.networks.items()
        }
        self.steps = 0
        self.average = [w.detach().clone() for w in self._averaged()]
        if compiled:
            # Or a graph may not be differentiated twice.
            torch._functorch.config.donated_buffer = False
            for network in self.networks.values():
                network.compile()

    def train_step(self, images):
        """One step of all networks from the same weights.

        Args:
            images: float32 (batch, 3, 64, 64).

        Returns:
            What each network minimised, by its name.
        """
        images = images.contiguous(memory_format=self.layout)
        latent_dim = self.networks["encoder"].mean.out_features
        noise, prior = torch.randn(2, len(images), latent_dim)
        losses, gradients = self.gradients(images, noise, prior)
        for name, network in self.networks.items():
            for weight, gradient in zip(network.parameters(), gradients[name]):
                weight.grad = gradient
            self.optimizers[name].step()
        self.steps += 1
        momentum = min(0.999, self.steps / (9 + self.steps))
        torch._foreach_lerp_(self.average, self._averaged(), 1 - momentum)
        return losses

    def gradients(self, images, noise, prior):
        """Losses, and each network's gradients of its own, by name."""
        losses = self.losses(images, noise, prior)
        last = next(reversed(self.networks))
        gradients = {
            name: torch.autograd.grad(
                losses[name],
                list(network.parameters()),
                retain_graph=name != last,
            )
            for name, network in self.networks.items()
        }
        return losses, gradients

    def losses(self, images, noise, prior):
        """What each network minimises, by its name."""
        encoder, decoder, discriminator = self.networks.values()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            mean, log_variance = encoder(images)
            latent = mean + torch.exp(0.5 * log_variance) * noise
            reconstructed, generated = decoder(latent), decoder(prior)
            real, target = discriminator(images)
            remade, features = discriminator(reconstructed)
            made, _ = discriminator(generated)
        divergence = 0.5 * (
            mean**2 + log_variance.exp() - log_variance - 1
        ).sum(1)
        error = feature_error(target, features)
        softplus = functional.softplus
        telling = (softplus(-real) + softplus(remade) + softplus(made)).mean()
        return {
            "encoder": self.kl_weight * divergence.mean() + error,
            "decoder": self.gamma * error - telling,
            "discriminator": telling,
        }

    def _averaged(self):
        decoder = self.networks["decoder"]
        statistics = [b for b in decoder.buffers() if b.is_floating_point()]
        return [*(w.detach() for w in decoder.parameters()), *statistics]


def feature_error(target, features):
    """Squared error in units of the real features' spread, in nats."""
    spread = target.detach().var((0, 2, 3), correction=0, keepdim=True)
    error = (target - features) * torch.rsqrt(spread + 1e-6)
    return 0.5 * error.square().sum((1, 2, 3)).mean()


def train(width=1.0, batch_size=64, warm_up=1, timed=2, **form):
    """Trains on images in memory.

    Args:
        width: Multiplies the channels and units of every layer.
        batch_size: Images in a step.
        warm_up: Steps before those that count.
        timed: Steps that count.
        **form: `channels_last`, `bfloat16` and `compiled` of `VAEGAN`.

    Returns:
        `seconds` of each step that counts, `first_step_seconds`, `version` of
        PyTorch, and `threads` it computes with.
    """
    torch.manual_seed(0)
    model = VAEGAN(**recipe.LOSS_WEIGHTS, width=width, **form)
    images = torch.from_numpy(recipe.images(batch_size))
    images = images.permute(0, 3, 1, 2)
    seconds = []
    for _ in range(warm_up + timed):
        start = time.perf_counter()
        losses = model.train_step(images)
        losses["discriminator"].item()
        seconds.append(time.perf_counter() - start)
    return {
        "seconds": seconds[warm_up:],
        "first_step_seconds": seconds[0],
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
    }
