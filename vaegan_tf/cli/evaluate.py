"""Scores a trained model on held-out images.

Scores samples (Fréchet and kernel distance, precision, recall, density,
coverage), reconstructions (PSNR, SSIM, feature distance, attributes) and latent
codes, each beside the same number between two halves of the real images. Prints
a table and writes evaluation.json into the run's folder. Samples are compared
by features, which take a predictor or the weights of Inception. Of a model of
features it scores how well novel classes are recognised, beside baselines. Of a
model of one picture or clip it scores how like it samples are, and how diverse.
"""

import time

from vaegan_tf.cli import app
from vaegan_tf.cli.flags import command_of
from vaegan_tf.cli.options import SamplerParameters, TrainedModel
from vaegan_tf.cli.records import keep
from vaegan_tf.settings import (
    MAX_SEED,
    AnyShotSettings,
    FeatureSettings,
    PatchScoreSettings,
    setting,
)
from vaegan_tf.settings.choices import SAMPLERS, SPLITS


class EvaluateSettings(SamplerParameters):
    """What is scored."""

    split: str = setting(
        "test", "Part of the data set to compare with.", choices=SPLITS
    )
    num_images: int | None = setting(
        None,
        "Images of the split, evenly spaced, and samples (default: all of the "
        "split, and as many samples).",
        low=1,
    )
    samplers: tuple[str, ...] = setting(
        ("prior",),
        "Where codes of samples come from; see vaegan-sample.",
        choices=SAMPLERS,
    )
    seed: int = setting(0, "Seed of the samples' codes.", low=0, high=MAX_SEED)
    batch_size: int = setting(64, "Images computed at once.", low=1)


def main(
    model: TrainedModel,
    evaluation: EvaluateSettings,
    features: FeatureSettings,
    any_shot: AnyShotSettings,
    patches: PatchScoreSettings,
) -> None:
    """Loads model, data and features; scores; prints and writes."""
    from vaegan_tf.evaluation import Evaluator, create_extractor, table
    from vaegan_tf.training.terminal import score_history

    started = time.monotonic()
    if model.run.model_class.can("generate"):
        _score_any_shot(model, evaluation, any_shot)
        return
    if model.run.model_class.can("draw"):
        _score_drawings(model, evaluation, features, patches)
        return
    run, trained, step = model.open("sample")
    samplers = [
        model.sampler(name, evaluation)
        for name in dict.fromkeys(evaluation.samplers)
    ]
    evaluator = Evaluator(
        run.dataset(),
        samplers,
        split=evaluation.split,
        num_images=evaluation.num_images,
        extractor=create_extractor(features),
        seed=evaluation.seed,
        batch_size=evaluation.batch_size,
    )
    scores = evaluator.evaluate(trained)
    app.show(f"{table(scores)}\n\n")
    if history := score_history(run.metrics):
        app.show(f"While it was trained:\n{history}\n\n")
    record = {
        "step": step,
        "split": evaluation.split,
        "image_size": run.settings.data.as_dict()["image_size"],
        **scores.as_dict(),
    }
    _write(run, record, [model, evaluation, features], started)


def _score_any_shot(model, evaluation, any_shot):
    """Scores a model of features by the any-shot protocol."""
    from vaegan_tf.anyshot import evaluation as protocol

    started = time.monotonic()
    run, trained, step = model.open("generate")
    scores = protocol.evaluate_run(run, trained, any_shot, evaluation.seed)
    app.show(f"{protocol.table(scores)}\n\n")
    data = run.settings.data.as_dict()
    record = {
        "step": step,
        **{key: data[key] for key in ("stage", "shots")},
        "any_shot": scores,
    }
    _write(run, record, [model, evaluation, any_shot], started)


def _score_drawings(model, evaluation, features, patches):
    """Scores a model of one picture or clip."""
    from vaegan_tf.evaluation import create_extractor, table
    from vaegan_tf.images import to_uint8
    from vaegan_tf.patch.evaluation import draw_levels, evaluate_samples

    started = time.monotonic()
    run, trained, step = model.open("draw")
    extractor = create_extractor(features)
    count, newest = patches.patch_samples, trained.newest_scale
    example = to_uint8(trained.pyramid.at(run.dataset().batch, newest))[0]
    scores = evaluate_samples(
        draw_levels(trained, count, evaluation.seed),
        example,
        patches,
        None if extractor is None else extractor.inception,
    )
    app.show(f"{table(scores)}\n\n")
    record = {"step": step, "scale": newest, **scores.as_dict()}
    _write(run, record, [model, evaluation, features, patches], started)


def _write(run, record, groups, started):
    """Adds what made the scores to a record, and keeps it with the run."""
    _, evaluation, *_ = groups
    record = {
        "dataset": run.settings.data.dataset,
        "seed": evaluation.seed,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": command_of("vaegan-evaluate", groups),
        "seconds": round(time.monotonic() - started, 1),
        **record,
    }
    keep(run, run.evaluation, record)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
