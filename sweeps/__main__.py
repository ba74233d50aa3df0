"""Trains and scores what a plan compares, over seeds, and prints a table.

`python -m sweeps avatars --folder=runs/avatars --predictor=runs/predictor`
trains every run of the plan `avatars` with each seed, one after the other,
scores it with `vaegan-evaluate` and prints means and standard deviations as
Markdown. Further flags, such as --dataset, are those of every `vaegan-train`.
The same command resumes where it stopped; what has scores is not done again.
"""

import argparse
import json
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from sweeps.plans import PLANS, Plan
from sweeps.table import table


def main(arguments: Sequence[str] | None = None) -> None:
    """Does what is left of a plan; prints its table."""
    parser = argparse.ArgumentParser(
        "python -m sweeps",
        description=__doc__,
        epilog="Plans: "
        + " ".join(f"{name}: {plan.about}" for name, plan in PLANS.items()),
    )
    parser.add_argument("plan", choices=PLANS)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--predictor", required=True)
    parser.add_argument("--seeds", default="0,1,2")
    settings, flags = parser.parse_known_args(arguments)
    plan, seeds = PLANS[settings.plan], settings.seeds.split(",")
    results: dict[str, list[dict[str, Any]]] = {}
    for seed in seeds:  # Each variant once, before any twice.
        for name in plan.variants:
            folder = settings.folder / f"{name.replace(' ', '_')}-{seed}"
            own = arguments_of(plan, name, settings.folder, seed)
            scores = result(folder, [*own, *flags], settings.predictor)
            results.setdefault(name, []).append(scores)
    print(table(results))


def arguments_of(
    plan: Plan, name: str, folder: pathlib.Path, seed: str
) -> list[str]:
    """The flags of one run of a plan."""
    flags = [*plan.variants[name], *plan.shared, f"--seed={seed}"]
    return [flag.format(folder=folder, seed=seed) for flag in flags]


def result(
    folder: pathlib.Path, flags: Sequence[str], predictor: str
) -> dict[str, Any]:
    """The scores of one run, which is trained and scored if it was not."""
    record = folder / "evaluation.json"
    if not record.exists():
        run("train", f"--model_dir={folder}", *flags)
        kind = json.loads((folder / "run.json").read_text())["kind"]
        samplers = "prior" if kind == "gan" else "prior,mixture"
        run(
            "evaluate",
            f"--model_dir={folder}",
            f"--predictor={predictor}",
            f"--samplers={samplers}",
        )
    return json.loads(record.read_text())


def run(command: str, *flags: str) -> None:
    """Runs a command in a process of its own; exits if it fails."""
    module = f"vaegan_tf.cli.{command}"
    print(f"vaegan-{command}", *flags, file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", module, *flags], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
