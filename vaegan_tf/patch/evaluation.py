"""All scores of samples that were drawn after one example."""

from collections.abc import Sequence

import numpy as np

from vaegan_tf.evaluation.distances import mean_and_error
from vaegan_tf.evaluation.inception import Inception
from vaegan_tf.evaluation.scores import Evaluation, Score
from vaegan_tf.images import to_uint8
from vaegan_tf.patch import scores
from vaegan_tf.patch.model import HPVAEGAN
from vaegan_tf.settings import PatchScoreSettings

GROUP = "drawings"


def draw_levels(model: HPVAEGAN, count: int, seed: int = 0) -> np.ndarray:
    """Samples at the newest scale, uint8 (count, *sizes, channels)."""
    seeds = [np.array([seed, number], np.int32) for number in range(count)]
    drawn = [model.draw(1, each).numpy()[0] for each in seeds]
    return to_uint8(np.stack(drawn))


def evaluate_samples(
    samples: np.ndarray,
    example: np.ndarray,
    settings: PatchScoreSettings | None = None,
    inception: Inception | None = None,
) -> Evaluation:
    """Scores of samples beside the example, whoever has drawn them.

    Beside each score stands that of two crops of the example: of a perfect
    copy which has only moved.

    Args:
        samples: uint8 (n, *sizes, channels), of pictures or clips.
        example: uint8 (*sizes, channels).
        settings: Which patches.
        inception: For the single-image Fréchet distance.
    """
    settings = settings or PatchScoreSettings()
    size = [settings.patch_size] * 2
    if example.ndim == 4:
        size = [settings.patch_frames, *size]
    features = f"pixels of patches, {'×'.join(map(str, size))}"
    floor, *each = [
        _numbers(sample, own, size, inception)
        for own, sample in [
            scores.moved_copies(example),
            *((example, sample) for sample in samples),
        ]
    ]
    found = []
    for name in floor:
        value, error = mean_and_error([numbers[name] for numbers in each])
        how = {"features": _features_of(name, features, inception)}
        found.append(
            Score(GROUP, name, value, len(samples), error, floor[name], **how)
        )
    value = scores.diversity(samples, example)
    found.append(Score(GROUP, "pixel_diversity", value, len(samples)))
    skipped = []
    if inception is None:
        skipped.append(
            {
                "what": "the single-image Fréchet distance",
                "why": "it needs the weights of Inception, `inception_weights`",
            }
        )
    return Evaluation(found, skipped=skipped)


def _features_of(name, patches, inception):
    if name == "single_frechet_distance":
        return f"inception {inception.digest}, Conv2d_2b, 64 channels"
    return patches


def _numbers(
    sample: np.ndarray,
    example: np.ndarray,
    size: Sequence[int],
    inception: Inception | None,
) -> dict[str, float]:
    """The scores of one sample, by name."""
    neighbours = scores.nearest_patches(sample, example, size)
    clouds = [scores.patches(x, size) / 127.5 for x in (example, sample)]
    numbers = {
        "patch_frechet_distance": scores.cloud_distance(*clouds),
        "nearest_patch": neighbours.distance,
        "field_diversity": neighbours.field_diversity,
    }
    if inception is not None:
        maps = [inception.maps(_pictures(x)) for x in (example, sample)]
        numbers["single_frechet_distance"] = scores.cloud_distance(*maps)
    return numbers


def _pictures(example: np.ndarray) -> np.ndarray:
    """A picture, or the frames of a clip, as a batch of pictures."""
    return example.reshape(-1, *example.shape[-3:])
