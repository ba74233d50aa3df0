"""One run from its settings to the last checkpoint."""

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vaegan_tf import files
from vaegan_tf.data import ImageDataset
from vaegan_tf.models import ObjectiveModel, model_class, require
from vaegan_tf.runs import Checkpoints, Run
from vaegan_tf.runs.checkpoints import restore_networks, steps_in
from vaegan_tf.runs.precision import set_precision
from vaegan_tf.settings import Experiment
from vaegan_tf.tables import aligned
from vaegan_tf.training.distribution import Distribution
from vaegan_tf.training.optimizers import compile_model, network_rates
from vaegan_tf.training.signals import StopSignals
from vaegan_tf.training.summaries import SummaryWriter
from vaegan_tf.training.terminal import LiveLine
from vaegan_tf.training.trainer import Trainer, check_intervals
from vaegan_tf.training.watching import standard_callbacks


def train(
    run: Run,
    dataset: ImageDataset,
    settings: Experiment,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    distribution: Distribution | None = None,
    flag_file: str = "",
    command: str | None = None,
    signals: StopSignals | None = None,
) -> bool:
    """Trains a model, or resumes a run where it stopped.

    Args:
        run: The run's folder.
        dataset: The images.
        settings: A run is resumed with the same ones, but for those that may
            change.
        callbacks: Further ones; to them, `log_every` steps are an epoch.
        distribution: The devices; one by default.
        flag_file: The settings as flags, to be recorded.
        command: What the user typed, to be recorded.
        signals: Notes the signal that stops the run, if one does.

    Returns:
        Whether the run has ended; `False` if it was stopped by a signal.

    Raises:
        ValueError: If settings contradict each other, or the run.
        DivergenceError: If the run diverges.
        CheckpointError: If a checkpoint cannot be written or read.
        LockedError: If another process trains in this folder.
    """
    distribution = distribution or Distribution()
    check_experiment(run, settings, distribution)
    record = {
        "flag_file": flag_file,
        "data": dataset.contents,
        "attribute_names": list(dataset.attribute_names),
        "command": command,
        "precision": _set_up(settings),
    }
    logging.info("%s", distribution)
    with (
        run.locked() if distribution.is_chief else contextlib.nullcontext(),
        _trainer(
            run, dataset, settings, callbacks, distribution, record
        ) as trainer,
    ):
        return trainer.run(signals)


@contextlib.contextmanager
def _trainer(
    run: Run,
    dataset: ImageDataset,
    settings: Experiment,
    callbacks: Sequence[keras.callbacks.Callback],
    distribution: Distribution,
    record: Mapping[str, Any],
) -> Iterator[Trainer]:
    """The trainer of a run, whose folder is prepared on the chief."""

    def batches(step: int) -> Iterable[Any]:
        make = functools.partial(
            dataset.train_batches,
            settings.optimisation.batch_size,
            seed=settings.run.seed,
            start_step=step * model.rounds,
            augmentation=settings.optimisation.augmentation,
        )
        return distribution.batches(make)

    cls = model_class(settings.kind)
    inputs = cls.inputs_of(dataset, settings.model)
    with distribution.scope():
        model = cls.create(settings.model, seed=settings.run.seed, **inputs)
        schedules = compile_model(model, settings.optimisation)
    with contextlib.ExitStack() as stack:
        if distribution.is_chief:
            _begin(run, model, settings, inputs, record)
            writer = stack.enter_context(_summary_writer(run, settings))
            writer.layout(model.term_names)
            live = LiveLine(settings.optimisation.batch_size)
            stack.callback(live.close)  # Also if the run diverges.
            callbacks = [
                *standard_callbacks(run, model, dataset, settings, writer),
                live,
                *callbacks,
            ]
        distribution.from_chief(model.variables)
        yield Trainer(
            model,
            batches,
            Checkpoints(model, run.checkpoints, settings.run.keep_checkpoints),
            settings.run,
            train_steps=min(
                settings.optimisation.train_steps,
                model.last_step or settings.optimisation.train_steps,
            ),
            callbacks=callbacks if distribution.is_chief else (),
            learning_rates=schedules,
            distribution=distribution,
        )


def parameter_table(model: ObjectiveModel) -> str:
    """Networks, their parameters and what these weigh, as lines of text."""
    rows = [("network", "parameters", "MiB", "trained")]
    for name in model.networks:
        count = getattr(model, name).count_params()
        trained = "yes" if name in model.trained_networks() else "no"
        rows.append((name, f"{count:,}", f"{count * 4 / 2**20:.1f}", trained))
    return "\n".join(aligned(rows))


