"""One training from settings to the last checkpoint."""

import contextlib

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from vaegan_tf.models import MODELS, create_model
from vaegan_tf.training import observers
from vaegan_tf.training.checkpoints import Checkpoints, restore_networks
from vaegan_tf.training.distribution import Distribution
from vaegan_tf.training.loop import Training, check_intervals
from vaegan_tf.training.optimizers import compile_model
from vaegan_tf.training.precision import set_precision
from vaegan_tf.training.runs import Run, differences
from vaegan_tf.training.summaries import SummaryWriter

HELD_OUT = 512

# What may differ between a run and its continuation.
CHANGEABLE = frozenset(
    {
        "checkpoint_every",
        "data_dir",
        "eval_every",
        "eval_images",
        "inception_resize",
        "inception_weights",
        "keep_checkpoints",
        "log_every",
        "logical_cpus",
        "model_dir",
        "nan_retries",
        "overwrite",
        "predictor",
        "sample_every",
        "steps_per_execution",
        "strategy",
        "train_steps",
        "wandb_project",
    }
)


def train(
    run: Run,
    dataset,
    *,
    record,
    model,
    optimisation,
    intervals,
    train_steps,
    batch_size=64,
    augmentation="flip",
    precision="auto",
    seed=0,
    deterministic=False,
    discriminator_from=None,
    keep_checkpoints=3,
    nan_retries=0,
    steps_per_execution=1,
    overwrite=False,
    wandb_project=None,
    evaluator=None,
    distribution=None,
):
    """Trains a model, or goes on where its training stopped.

    Args:
        run: The run's folder.
        dataset: An `ImageDataset`.
        record: What `Run.write` keeps beside the model: `flags`, every
            setting by name, which must be the same for a run to be gone on
            with; `flag_file`, the same as text; `data`, and `command`.
        model: Arguments of `create_model`.
        optimisation: Arguments of `compile_model`.
        intervals: Steps between two logs, checkpoints, pictures and
            evaluations: `log_every`, `checkpoint_every`, `sample_every` and
            `eval_every`; `None` for no evaluation.
        train_steps: Steps in all.
        batch_size: Images in a step, over all replicas.
        augmentation: Variation of training images, see `ImageDataset`.
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`.
        seed: Seed of weights, order of the data and noise.
        deterministic: Whether operations must give the same bits every time.
        discriminator_from: Folder of the GAN's run for VAE_Dis_l.
        keep_checkpoints: Newest checkpoints to keep.
        nan_retries: How often to go back after a number is not finite.
        steps_per_execution: Steps between two looks of the host.
        overwrite: Whether to delete what the folder holds.
        wandb_project: Weights & Biases project to mirror logs to.
        evaluator: The `Evaluator` to evaluate with, if `eval_every` is given.
        distribution: The `Distribution` over devices; one by default.

    Returns:
        Whether the last step was reached.

    Raises:
        ValueError: If settings contradict each other, or the run.
        DivergenceError: If the training diverges.
        CheckpointError: If a checkpoint cannot be written or read.
    """
    distribution = distribution or Distribution()
    _check_batch_size(batch_size, distribution)
    check_intervals(steps_per_execution, intervals.items())
    if distribution.is_chief:
        check_continuation(run, MODELS, record["flags"], overwrite)
    precision = set_up(seed, deterministic, precision)
    logging.info("%s", distribution)
    built, schedules = _compiled(
        distribution, model, seed, train_steps, optimisation
    )
    if distribution.is_chief:
        _take_discriminator(built, model, discriminator_from)
        logging.info("%s\n%s", built.name, observers.parameter_table(built))
        begin_run(
            run,
            overwrite,
            model={**model, "seed": seed},
            precision=precision,
            **record,
        )
    distribution.from_chief(built.variables)

    checkpoints = Checkpoints(
        built, run.checkpoints, keep_checkpoints, distribution
    )
    with _observers(
        run,
        built,
        dataset,
        checkpoints,
        record,
        batch_size,
        wandb_project,
        evaluator=evaluator,
        **intervals,
    ) as watching:
        return Training(
            built,
            _batches(distribution, dataset, batch_size, seed, augmentation),
            checkpoints,
            train_steps=train_steps,
            log_every=intervals["log_every"],
            checkpoint_every=intervals["checkpoint_every"],
            observers=watching,
            learning_rates=schedules,
            nan_retries=nan_retries,
            steps_per_execution=steps_per_execution,
            distribution=distribution,
        ).run()


def _compiled(distribution, model, seed, train_steps, optimisation):
    """The model on its devices, and its schedules of learning rates."""
    together = distribution.num_replicas > 1
    with distribution.scope():
        built = create_model(**model, seed=seed, synchronized=together)
        return built, compile_model(built, train_steps, **optimisation)


