"""Trains a predictor of attributes, or resumes a run, and scores it.

The network says of an image which of a data set's attributes it shows; the
best one is scored on the test split. --model_dir then holds the scores
(scores.json, scores.png), numbers (metrics.jsonl, tensorboard/) and
checkpoints.
"""

from vaegan_tf.cli import app, train
from vaegan_tf.cli.options import RunFolder
from vaegan_tf.settings import Settings, groups_of


def main(run: RunFolder, *settings: Settings) -> None:
    """Prepares the data, trains, scores."""
    choice = train.ModelChoice(model="predictor", model_dir=run.model_dir)
    train.main(choice, *settings)


GROUPS = {
    name.capitalize(): group
    for name, group in groups_of("predictor").items()
    if name != "evaluation"
}
command = app.Command(main, __doc__, {"Choice": RunFolder, **GROUPS})


if __name__ == "__main__":
    command()
