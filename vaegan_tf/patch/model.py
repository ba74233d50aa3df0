"""Who minimises what at which scale? The model that grows."""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from vaegan_tf import losses, noise, replicas
from vaegan_tf.models.base import Example, Terms
from vaegan_tf.models.registry import register
from vaegan_tf.noise import Purpose
from vaegan_tf.patch.drawing import PatchHierarchy
from vaegan_tf.patch.pyramid import cropped, enlarged
from vaegan_tf.patch.stages import forecast
from vaegan_tf.settings import HPVAEGANSettings

CLIP_NORM = 5.0  # of gradients


@register("hp_vae_gan")
class HPVAEGAN(PatchHierarchy):
    """A Hierarchical Patch VAE-GAN: new pictures or clips from a single one.

    Examples are `{"image": (batch, *shape, channels)}` in [−1, 1], all rows
    the same picture, (height, width), or clip, (frames, height, width).

    At the coarsest scales a patch VAE learns the example; at each further one
    a block refines what the scale below has drawn, against a patch critic.
    One scale is trained at a time. What is below the newest block is fixed
    from the first GAN scale on, and nothing flows back into the VAE.

    Where the paper's authors' code differs from the paper, or from image to
    clip, this is followed:

    * Reconstructions decode z ~ q(z|x) in training and the mean of q after it.
      (In evaluation their `reparameterize` returns plain noise, so that what
      is called a reconstruction there is a sample.)
    * The divergence is a mean over all numbers of the code, as theirs.
    * Noise is added at GAN scales only, as their code for clips does. Its
      amplitude is that of SinGAN, from the error of the enlarged
      reconstruction as a scale begins; theirs is measured behind the new block
      and divided by the batch size.
    * The slope in the gradient penalty is that of each position.
    * Decoder and blocks normalise each example and each sample by its own
      statistics, in training and when they draw. Theirs are batch-normalised
      and never leave training, which comes to this for one sample at a time.
      Running averages are those of reconstructions, and no sample is like one:
      with them, samples show hardly anything but the background.
    * Critic and block step from the same weights, once each. One critic serves
      all scales: each would begin as a copy of the last.
    * Optimizers begin anew at every scale.

    With `vae_scales=0` there is no encoder: a fixed code of noise stands for
    the example, which is SinGAN's game on these networks. With as many as
    there are scales, there is no critic: a patch VAE.

    Args:
        networks: `encoder`, `decoder`, `refiner` and `critic`.
        settings: The settings.
        **kwargs: `shape`, `seed` and `name` of `PatchHierarchy`.

    Reference:
        Gur, Benaim & Wolf (2020), "Hierarchical Patch VAE-GAN: generating
        diverse videos from a single sample"; Shaham et al. (2019), "SinGAN".
    """

    title = "Hierarchical Patch VAE-GAN"
    term_names = (
        "kl",
        "coarse_error",
        "error",
        "real",
        "generated",
        "penalty",
    )
    best_by = ""  # There are no examples that were held out.

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        settings: HPVAEGANSettings | None = None,
        **kwargs: Any,
    ):
        super().__init__(networks, settings, **kwargs)
        self.scale: int | None = None  # That which is being trained.
        self._rates: dict[str, float] = {}
        self.last_step = self.stages.last_step

    def prepare_step(self, step: int) -> int:
        """Begins the scale of a step if it is not the newest; its number."""
        scale = self.stages.scale_at(step)
        if scale != self.newest_scale:
            self.refiner.grow(scale)
            for name, optimizer in self.optimizers.items():
                _restart(optimizer, self._rate(name, scale))
        self.scale = scale
        return scale

    def forecast(self, batch_size: int) -> list[str]:
        """Sizes of the scales, and memory and time; see `stages.forecast`."""
        return forecast(self.pyramid, self.stages, self.settings, batch_size)

    def stepping_networks(self) -> tuple[str, ...]:
        """The networks that step at the scale that is being trained."""
        scale = self._active_scale
        newest = ("refiner",) if scale else ()
        if self.stages.is_vae(scale):
            return ("encoder", "decoder", *newest)
        return (*(newest or ("decoder",)), "critic")

    def weights_that_step(self, name: str) -> list[keras.Variable]:
        """All of a network, and of the refiner the newest block's."""
        if name != "refiner":
            return super().weights_that_step(name)
        return self.refiner.block(self._active_scale).trainable_weights

    def terms(self, example: Example, training: bool) -> Terms:
        """Errors, divergence, and the critic's scores and penalty.

        Errors are mean squared differences of pixels at the newest scale and,
        `coarse_error`, at the coarsest; the divergence is in nats for each
        number of the code. All are (batch,).
        """
        image, scale = example["image"], self._active_scale
        if self.stages.is_vae(scale):
            return self._vae_terms(image, scale, training)
        return self._gan_terms(image, scale, training)

    def objectives(self, terms: Terms) -> Terms:
        """What each network minimises.

        VAE: λ (error + error at the coarsest scale) + β kl
        block: λ error − D(fake)
        critic: D(fake) − D(real) + λ' penalty

        Reference:
            Gur et al. (2020); λ = 10 and λ' = 0.1 as in their code.
        """
        settings = self.settings
        error = settings.reconstruction_weight * terms["error"]
        if "kl" in terms:
            coarse = settings.reconstruction_weight * terms["coarse_error"]
            vae = error + coarse + settings.kl_weight * terms["kl"]
            return dict.fromkeys(self.stepping_networks(), vae)
        newest, critic = self.stepping_networks()
        return {
            newest: error - terms["generated"],
            critic: terms["generated"]
            - terms["real"]
            + settings.penalty_weight * terms["penalty"],
        }

    def compile(self, optimizer: Any = "rmsprop", **kwargs: Any) -> None:
        """As the base class; remembers rates, which change with the scale."""
        super().compile(optimizer, **kwargs)
        self._rates = {
            name: float(optimizer.learning_rate.numpy())
            for name, optimizer in self.optimizers.items()
        }

    @property
    def _active_scale(self) -> int:
        return self.newest_scale if self.scale is None else self.scale

    def _rate(self, name, scale):
        """The learning rate of a network while a scale is trained."""
        rate = self._rates[name]
        if name in ("encoder", "decoder") and self.stages.is_vae(scale):
            rate *= self.settings.encoder_rate_factor**scale
        return rate

    def _gradient(self, tape, loss, name):
        """Bounded, on each replica, as in the authors' code."""
        gradients = super()._gradient(tape, loss, name)
        return tf.clip_by_global_norm(gradients, CLIP_NORM)[0]

    def _vae_terms(self, image, scale, training):
        posterior = self._posterior(image, training)
        code = self._code_of(posterior, training)
        coarse = self.decoder(code)
        shapes = self.pyramid.shapes
        drawn = self._refined(coarse, 1, scale, shapes)
        size = tf.cast(tf.size(posterior["mean"][0]), tf.float32)
        flat = {key: _flat(value) for key, value in posterior.items()}
        return {
            "kl": losses.gaussian_kl(**flat) / size,
            "coarse_error": self._error(coarse, image, 0),
            "error": self._error(drawn, image, scale),
        }

    def _gan_terms(self, image, scale, training):
        def score(maps):
            return self.critic(maps, training=training)

        real = self.pyramid.at(image, scale)
        reconstructed, generated = self._pair(image, scale, training)
        scores = score(tf.concat([real, generated], axis=0))
        real_score, score_of_fake = tf.split(_mean(scores), 2)
        fixed = tf.stop_gradient(generated)
        real, fixed = self._crops(real, fixed, scale, training)
        seed, step = self.noise_of(training)
        ones = [1] * (len(self.shape) + 1)
        mixing = noise.uniform(
            [tf.shape(image)[0], *ones], seed, step, Purpose.INTERPOLATION
        )
        penalty = losses.gradient_penalty(score, real, fixed, mixing)
        return {
            "error": self._error(reconstructed, image, scale),
            "real": real_score,
            "generated": score_of_fake,
            "penalty": _mean(penalty),
        }

    def _crops(self, real, generated, scale, training):
        """What the penalty is computed on: both at one place, or whole."""
        shape = self.pyramid.shapes[scale]
        size = cropped(shape, self.settings.penalty_crop)
        if size == shape:
            return real, generated
        both = tf.concat([real, generated], axis=-1)
        seed = noise.fold(*self.noise_of(training), Purpose.CROP)
        sizes = [tf.shape(both)[0], *size, both.shape[-1]]
        crops = tf.image.stateless_random_crop(both, sizes, seed)
        return tf.split(crops, 2, axis=-1)

    def _pair(self, image, scale, training):
        """A reconstruction and a fake at a GAN scale, in one pass."""
        count, shapes = tf.shape(image)[0], self.pyramid.shapes
        seed, step = self.noise_of(training)
        seed = noise.fold(seed, step)

        def draws(maps, scale):
            drawn = self._noise(maps[count:], scale, seed)
            return tf.concat([tf.zeros_like(drawn), drawn], axis=0)

        prior = self._prior(count, shapes, seed)
        codes = tf.concat([self._own_code(image, training), prior], axis=0)
        maps = self.decoder(codes)
        if not scale:
            return tf.split(maps, 2)
        maps = self._refined(maps, 1, scale - 1, shapes, draws)
        # Here gradients end: they do not flow from GAN scales into the VAE.
        below = enlarged(tf.stop_gradient(maps), shapes[scale])
        if training:
            self._measure_noise(below[:count], image, scale)
        both = self.refiner.refine(below, scale, draws(below, scale))
        return tf.split(both, 2)

    def _measure_noise(self, below, image, scale):
        """At the first step of a scale: the error that it has to mend."""
        share = replicas.share(tf.shape(image)[0])
        error = tf.reduce_mean(self._error(below, image, scale))
        error = replicas.mean([error], share)[0]
        amplitudes = self.refiner.amplitudes
        begins = tf.equal(self.step % self.stages.steps, 0)
        is_new = tf.one_hot(scale, len(self.pyramid)) * tf.cast(
            begins, "float32"
        )
        measured = self.settings.noise_weight * tf.sqrt(error)
        amplitudes.assign(amplitudes * (1 - is_new) + measured * is_new)

    def _error(self, drawn, image, scale):
        """Mean squared error of pixels at a scale, (batch,)."""
        return _mean(tf.square(drawn - self.pyramid.at(image, scale)))


def _restart(optimizer: keras.optimizers.Optimizer, rate: float) -> None:
    """Makes an optimizer as new, with another rate."""
    for variable in optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    optimizer.learning_rate = rate


def _flat(maps: tf.Tensor) -> tf.Tensor:
    """(batch, numbers)."""
    return tf.reshape(maps, [tf.shape(maps)[0], -1])


def _mean(maps: tf.Tensor) -> tf.Tensor:
    """The mean of each example's numbers, (batch,)."""
    return tf.reduce_mean(_flat(maps), axis=1)
