"""`vaegan-explore` on tiny runs."""

import logging
import socket

import pytest

from vaegan_tf.cli import app, explore
from vaegan_tf.explorer.server import Server


def call(*arguments):
    *settings, _ = explore.command.parse([str(a) for a in arguments])
    explore.main(*settings)


@pytest.fixture
def served(monkeypatch):
    """Servers that would have served until Ctrl-C."""
    served = []

    def serve(server):
        served.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", serve)
    return served


def test_it_says_where_the_page_is_and_ends_on_ctrl_c(trained, served, capsys):
    runs = [f"--model_dir={trained('vaegan')}", f"--beside={trained('gan')}"]
    call(*runs, "--port=0")
    (server,) = served
    url = f"http://127.0.0.1:{server.server_port}/"
    assert f"Open {url} in a browser; Ctrl-C ends." in capsys.readouterr().out
    assert server.is_private
    assert [subject.label for subject in server.subjects] == ["vaegan", "gan"]
    for subject, kind in zip(server.subjects, ("vaegan", "gan")):
        assert subject.flags == (f"--model_dir={trained(kind)}",)


def test_commands_are_told_of_another_checkpoint(trained, served):
    folder = trained("vaegan")
    call(f"--model_dir={folder}", "--port=0", "--checkpoint=best")
    flags = {f"--model_dir={folder}", "--checkpoint=best"}
    assert set(served[0].subjects[0].flags) == flags


def test_published_weights_may_stand_beside_a_run():
    chosen, _ = explore.command.parse(["--model_dir=a", "--beside=avatars64"])
    _, beside = explore._models(chosen)
    assert (beside.model_dir, beside.pretrained) == (None, "avatars64")


def test_published_weights_are_explored_as_runs_are():
    chosen, _ = explore.command.parse(["--pretrained=avatars64"])
    subject = explore._subject(chosen)
    assert subject.label == "avatars64"
    assert subject.flags == ("--pretrained=avatars64",)
    assert "Eyeglasses" in subject.vectors.names


def test_it_warns_where_others_reach_it(trained, served, caplog):
    with caplog.at_level(logging.WARNING):
        call(f"--model_dir={trained('gan')}", "--port=0", "--host=0.0.0.0")
    assert "no password" in caplog.text
    (server,) = served
    assert server.url == f"http://127.0.0.1:{server.server_port}/"
    # By any address, which cannot be rebound, but by no strange name.
    assert server.is_own_name("192.0.2.7:8000")
    assert server.is_own_name(socket.gethostname())
    assert not server.is_own_name("evil.example")


def test_a_port_in_use_is_one_line_before_anything_is_loaded():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} .* in use.*--port"):
            call("--model_dir=no/such/run", f"--port={port}")


def test_what_cannot_be_shown_is_refused(trained, tmp_path):
    with pytest.raises(ValueError, match="cannot sample"):
        call(f"--model_dir={trained('predictor')}")
    with pytest.raises(FileNotFoundError, match="is no run"):
        call(f"--model_dir={tmp_path}")
    with pytest.raises(app.UsageError, match="`port` must be"):
        explore.command.parse(["--model_dir=x", "--port=65536"])
