"""Trains a model on a data set, or resumes a run where it stopped.

Prepares the data set first if need be. The same command resumes a run.
--model_dir then holds image grids (samples/), numbers (metrics.jsonl,
tensorboard/), checkpoints, and at the end a SavedModel (export/<step>/). Ctrl-C
and SIGTERM stop it after a checkpoint, with the exit status 130 or 143. The
settings of another model are shown by --model=gan --help.
"""

import sys
from collections.abc import Sequence

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.flags import Groups, as_text, last_value
from vaegan_tf.cli.options import ModelModule, RunFolder
from vaegan_tf.settings import (
    Experiment,
    Settings,
    groups_of,
    kinds,
    kinds_with,
    setting,
)


class ModelChoice(ModelModule, RunFolder):
    """Which kind of model, and in which folder."""

    model: str = setting(
        "vaegan",
        f"The kind of model: {', '.join(kinds())}, or one that --import "
        "registers.",
    )


def groups(arguments: Sequence[str]) -> Groups:
    """The groups of settings of the model that arguments name."""
    own = groups_of(last_value(arguments, "model") or ModelChoice.model)
    titled = {name.capitalize(): group for name, group in own.items()}
    return {"Choice": ModelChoice, **titled}


def unknown(name: str, arguments: Sequence[str]) -> str:
    """What is to be said of a flag that the model does not have."""
    name = name if kinds_with(name) else name.removeprefix("no")
    known = ", ".join(kinds_with(name))
    kind = last_value(arguments, "model") or ModelChoice.model
    return (
        known and f"--{name} does not apply to --model={kind}, only to {known}"
    )


def main(choice: ModelChoice, *settings: Settings) -> None:
    """Prepares the data, trains, exports."""
    from vaegan_tf.training.distribution import create_distribution

    names = groups_of(choice.model)
    experiment = Experiment.of(choice.model, **dict(zip(names, settings)))
    # Devices can be laid out only before anything is computed.
    distribution = create_distribution(
        experiment.run.strategy, experiment.run.logical_cpus
    )
    with distribution.watched():
        status = _train(choice, experiment, distribution)
        distribution.wait()
    if status:
        sys.exit(status)


def _train(choice, experiment, distribution):
    """The exit status: 0, or that of the signal that has stopped the run."""
    from vaegan_tf.export import export_saved_model, served_ability
    from vaegan_tf.models import model_class
    from vaegan_tf.runs import Run
    from vaegan_tf.training import StopSignals
    from vaegan_tf.training.terminal import score_history
    from vaegan_tf.training.train import check_experiment, train

    run = Run(choice.model_dir)
    # `train` checks too, but only once a data set is prepared.
    check_experiment(run, experiment, distribution)
    data = {**experiment.data.as_dict(), "seed": experiment.run.seed}
    name = data.pop("dataset")
    load = model_class(choice.model).load_dataset
    dataset = distribution.chief_first(lambda: load(name, **data))
    signals = StopSignals()
    finished = train(
        run,
        dataset,
        experiment,
        signals=signals,
        distribution=distribution,
        flag_file=as_text([choice, *experiment.groups.values()]),
        command=app.command_line(),
    )
    if distribution.is_chief and (history := score_history(run.metrics)):
        logging.info("Scores over the run:\n%s", history)
    if not finished:
        logging.info("Stopped; the same command resumes from here.")
        return signals.exit_status
    if distribution.is_chief and served_ability(run.model_class):
        model, step = run.model()
        export_saved_model(model, run.exports / str(step))
        logging.info("Done: see %s.", run.samples)
    return 0


command = app.Command(main, __doc__, groups, unknown=unknown)


if __name__ == "__main__":
    command()
