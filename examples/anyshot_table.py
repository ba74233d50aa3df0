"""The any-shot table of a data set: every model, several seeds.

    python examples/anyshot_table.py runs/awa1 --dataset=xlsa17 \
        --source_dir=data/AWA1 --features_file=base.mat

Each model is trained with `vaegan-train` and scored with `vaegan-evaluate`,
then means and standard deviations over the seeds are printed. What is there
already is not done again. Flags behind `--` are those of `vaegan-evaluate`.
Settings were chosen with --stage=validation.
"""

import collections
import json
import pathlib
import sys

import numpy as np

from vaegan_tf.cli import evaluate, train

SEEDS = range(5)
SHARED = (
    "--observation=gaussian",
    "--train_steps=1000",
    "--log_every=250",
    "--checkpoint_every=1000",
    "--learning_rate=1e-3",
    "--learning_rate_decay=linear",
    "--final_learning_rate=1e-6",
)
SMOOTH = ("--hidden_units=512", "--weight_decay=0.05")
GAME = ("--gamma=0.3", "--critic_steps=2")
MODELS = {
    "f_wgan": ("--hidden_units=256", "--gamma=10", "--critic_steps=2"),
    "f_vae": SMOOTH,
    "f_vaegan": (*SMOOTH, *GAME),
    "f_vaegan_d2": (*SMOOTH, *GAME, "--novel_gamma=0.3"),
}
COLUMNS = ("t1", "u", "s", "h")


def scores_of(folder, model, seed, arguments, protocol):
    """Scores of one run, which is trained and evaluated if it was not."""
    record = folder / "evaluation.json"
    if not record.exists():
        call(
            train.command,
            f"--model={model}",
            f"--model_dir={folder}",
            f"--seed={seed}",
            *SHARED,
            *MODELS[model],
            *arguments,
        )
        call(
            evaluate.command,
            f"--model_dir={folder}",
            f"--seed={seed}",
            *protocol,
        )
    return json.loads(record.read_text())["any_shot"]


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
        for model in MODELS:
            folder = pathlib.Path(place) / f"{model}-{seed}"
            scores = scores_of(folder, model, seed, arguments, protocol)
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
