"""Trains and scores what a plan compares, over seeds, and prints a table.

`python -m sweeps avatars --folder=runs/avatars --predictor=runs/predictor`
makes every run of the plan `avatars` with each seed, one after the other, in
folders such as runs/avatars/vae-0, and prints means and standard deviations as
Markdown. Further flags, such as --dataset, are those of every training; flags
behind `--` are those of every `vaegan-evaluate`. The same command resumes where
it stopped; what has scores is not done again. Two of them may work on different
seeds at once.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from sweeps.plans import PLANS, Plan
from sweeps.table import Results, add, table


def main(arguments: Sequence[str] | None = None) -> None:
    """Does what is left of a plan; prints its table."""
    everything = list(sys.argv[1:] if arguments is None else arguments)
    end = everything.index("--") if "--" in everything else len(everything)
    parser = _parser()
    settings, training = parser.parse_known_args(everything[:end])
    evaluation = everything[end + 1 :]
    if settings.predictor:
        evaluation.append(f"--predictor={settings.predictor}")
    plan = PLANS[settings.plan]
    if unknown := {*settings.only} - {*plan.variants}:
        known = ", ".join(plan.variants)
        parser.error(f"--only takes some of {known}, not {unknown.pop()!r}")
    runs = [
        (name, seed, folder_of(settings.folder, name, seed))
        for seed in settings.seeds or map(str, range(plan.seeds))
        for name in settings.only or plan.variants  # Each before any twice.
    ]
    for name, seed, folder in [] if settings.table_only else runs:
        if not (folder / plan.kind.record).exists():
            own = flags_of(plan, name, settings.folder, seed)
            make(plan, folder, seed, [*own, *training], evaluation)
    results: Results = {}
    for name, seed, folder in runs:
        if (record := folder / plan.kind.record).exists():
            scores = plan.kind.scores(name, json.loads(record.read_text()))
            add(results, seed, scores)
    print(table(results))


def _parser() -> argparse.ArgumentParser:
    plans = " ".join(f"{name}: {plan.about}" for name, plan in PLANS.items())
    parser = argparse.ArgumentParser(
        "python -m sweeps",
        description=__doc__,
        epilog=f"Plans: {plans}",
        allow_abbrev=False,  # What is not known belongs to other commands.
    )

    def names(text: str) -> list[str]:
        return text.split(",")

    flag = parser.add_argument
    flag("plan", choices=PLANS)
    flag("--folder", type=pathlib.Path, required=True, help="place of all runs")
    flag("--only", type=names, default=[], help="some of the plan's runs")
    flag("--seeds", type=names, help="such as 0,1,2 (default: the plan's)")
    flag("--predictor", help="that of `vaegan-evaluate`")
    flag("--table_only", action="store_true", help="print what is there alone")
    return parser


def folder_of(place: pathlib.Path, name: str, seed: str) -> pathlib.Path:
    """Where a run of a plan is."""
    return place / f"{name.replace(' ', '_')}-{seed}"


def flags_of(
    plan: Plan, name: str, place: pathlib.Path, seed: str
) -> list[str]:
    """The flags of a run of a plan."""
    flags = [*plan.variants[name], *plan.shared, f"--seed={seed}"]
    return [flag.format(folder=place, seed=seed) for flag in flags]


def make(
    plan: Plan,
    folder: pathlib.Path,
    seed: str,
    training: Sequence[str],
    evaluation: Sequence[str],
) -> None:
    """Trains a run, and scores it if the training does not."""
    run(plan.kind.command, f"--model_dir={folder}", *training)
    if plan.kind.evaluation:
        own = plan.kind.evaluation(folder, seed)
        run("evaluate", f"--model_dir={folder}", *own, *evaluation)


def run(command: str, *flags: str) -> None:
    """Runs a command in a process of its own; exits if it fails."""
    module = f"vaegan_tf.cli.{command}"
    print(f"vaegan-{command}", *flags, file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *flags], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