def check_experiment(
    run: Run, settings: Experiment, distribution: Distribution
) -> None:
    """Refuses what `train` could not do, as far as it needs no data.

    Raises:
        ValueError: If settings contradict each other, the run, or the run that
            a network is borrowed from.
        FileNotFoundError: If the latter is missing.
    """
    cls = model_class(settings.kind)
    network_rates(cls.trained_networks(), settings.optimisation)
    batch_size = settings.optimisation.batch_size
    if batch_size < distribution.num_replicas:
        raise ValueError(
            "`batch_size` counts the images of all replicas, and each needs "
            f"one. Received: batch_size={batch_size} for "
            f"{distribution.num_replicas} replicas."
        )
    check_intervals(
        settings.run,
        sample_every=settings.run.sample_every,
        scale_steps=getattr(settings.model, "scale_steps", None),
        eval_every=settings.evaluation.eval_every,
    )
    if settings.evaluation.eval_every is not None:
        require(cls, "sample")
    if not distribution.is_chief:
        return
    resumes = run.exists and not _starts_anew(run, settings)
    if resumes and (lines := run.settings.differences(settings)):
        raise ValueError(
            f"{run.folder} holds a run with other settings. Resume it with "
            "its own, choose another folder, or delete it with overwrite. "
            "The differences:\n  " + "\n  ".join(lines)
        )
    if _starts_anew(run, settings):
        for name in cls.borrowed:
            _lender(name, settings)


def _starts_anew(run: Run, settings: Experiment) -> bool:
    return settings.run.overwrite or not steps_in(run.checkpoints)


def _set_up(settings: Experiment) -> str:
    """Seeds first weights, and settles how networks compute."""
    keras.utils.set_random_seed(settings.run.seed)
    if settings.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    precision, reason = set_precision(settings.optimisation.precision)
    logging.info("Networks compute in %s: %s.", precision, reason)
    return precision


def _begin(
    run: Run,
    model: ObjectiveModel,
    settings: Experiment,
    inputs: dict[str, Any],
    record: Mapping[str, Any],
) -> None:
    """Prepares a run's folder, and the weights of a run that begins."""
    files.delete_leftovers(run.folder)  # Of processes that were killed.
    logging.info("%s\n%s", model.title, parameter_table(model))
    for line in model.forecast(settings.optimisation.batch_size):
        logging.info("%s", line)
    if _starts_anew(run, settings):
        model.load_initial_weights()
        for name in model.borrowed:
            _borrow(name, model, settings, inputs)
    if settings.run.overwrite and run.exists:
        run.delete()
    if run.exists:
        run.check_writable()
    if not steps_in(run.checkpoints):  # Also if the first start has failed.
        run.write(settings, inputs, **record)
    _check_data(run, record["data"])


def _check_data(run: Run, contents: Mapping[str, str]) -> None:
    """Refuses to resume a run with other images; older runs do not know."""
    before = run.read().get("data")
    if not isinstance(before, dict) or before == contents:
        return
    lines = [
        f"{split}: {before.get(split, 'nothing')} -> {now}"
        for split, now in contents.items()
        if before.get(split) != now
    ]
    raise ValueError(
        f"The images are not those that {run.folder} was trained on: files "
        "were changed, added or removed. Resume the run with its own images, "
        "or train in another folder. The differences:\n  " + "\n  ".join(lines)
    )


def _lender(name: str, settings: Experiment) -> Run:
    """The run whose network a new run starts with."""
    folder = getattr(settings.model, f"{name}_from")
    if folder is None:
        title = model_class(settings.kind).title
        raise ValueError(
            f"A {title} takes its {name} from another run: give its "
            f"folder as `{name}_from`."
        )
    theirs = Run(folder)
    if name not in theirs.model_class.networks:
        raise ValueError(
            f"The {theirs.model_class.title} of {folder} has no {name}. "
            f"Give the run of a model that has one as `{name}_from`."
        )
    theirs.checkpoint_step()  # Raises if there is none.
    return theirs


def _borrow(
    name: str,
    model: ObjectiveModel,
    settings: Experiment,
    inputs: dict[str, Any],
) -> None:
    """Reads a network of the model from another run."""
    theirs = _lender(name, settings)
    width = theirs.settings.model.as_dict()["width"]
    before = {**theirs.read()["inputs"], "width": width}
    now = {**inputs, "width": settings.model.as_dict()["width"]}
    for key in now:
        if before[key] != now[key]:
            raise ValueError(
                f"The {name} of {theirs.folder} was trained with "
                f"{key}={before[key]}, this model has {key}={now[key]}. "
                "Train with the same."
            )
    step = restore_networks(model, theirs.checkpoints, [name])
    logging.info("The %s is that of %s at step %d.", name, theirs.folder, step)


def _summary_writer(run: Run, settings: Experiment) -> SummaryWriter:
    """TensorBoard's logs, resumed where the checkpoints are."""
    recorded = settings.as_dict()
    writer = SummaryWriter(
        run.tensorboard,
        settings.run.wandb_project,
        run.folder.name,
        recorded,
        step=max(steps_in(run.checkpoints), default=0),
    )
    writer.hparams(recorded)
    return writer
