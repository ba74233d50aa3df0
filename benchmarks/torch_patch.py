"""HP-VAE-GAN in PyTorch, as one would write it there.

The networks, objectives and optimizers of `vaegan_tf.patch` with the settings
that are its defaults, of a picture: the coarsest scales are a VAE.
"""

import time

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks import children, patch
from benchmarks.torch_features import penalty
from vaegan_tf.settings import HPVAEGANSettings


def convolution(inputs, outputs):
    """3×3, with zeros around the maps."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def stack(inputs, channels, layers, outputs):
    """Convolutions with instance normalisation, and one to the outputs."""
    modules = []
    for number in range(1 + layers):
        modules += [
            convolution(channels if number else inputs, channels),
            nn.InstanceNorm2d(channels, affine=True),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(*modules, convolution(channels, outputs))


def spectral_stack(inputs, channels, layers):
    """Convolutions with spectral normalisation."""
    modules = []
    for number in range(layers):
        first = convolution(channels if number else inputs, channels)
        modules += [spectral_norm(first), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*modules)


class Encoder(nn.Module):
    """Mean and log-variance of the code at each position."""

    def __init__(self, inputs, channels, latent):
        super().__init__()
        self.body = spectral_stack(inputs, channels, 3)
        self.mean = convolution(channels, latent)
        self.log_variance = convolution(channels, latent)

    def forward(self, image):
        """(batch, channels, height, width) to two maps of the same size."""
        x = self.body(image)
        return self.mean(x), self.log_variance(x)


class HPVAEGAN:
    """HP-VAE-GAN, the optimizers of its newest scale, and that scale.

    Args:
        shapes: Height and width of each scale.
        settings: `HPVAEGANSettings`.
        rate: Adam's learning rate.
    """

    def __init__(self, shapes, settings, rate=5e-4):
        channels, layers = settings.channels, settings.layers
        self.shapes, self.settings, self.rate = shapes, settings, rate
        self.encoder = Encoder(3, channels, settings.latent_channels)
        self.decoder = stack(settings.latent_channels, channels, layers, 3)
        self.blocks = [stack(3, channels, layers, 3) for _ in shapes[1:]]
        self.critic = nn.Sequential(
            spectral_stack(3, channels, 1 + layers), convolution(channels, 1)
        )
        self.amplitudes = [0.0] * len(shapes)
        self.begin(0)

    def begin(self, scale):
        """Begins a scale: a block like the one before, new optimizers."""
        if scale > 1:
            before = self.blocks[scale - 2].state_dict()
            self.blocks[scale - 1].load_state_dict(before)
        self.scale, self.is_new = scale, True
        fixed = (self.encoder, self.decoder, *self.blocks, self.critic)
        for network in fixed:
            network.eval()
        for network in self.networks().values():
            network.train()
        factor = self.settings.encoder_rate_factor**scale
        self.optimizers = {
            name: torch.optim.Adam(
                network.parameters(),
                lr=self.rate
                * (factor if name in ("encoder", "decoder") else 1),
                betas=(0.5, 0.999),
                eps=1e-7,
                foreach=True,
            )
            for name, network in self.networks().items()
        }

    def networks(self):
        """Those that step at the newest scale, by name."""
        newest = {"refiner": self.blocks[self.scale - 1]} if self.scale else {}
        if self.scale < self.settings.vae_scales:
            vae = {"encoder": self.encoder, "decoder": self.decoder}
            return {**vae, **newest}
        return {**newest, "critic": self.critic}

    def train_step(self, images):
        """Steps all networks of the newest scale from the same weights.

        Args:
            images: The example at each scale, (batch, 3, height, width).

        Returns:
            What `losses` does.
        """
        losses = self.losses(images, self._noise(len(images[0])))
        networks = self.networks()
        for name, gradients in self.gradients(losses).items():
            weights = list(networks[name].parameters())
            for weight, gradient in zip(weights, gradients):
                weight.grad = gradient
            nn.utils.clip_grad_norm_(weights, 5.0)
        for optimizer in self.optimizers.values():
            optimizer.step()
        return losses

    def losses(self, images, noise):
        """What networks minimise, by the names of those that share it.

        Args:
            images: As of `train_step`.
            noise: Of `posterior`, `prior` and `mixing`, and by scale.
        """
        if self.scale < self.settings.vae_scales:
            return {tuple(self.networks()): self._vae_loss(images, noise)}
        return self._gan_losses(images, noise)

    def gradients(self, losses):
        """Each network's gradients of its own loss, by its name."""
        networks, found = self.networks(), {}
        for names, loss in losses.items():
            weights = {n: list(networks[n].parameters()) for n in names}
            flat = iter(
                torch.autograd.grad(
                    loss,
                    [weight for own in weights.values() for weight in own],
                    retain_graph=names != list(losses)[-1],
                )
            )
            found |= {
                n: [next(flat) for _ in own] for n, own in weights.items()
            }
        return found

    def _vae_loss(self, images, noise):
        mean, log_variance = self.encoder(images[0])
        code = mean + torch.exp(0.5 * log_variance) * noise["posterior"]
        coarse = torch.tanh(self.decoder(code))
        drawn = self._refined(coarse, self.scale)
        divergence = (
            0.5 * (mean**2 + log_variance.exp() - log_variance - 1).mean()
        )
        error = functional.mse_loss(drawn, images[self.scale])
        error = error + functional.mse_loss(coarse, images[0])
        settings = self.settings
        return (
            settings.reconstruction_weight * error
            + settings.kl_weight * divergence
        )

    def _gan_losses(self, images, noise):
        real = images[self.scale]
        with torch.no_grad():
            mean, log_variance = self.encoder(images[0])
            own = mean + torch.exp(0.5 * log_variance) * noise["posterior"]
            maps = self.decoder(torch.cat([own, noise["prior"]]))
            maps = self._refined(torch.tanh(maps), self.scale - 1, noise)
            below = self._enlarged(maps, self.scale)
            if self.is_new:
                error = functional.mse_loss(below[: len(real)], real)
                noisy = self.settings.noise_weight * error.sqrt().item()
                self.amplitudes[self.scale] = noisy
                self.is_new = False
        both = self._block(below, self.scale, noise)
        reconstructed, fake = both.chunk(2)
        scores = self.critic(torch.cat([real, fake])).chunk(2)
        real_score, score_of_fake = (score.mean() for score in scores)
        settings = self.settings
        slope = penalty(self.critic, real, fake, noise["mixing"])
        error = functional.mse_loss(reconstructed, real)
        return {
            ("refiner",): settings.reconstruction_weight * error
            - score_of_fake,
            ("critic",): score_of_fake
            - real_score
            + settings.penalty_weight * slope,
        }

    def _refined(self, maps, last, noise=None):
        """Maps of the coarsest scale, enlarged and refined up to the last."""
        for scale in range(1, last + 1):
            maps = self._block(self._enlarged(maps, scale), scale, noise)
        return maps

    def _block(self, below, scale, noise):
        """With noise at GAN scales, in the second half of the batch."""
        noisy = below
        if noise is not None and scale >= self.settings.vae_scales:
            drawn = self.amplitudes[scale] * noise[scale]
            noisy = below + torch.cat([torch.zeros_like(drawn), drawn])
        return torch.tanh(below + self.blocks[scale - 1](noisy))

    def _enlarged(self, maps, scale):
        return functional.interpolate(
            maps, self.shapes[scale], mode="bilinear", align_corners=True
        )

    def _noise(self, count):
        """What one step draws."""
        code = (count, self.settings.latent_channels, *self.shapes[0])
        drawn = {name: torch.randn(code) for name in ("posterior", "prior")}
        for scale in range(self.settings.vae_scales, self.scale + 1):
            drawn[scale] = torch.randn(count, 3, *self.shapes[scale])
        return {**drawn, "mixing": torch.rand(count, 1, 1, 1)}


def train(shapes, warm_up=2, timed=2, **choices):
    """Times steps at each scale, the coarsest first.

    Args:
        shapes: Height and width of each scale.
        warm_up: Steps of each scale before those that count.
        timed: Steps of each scale that count.
        **choices: Settings that differ from their defaults.

    Returns:
        What `patch.train` does.
    """
    torch.manual_seed(0)
    settings = HPVAEGANSettings(**choices)
    shapes = [tuple(shape) for shape in shapes]
    model = HPVAEGAN(shapes, settings)
    images = [2 * torch.rand(1, 3, *shape) - 1 for shape in shapes]
    seconds, peaks = [], [children.peak_bytes()]
    for scale in range(len(shapes)):
        model.begin(scale)
        for _ in range(warm_up + timed):
            start = time.perf_counter()
            losses = model.train_step(images)
            for loss in losses.values():
                loss.item()
            seconds.append(time.perf_counter() - start)
            peaks.append(children.peak_bytes())
    return patch.by_scale(seconds, peaks, shapes, settings.vae_scales, warm_up)
