"""Shows a trained model in a browser, to be played with.

Draws samples; encodes, decodes and edits a picture, yours or a sample, with a
slider for each attribute that vaegan-attributes has found; shows what lies
between two pictures, and how far and where they differ. Each picture comes with
the command that makes it. The page is for browsers on this machine; pictures
are kept nowhere, and nothing is sent elsewhere.
"""

from absl import logging

from vaegan_tf.cli import app
from vaegan_tf.cli.flags import flag_name
from vaegan_tf.cli.options import TrainedModel
from vaegan_tf.settings import fields, setting


class ExploreSettings(TrainedModel):
    """Where the page is, and what else it shows."""

    beside: str | None = setting(
        None,
        "Folder of another run, to be shown side by side with this one; "
        "published weights also by name or address.",
    )
    host: str = setting(
        "127.0.0.1",
        "Address to listen on. With another than that of this machine alone, "
        "such as 0.0.0.0, everybody who reaches it can use the page.",
    )
    port: int = setting(
        8000, "Port to listen on; 0 for any that is free.", low=0, high=65535
    )


def main(explore: ExploreSettings) -> None:
    """Loads the models and serves the page until Ctrl-C."""
    from vaegan_tf.explorer import create_server

    with create_server(host=explore.host, port=explore.port) as server:
        server.show([_subject(model) for model in _models(explore)])
        for subject in server.subjects:
            subject.warm_up()
        if not server.is_private:
            logging.warning(
                "Everybody who reaches this machine can use the page: it has "
                "no password, and what is sent is not encrypted."
            )
        app.show(f"Open {server.url} in a browser; Ctrl-C ends.\n")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            logging.info("Stopped.")


def _models(explore):
    """The model, and the one beside it if there is one."""
    from vaegan_tf.pretrained import find_run

    yield explore
    if explore.beside is not None:
        is_published = find_run(explore.beside).is_published
        kind = "pretrained" if is_published else "model_dir"
        chosen = {kind: explore.beside, "checkpoint": explore.checkpoint}
        yield TrainedModel(**chosen)


def _subject(chosen):
    """The model that was chosen, and what commands open it by."""
    from vaegan_tf.explorer import Subject

    run, model, step = chosen.open("sample")
    logging.info("%s of step %d: %s", model.title, step, run.folder)
    given = {
        flag_name(field): getattr(chosen, name)
        for name, field in fields(TrainedModel).items()
        if getattr(chosen, name) not in (None, field.default)
    }
    flags = [f"--{name}={value}" for name, value in given.items()]
    label = run.folder.resolve().name
    return Subject.of(run, model, label, flags, chosen.checkpoint)


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