def _batches(distribution, dataset, batch_size, seed, augmentation):
    """The function from a step to its batch, shared out, and later ones."""

    def batches(step):
        return distribution.batches(
            lambda **parts: dataset.train_batches(
                batch_size,
                seed=seed,
                start_step=step,
                augmentation=augmentation,
                **parts,
            )
        )

    return batches


def _check_batch_size(batch_size, distribution):
    if batch_size < distribution.num_replicas:
        raise ValueError(
            "`batch_size` counts the images of all replicas, and each needs "
            f"one. Received: batch_size={batch_size} for "
            f"{distribution.num_replicas} replicas."
        )


def check_continuation(run, kinds, flags, overwrite):
    """Refuses to go on with a run of other settings, or of another model.

    Args:
        run: The run's folder.
        kinds: Names of the models that this kind of training trains.
        flags: Every setting by name.
        overwrite: Whether the folder will be deleted first.

    Raises:
        ValueError: If the folder holds such a run.
    """
    if overwrite or not run.exists:
        return
    run.model_arguments(kinds)
    decays = flags.get("learning_rate_decay", "none") != "none"
    ignored = CHANGEABLE - {"train_steps"} if decays else CHANGEABLE
    lines = differences(run.read()["flags"], flags, ignored)
    if lines:
        raise ValueError(
            f"{run.folder} holds a run with other settings. Go on with its "
            f"own (--flagfile={run.flags}), choose another --model_dir, or "
            "delete it with --overwrite. The differences:\n  "
            + "\n  ".join(lines)
        )


def begin_run(run, overwrite, **record):
    """Writes the record of a run that begins, over an old one if asked to."""
    if overwrite and run.exists:
        run.delete()
    if not run.exists:
        run.write(**record)


def set_up(seed, deterministic, precision):
    """Seeds first weights, and settles how networks compute."""
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    precision, reason = set_precision(precision)
    logging.info("Networks compute in %s: %s.", precision, reason)
    return precision


def _take_discriminator(built, model, folder):
    """Gives VAE_Dis_l the discriminator of a trained GAN."""
    if model["model"] != "learned_metric_vae":
        return
    if not folder:
        raise ValueError(
            "learned_metric_vae measures distance in a trained GAN: give its "
            "run's folder with --discriminator_from."
        )
    gan = Run(folder)
    theirs = gan.model_arguments(MODELS)
    if "discriminator" not in MODELS[theirs["model"]].network_names:
        raise ValueError(
            f"The {theirs['model']} of {folder} has no discriminator. Give "
            "the run of a gan with --discriminator_from."
        )
    for name in ("image_size", "num_channels", "width", "num_attributes"):
        if theirs[name] != model[name]:
            raise ValueError(
                f"The discriminator of {folder} was trained with "
                f"{name}={theirs[name]}, this model has {name}={model[name]}. "
                "Train with the same."
            )
    step = restore_networks(built, gan.checkpoints, ["discriminator"])
    logging.info("Distance is that of %s at step %d.", folder, step)


def open_writer(run, checkpoints, flags, wandb_project):
    """A `SummaryWriter` that goes on where the checkpoints do."""
    writer = SummaryWriter(
        run.tensorboard,
        wandb_project,
        run.folder.name,
        flags,
        step=max(checkpoints.steps, default=0),
    )
    writer.hparams(flags)
    return writer


@contextlib.contextmanager
def _observers(
    run,
    model,
    dataset,
    checkpoints,
    record,
    batch_size,
    wandb_project,
    **intervals,
):
    """The chief's observers, as long as their logs are open."""
    if not checkpoints.distribution.is_chief:
        yield []
        return
    with open_writer(
        run, checkpoints, record["flags"], wandb_project
    ) as writer:
        yield _chief_observers(
            run, model, dataset, writer, batch_size, **intervals
        )


def _chief_observers(
    run,
    model,
    dataset,
    writer,
    batch_size,
    evaluator,
    *,
    log_every,
    checkpoint_every,
    sample_every,
    eval_every=None,
):
    held_out = dataset.batches("validation", 64).take(HELD_OUT // 64).cache()
    example = _concatenated(held_out)
    best = Checkpoints(model, run.best, keep=1)
    by_features = bool(eval_every) and evaluator.compares_features
    watching = [
        observers.Progress(log_every, batch_size, run.speed, writer),
        observers.Numbers(log_every, run.metrics, writer),
        observers.Pictures(sample_every, run.samples, example, writer),
        observers.Validation(
            checkpoint_every,
            held_out,
            run.metrics,
            None if by_features else best,
            writer,
        ),
    ]
    if hasattr(model, "encode"):
        names = dataset.attribute_names
        watching.append(
            observers.Codes(checkpoint_every, example, names, writer)
        )
    if eval_every:
        watching.append(
            observers.Scoring(
                eval_every,
                evaluator,
                run.metrics,
                best if by_features else None,
                writer,
            )
        )
    return watching


def _concatenated(batches):
    parts = list(batches.as_numpy_iterator())
    return {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
