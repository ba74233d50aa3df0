"""What features learned without labels are worth, where labels are few.

    python examples/few_labels_table.py runs/few runs/vae runs/demo \
        --dataset=avatars --width=0.25

Predictors on the encoder's network are trained from 100, 500 and all labelled
images: from fresh weights, and from the encoder of each run. Means and standard
deviations of their scores on the test split, over seeds that draw the labelled
images too, are printed. What is there already is not done again. Flags are
those of `vaegan-predictor`.

Reference:
    Larsen et al. (2016), section 4.3.
"""

import json
import pathlib
import sys

import numpy as np

from vaegan_tf.cli import predictor

SEEDS = range(5)
LABELS = (100, 500, None)
SHARED = (
    "--backbone=encoder",
    "--log_every=50",
    "--sample_every=1000",
    "--checkpoint_every=50",
)
SCORES = {"accuracy": "accuracy", "F1": "f1"}


def scores_of(folder, run, labels, seed, arguments):
    """Scores of one predictor, which is trained if it was not."""
    record = folder / "scores.json"
    if not record.exists():
        call(
            predictor.command,
            f"--model_dir={folder}",
            f"--seed={seed}",
            *SHARED,
            *([f"--from_run={run}"] if run else []),
            *([f"--labels={labels}"] if labels else []),
            *arguments,
        )
    return json.loads(record.read_text())["mean"]


def call(command, *arguments):
    """Does what a command does, in this process."""
    *settings, _ = command.parse(arguments)
    command.main(*settings)


def summary(numbers):
    """Mean ± standard deviation of shares, in per cent."""
    numbers = 100 * np.array(numbers)
    return f"{numbers.mean():.1f} ± {numbers.std(ddof=1):.1f}"


def main(place, *arguments):
    """Prints the table as Markdown; runs come before flags."""
    runs = [text for text in arguments if not text.startswith("-")]
    flags = [text for text in arguments if text.startswith("-")]
    titles = [f"{labels or 'all'} labels" for labels in LABELS]
    columns = [f"{title}: {name}" for title in titles for name in SCORES]
    print(f"| encoder | {' | '.join(columns)} |")
    print("|---" * (1 + len(columns)) + "|")
    for run in (None, *runs):
        name = pathlib.Path(run).name if run else "fresh"
        cells = []
        for labels in LABELS:
            scores = [
                scores_of(
                    pathlib.Path(place) / f"{name}-{labels or 'all'}-{seed}",
                    run,
                    labels,
                    seed,
                    flags,
                )
                for seed in SEEDS
            ]
            cells += [
                summary([one[key] for one in scores]) for key in SCORES.values()
            ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
