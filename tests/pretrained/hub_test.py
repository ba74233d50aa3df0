"""The hub, played by a server on this machine."""

import base64
import hashlib
import http.server
import importlib
import json
import sys
import threading

import pytest

from vaegan_tf.pretrained import hub

pytest.importorskip("huggingface_hub", reason="the extra hub is missing")

COMMIT = "c0ffee" + "0" * 34
CONTENTS = {
    "README.md": b"# faces\n",
    "run.json": b"{}",
    "weights.npz": bytes(range(256)) * 4,
    "attributes/vectors.npz": b"rows",
}


class Hub(http.server.BaseHTTPRequestHandler):
    """One repository, `ada/faces`, whose files are `stored`."""

    def answer(self, content, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", COMMIT)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer_json(self, value):
        kind = {"Content-Type": "application/json"}
        self.answer(json.dumps(value).encode(), **kind)

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        if path.startswith("/api/models/ada/faces/tree/"):
            self.answer_json(
                [
                    {
                        "type": "file",
                        "path": name,
                        "size": len(content),
                        "oid": hashlib.sha1(content).hexdigest(),
                    }
                    for name, content in self.server.stored.items()
                ]
            )
        elif path.startswith("/api/models/ada/faces"):
            files = [{"rfilename": name} for name in self.server.stored]
            self.answer_json(
                {"id": "ada/faces", "sha": COMMIT, "siblings": files}
            )
        elif path.startswith("/ada/faces/resolve/"):
            name = path.split("/", 5)[-1]
            if name not in self.server.stored:
                missing = {"X-Error-Code": "EntryNotFound"}
                return self.answer(b"", 404, **missing)
            content = self.server.stored[name]
            self.answer(content, ETag=f'"{hashlib.sha1(content).hexdigest()}"')
        else:
            self.answer(b"", 404, **{"X-Error-Code": "RepoNotFound"})

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        if self.path == "/api/repos/create":
            assert json.loads(content)["name"] == "faces"
            self.answer_json({"url": f"{self.server.url}/ada/faces"})
        elif "/preupload/" in self.path:
            files = json.loads(content)["files"]
            plain = {"uploadMode": "regular", "shouldIgnore": False}
            self.answer_json(
                {"files": [{"path": f["path"], **plain} for f in files]}
            )
        elif "/commit/" in self.path:
            for line in map(json.loads, content.splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    data = base64.b64decode(value["content"])
                    self.server.stored[value["path"]] = data
            url = f"{self.server.url}/ada/faces/commit/{COMMIT}"
            self.answer_json({"commitUrl": url, "commitOid": COMMIT})
        else:
            self.answer_json({})

    def log_message(self, *arguments):
        """Is quiet."""


@pytest.fixture
def server(monkeypatch, tmp_path):
    """The hub; `stored` are its files, `asked` the paths it was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.stored, server.asked = {}, []
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        constants = importlib.import_module("huggingface_hub.constants")
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "faces"
    for name, content in CONTENTS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content)
    return folder


def test_what_is_stored_is_loaded(server, folder):
    hub.upload(folder, "hf://ada/faces")
    assert server.stored == CONTENTS
    server.stored["code.py"] = b"what no published folder holds"
    local = hub.download("hf://ada/faces")
    for name, content in CONTENTS.items():
        assert (local / name).read_bytes() == content
    assert not (local / "code.py").exists()


def test_a_second_load_downloads_nothing(server):
    server.stored.update(CONTENTS)
    first = hub.download("hf://ada/faces")
    server.asked.clear()
    assert hub.download("hf://ada/faces") == first
    assert not [path for path in server.asked if "/resolve/" in path]


@pytest.mark.parametrize("address", ["hf://faces", "hf://a/b/c", "hf://a/b?c"])
def test_other_addresses_are_refused(address):
    for function in (hub.download, hub.check_address):
        with pytest.raises(ValueError, match="is hf://owner/name"):
            function(address)


def test_what_is_not_there_is_one_error(server, folder):
    with pytest.raises(
        OSError, match=r"hf://ada/other could not be downloaded"
    ):
        hub.download("hf://ada/other")
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match=r"hf://ada/faces could not be uploaded"):
        hub.upload(folder, "hf://ada/faces")


def test_without_the_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"vaegan-tf\[hub\]"):
        hub.check_address("hf://ada/faces")
