"""`vaegan-predictor`: trains a predictor of attributes, and scores it."""

from absl import flags as absl_flags
from absl import logging

from vaegan_tf.cli import app, options

SUMMARY = """
Trains a network that tells from an image which of a data set's attributes it
shows, or goes on where its training stopped, and scores the best one on the
test split. --model_dir then holds the scores (scores.json, scores.png), numbers
(metrics.jsonl, tensorboard/) and checkpoints.
"""
BACKBONES = ("small", "resnet34")
SMALL_ONLY = ("width", "weight_decay")
RUN = (
    "seed",
    "deterministic",
    "keep_checkpoints",
    "nan_retries",
    "steps_per_execution",
    "overwrite",
    "wandb_project",
)


def define_flags(flag_values):
    """The command's flags by group."""
    groups = {
        "Data": options.define_data(flag_values)
        + options.define_augmentation(flag_values),
        "Predictor": define_predictor(flag_values),
        "Optimisation": define_optimisation(flag_values),
        "Run": options.define_run(flag_values),
    }
    absl_flags.mark_flag_as_required("model_dir", flag_values=flag_values)
    flag_values.set_default("augmentation", "authors")
    return groups


def define_predictor(flag_values):
    """Which network, and what it minimises."""
    group = options.Group(flag_values)
    group.choice(
        "backbone",
        "small",
        BACKBONES,
        "Network from image to features: small has five or so convolutions "
        "and a million weights; resnet34 needs the package keras-hub.",
    )
    group.string(
        "backbone_weights",
        None,
        "Trained weights that resnet34 starts from: a preset of keras-hub, "
        "such as resnet_vd_34_imagenet, or its folder or .weights.h5 file "
        "(default: fresh ones).",
    )
    group.number(
        "width",
        1.0,
        "Multiplies the channels of every layer of the small network, whose "
        "features are then 256 times it.",
        low=0.01,
    )
    group.number(
        "balance",
        0.5,
        "How much the loss makes up for rare attributes: 0 not at all, 1 until "
        "presence and absence weigh the same. Answers are corrected for it.",
        low=0.0,
        high=1.0,
    )
    group.number(
        "dropout",
        0.2,
        "Probability with which training hides a feature.",
        low=0.0,
        high=0.99,
    )
    group.number(
        "weight_decay",
        1e-4,
        "Penalty on the squares of the small network's kernels.",
        low=0.0,
    )
    return group.names


def define_optimisation(flag_values):
    """How far and how often to step."""
    group = options.Group(flag_values)
    group.integer("batch_size", 64, "Images in a step.", low=1)
    group.integer("train_steps", 3000, "Steps to train for.", low=1)
    group.number("learning_rate", 2e-3, "Adam's learning rate at the start.")
    group.number(
        "backbone_learning_rate",
        None,
        "Another rate for the backbone, such as a tenth where its weights are "
        "trained ones.",
    )
    group.choice(
        "learning_rate_decay",
        "cosine",
        ("none", "cosine"),
        "How rates fall to 0 over the training.",
    )
    group.choice(
        "precision",
        "auto",
        ("auto", "float32", "bfloat16", "float16"),
        "Format that the network computes in; auto is bfloat16 where the "
        "hardware is fast at it.",
    )
    return group.names


def predictor_arguments(flags):
    """Arguments of `create_predictor`, but for those of the data set.

    Raises:
        ValueError: If a flag was set that the backbone does not have.
    """
    small = flags.backbone == "small"
    for name in ("backbone_weights",) if small else SMALL_ONLY:
        if flags[name].value != flags[name].default:
            raise ValueError(
                f"--{name} does not apply to --backbone={flags.backbone}."
            )
    network = {name: flags[name].value for name in SMALL_ONLY}
    return {
        "backbone": flags.backbone,
        "network": network if small else {},
        "balance": flags.balance,
        "dropout": flags.dropout,
    }


def training_arguments(flags):
    """Arguments of `train_predictor`, but for run, data and predictor."""
    plain = ("train_steps", "batch_size", "augmentation", "precision", *RUN)
    intervals = ("log_every", "checkpoint_every", "sample_every")
    return {
        **{name: flags[name].value for name in plain},
        "backbone_weights": flags.backbone_weights,
        "intervals": {name: flags[name].value for name in intervals},
        "optimisation": {
            "optimizer": "adam",
            "beta_1": 0.9,
            "learning_rate": flags.learning_rate,
            "learning_rates": {"backbone": flags.backbone_learning_rate},
            "learning_rate_decay": flags.learning_rate_decay,
            "final_learning_rate": 0.0,
        },
    }


def main(flags):
    """Loads the data, trains, scores."""
    from vaegan_tf.data import load_dataset
    from vaegan_tf.networks.blocks import check_image
    from vaegan_tf.predictor.train import train_predictor
    from vaegan_tf.training.runs import Run

    # Before the data set is prepared for it.
    check_image(flags.image_size, flags.num_channels)
    predictor = predictor_arguments(flags)
    run = Run(flags.model_dir)
    data = options.data_arguments(flags)
    dataset = load_dataset(**data)
    scores = train_predictor(
        run,
        dataset,
        record={
            "flags": app.flags_as_dict(flags),
            "flag_file": app.flags_as_text(flags),
            "data": options.data_record(data, dataset.attribute_names),
        },
        predictor=predictor,
        **training_arguments(flags),
    )
    if scores is None:
        logging.info("Stopped; the same command goes on from here.")
        return
    logging.info("Done: the scores are in %s.", run.scores)


def command():
    """Entry point of the console script."""
    app.run(main, define_flags, SUMMARY)


if __name__ == "__main__":
    command()
