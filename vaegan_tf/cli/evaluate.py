"""`vaegan-evaluate`: scores a trained model on held-out images."""

from vaegan_tf.cli import app, options

SUMMARY = """
Scores a trained model on held-out images: samples (Frechet and kernel
distance, precision, recall, density, coverage), reconstructions (PSNR, SSIM,
feature distance, attributes) and latent codes, each beside the same number
between two halves of the real images. Prints a table and writes
evaluation.json into the run's folder. Samples are compared by features, which
take a predictor or the weights of Inception.
"""


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {"Model": options.define_use(flag_values)}
    group = options.Group(flag_values)
    group.choice(
        "split",
        "test",
        ("train", "validation", "test"),
        "Part of the data set to compare with.",
    )
    group.integer(
        "num_images",
        None,
        "Images of the split, evenly spread, and samples (default: all of the "
        "split, and as many samples).",
        low=1,
    )
    group.strings(
        "samplers",
        "prior",
        "Where codes of samples come from, one or more of prior, mixture and "
        "truncated; see vaegan-sample.",
    )
    options.define_sampler_settings(group)
    group.integer("seed", 0, "Seed of the samples' codes.", low=0)
    group.integer("batch_size", 64, "Images computed at once.", low=1)
    options.define_features(group)
    groups["Evaluation"] = group.names
    return groups


def main(flags):
    """Loads model, data and features; scores; prints and writes."""
    import json
    import sys
    import time

    from vaegan_tf.cli import scoring
    from vaegan_tf.data import load_dataset
    from vaegan_tf.evaluation import Evaluator, table
    from vaegan_tf.training.runs import Run, write_text

    started = time.monotonic()
    run = Run(flags.model_dir)
    data = run.read()["data"]
    model, step = run.model(checkpoint=flags.checkpoint)
    samplers = scoring.samplers(flags, run)
    extractor = scoring.extractor(flags)
    arguments = {k: v for k, v in data.items() if k != "attribute_names"}
    evaluator = Evaluator(
        load_dataset(**arguments),
        samplers,
        split=flags.split,
        num_images=flags.num_images,
        extractor=extractor,
        seed=flags.seed,
        batch_size=flags.batch_size,
    )
    evaluation = evaluator.evaluate(model)
    record = {
        "step": step,
        "split": flags.split,
        "dataset": data["name"],
        "image_size": data["image_size"],
        "seed": flags.seed,
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": _command(flags),
        "seconds": round(time.monotonic() - started, 1),
        **evaluation.as_dict(),
    }
    write_text(
        run.evaluation,
        json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        + "\n",
    )
    sys.stdout.write(f"{table(evaluation)}\n\nWritten to {run.evaluation}.\n")


def _command(flags):
    """The command line that evaluates the same again."""
    import shlex

    lines = app.flags_as_text(flags).splitlines()
    return shlex.join(["vaegan-evaluate", *lines])


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
