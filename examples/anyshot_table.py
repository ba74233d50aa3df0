"""The any-shot table of a data set: every model, several seeds.

    python examples/anyshot_table.py runs/awa1 --dataset=xlsa17 \
        --source_dir=data/AWA1 --features_file=base.mat

Each model is trained with `vaegan-train` by its file in `flags/anyshot/` and
scored with `vaegan-evaluate`, then means and standard deviations over the seeds
are printed. What is there already is not done again. Flags behind `--` are
those of `vaegan-evaluate`.
"""

import collections
import json
import pathlib
import sys

import numpy as np

from vaegan_tf.cli import evaluate, train

SEEDS = range(5)
# Flags beside the file, by what follows the model's name.
PRIORS = {
    "": (),
    ", estimated prior": ("--novel_prior=estimated",),
    ", uniform prior": ("--novel_prior=uniform",),
}
ROWS = [
    *[(kind, "") for kind in ("f_wgan", "f_vae", "f_vaegan")],
    *[("f_vaegan_d2", prior) for prior in PRIORS],
]
COLUMNS = ("t1", "u", "s", "h")


def scores_of(folder, kind, prior, seed, arguments, protocol):
    """Scores of one run, which is trained and evaluated if it was not."""
    record = folder / "evaluation.json"
    settings = f"--model_dir={folder}", f"--seed={seed}"
    if not record.exists():
        flag_file = f"--flagfile=anyshot/{kind}"
        others = *PRIORS[prior], *arguments
        call(train.command, flag_file, *settings, *others)
        call(evaluate.command, *settings, *protocol)
    *baselines, (model, scores) = json.loads(record.read_text())[
        "any_shot"
    ].items()
    return {**dict(baselines), f"{model}{prior}": scores}


def call(command, *arguments):
    """Does what a command does, in this process."""
    *settings, _ = command.parse(arguments)
    command.main(*settings)


def summary(numbers):
    """Mean ± standard deviation of shares, in per cent."""
    numbers = 100 * np.array(numbers)
    return f"{numbers.mean():.1f} ± {numbers.std(ddof=1):.1f}"


def main(place, *arguments):
    """Prints the table as Markdown; flags of the protocol follow `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    arguments, protocol = arguments[:end], arguments[end + 1 :]
    found = collections.defaultdict(list)
    for seed in SEEDS:
        for kind, prior in ROWS:
            name = "-".join([kind, *prior.split()[1:2], str(seed)])
            folder = pathlib.Path(place) / name
            scores = scores_of(folder, kind, prior, seed, arguments, protocol)
            for name, protocols in scores.items():
                found[name].append(protocols)
    print("|  | T1 | u | s | H | T1, best on test | H, best on test |")
    print("|---|---|---|---|---|---|---|")
    for name, runs in found.items():
        cells = [summary([run["last"][c] for run in runs]) for c in COLUMNS]
        for column in ("t1", "h"):
            best = [r["best_on_test"][column] for r in runs if len(r) > 1]
            cells.append(summary(best) if best else "")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
