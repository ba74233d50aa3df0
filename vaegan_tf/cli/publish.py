"""Writes what others need of a trained model into one small folder.

The folder holds the weights in 16 bits, without pickles; attribute vectors, if
vaegan-attributes has computed them for this checkpoint; and a card that says
what was trained, how, on what, how good it is and what it is not for. Commands
take it as --pretrained=FOLDER. Paths of this machine are left out.
"""

import pathlib
import tempfile

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.options import TrainedModel
from vaegan_tf.settings import REQUIRED, Settings, setting


class PublishSettings(Settings):
    """Where to, and what goes with the weights."""

    output: str = setting(
        REQUIRED,
        "Folder to write, or hf://owner/name to store it on the hub.",
    )
    licence: str = setting(
        "not stated", "Licence of the weights, such as Apache-2.0."
    )
    examples: int = setting(
        0,
        "So many test images go with them, to be reconstructed and edited "
        "without the data set: only such as you may share.",
        low=0,
        high=1000,
    )


def main(model: TrainedModel, what: PublishSettings) -> None:
    """Loads the model, writes the folder, uploads it if asked to."""
    from vaegan_tf.pretrained import check_target, hub, publish

    is_remote = hub.is_address(what.output)
    (hub.check_address if is_remote else check_target)(what.output)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(what.output).expanduser()
        if is_remote:
            folder = pathlib.Path(temporary, folder.name)
        card = publish(
            model.run,
            folder,
            checkpoint=model.checkpoint,
            num_examples=what.examples,
            licence=what.licence,
        )
        if is_remote:
            hub.upload(folder, what.output)
    if not card["attributes"]:
        logging.info("Without attribute vectors; see vaegan-attributes.")
    if not card["scores"]:
        logging.info("Without scores; see vaegan-evaluate.")
    megabytes = sum(file["bytes"] for file in card["files"].values()) / 1e6
    logging.info("Published %.1f MB to %s.", megabytes, what.output)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
