"""The page and its tools, asked over HTTP as a browser asks."""

import base64
import concurrent.futures
import contextlib
import http.client
import io
import json
import shutil
import socket

import numpy as np
import pytest
from PIL import Image

from tests.explorer.conftest import serving
from vaegan_tf import images as pictures
from vaegan_tf.attributes import attribute_vectors, kept_vectors
from vaegan_tf.attributes.edits import Editor
from vaegan_tf.explorer import Subject, create_server
from vaegan_tf.runs import Run
from vaegan_tf.sampling import create_sampler
from vaegan_tf.similarity import LearnedMetric

JSON = {"Content-Type": "application/json"}
BYTES = {"Content-Type": "application/octet-stream"}
NOISE = pictures.encode_png(
    np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
)
SAMPLE = b'{"runs": [{"seed": 3, "count": 2}]}'


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    """A run that has attribute vectors and a mixture."""
    folder = tmp_path_factory.mktemp("explorer") / "run"
    shutil.copytree(trained("vaegan"), folder)
    attribute_vectors(folder, min_examples=3)
    create_sampler(folder, "mixture", num_components=2)
    return folder


@pytest.fixture(scope="module")
def make_subject(trained, folder):
    """A function from a kind of model to a subject."""

    def make(kind):
        run = Run(folder if kind == "vaegan" else trained(kind))
        flags = [f"--model_dir=runs/{kind}"]
        return Subject.of(run, run.model()[0], kind, flags)

    return make


@pytest.fixture(scope="module")
def subject(make_subject):
    return make_subject("vaegan")


@pytest.fixture(scope="module")
def server(subject):
    with serving(subject) as server:
        yield server


def send(server, method, path, body=None, headers=JSON):
    """The status, headers and content of an answer."""
    port = server.server_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def ask(server, tool, *requests):
    """What each model answers."""
    body = json.dumps({"runs": requests})
    status, _, content = send(server, "POST", f"/{tool}", body)
    assert status == 200, content
    return json.loads(content)["runs"]


def refused(server, path, body, headers=JSON):
    status, _, content = send(server, "POST", path, body, headers)
    return status, json.loads(content)["error"]


def decoded(url):
    """The pixels of a data URL."""
    start, _, content = url.partition(",")
    assert start == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def url(pixels):
    content = base64.b64encode(pictures.encode_png(pixels)).decode()
    return f"data:image/png;base64,{content}"


def face(seed=0):
    """A picture of the models' size, as a data URL."""
    noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3))
    return url(noise.astype(np.uint8))


def as_model_sees(text):
    return (decoded(text)[None] / 127.5 - 1).astype(np.float32)


def assert_alike(text, image):
    """A picture is an image, but for rounding to a level."""
    difference = decoded(text).astype(int) - pictures.to_uint8(image)
    assert np.abs(difference).max() <= 1


def test_the_page_names_its_model_and_a_slider_for_each_attribute(
    server, subject
):
    status, headers, content = send(server, "GET", "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    text = content.decode()
    assert text.count('type="range" data-attribute=') == len(
        subject.vectors.names
    )
    # It may fetch from here and from nowhere else.
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "http" not in policy
    for name, kind in (("css", "text/css"), ("js", "text/javascript")):
        assert f'"explorer.{name}"' in text
        status, headers, _ = send(server, "GET", f"/explorer.{name}")
        assert (status, headers["Content-Type"]) == (200, kind)
    assert send(server, "GET", "/../run.json")[0] == 404


def test_samples_are_those_of_the_model(server, subject):
    (answer,) = ask(server, "sample", {"seed": 3, "count": 4})
    expected = subject.model.sample(4, 3).numpy()
    for text, image in zip(answer["pictures"], expected, strict=True):
        assert_alike(text, image)
    assert decoded(answer["figure"]).shape == (70, 70, 3)
    assert answer["command"] == (
        "vaegan-sample --model_dir=runs/vaegan --count=4 --seed=3 "
        "--output=samples.png"
    )
    assert answer["files_command"].endswith(" --output=prior-vaegan-3/")


def test_samples_of_the_mixture_are_those_of_its_codes(server, subject, folder):
    request = {"seed": 3, "count": 4, "sampler": "mixture"}
    (answer,) = ask(server, "sample", request)
    codes = create_sampler(folder, "mixture").codes(4, 3)
    expected = subject.model.decode(codes).numpy()
    for text, image in zip(answer["pictures"], expected, strict=True):
        assert_alike(text, image)
    assert " --seed=3 --sampler=mixture --output=" in answer["command"]
    assert answer["folder"] == "mixture-vaegan-3/"
    page = send(server, "GET", "/")[2].decode()
    assert "<option selected>mixture</option>" in page


def test_the_prior_comes_first_where_one_model_has_no_mixture(
    make_subject, subject
):
    others = make_subject("vae"), make_subject("gan")
    request = {"count": 1, "sampler": "mixture"}
    with serving(subject, *others) as server:
        page = send(server, "GET", "/")[2].decode()
        able, *unable = ask(server, "sample", *[request] * 3)
    assert "<option selected>prior</option>" in page
    assert "figure" in able
    command = "vaegan-sample --model_dir=runs/vae --sampler=mixture"
    assert command in unable[0]["error"]
    assert unable[1]["error"].startswith("A GAN cannot encode.")


@pytest.mark.parametrize("keep", ["none", "residual"])
def test_edits_are_those_of_the_editor(server, subject, folder, keep):
    first, second, *_ = subject.vectors.names
    picture = face()
    (answer,) = ask(
        server,
        "edit",
        {
            "picture": picture,
            "name": "my face.jpg",
            "attributes": {first: 1.5, second: 0, "Unknown": 2},
            "vectors": "plain",
            "keep": keep,
        },
    )
    image = as_model_sees(picture)
    vectors = kept_vectors(Run(folder))
    direction = vectors.direction({first: 1.5}, "plain")
    editor = Editor(subject.model, keep)
    assert_alike(answer["figure"], editor.edit(image, direction)[0])
    reconstruction = subject.model.reconstruct(image)[0].numpy()
    assert_alike(answer["reconstruction"], reconstruction)
    assert answer["command"] == (
        "vaegan-edit --model_dir=runs/vaegan 'my face.jpg' "
        f"--attribute={first}=1.5 --vectors=plain --keep={keep} "
        "--output=edited/"
    )


def test_without_a_move_the_command_reconstructs(server):
    request = {"picture": face(), "name": "-x.png"}
    (answer,) = ask(server, "edit", request)
    assert answer["figure"] == answer["reconstruction"]
    assert answer["command"] == (
        "vaegan-reconstruct --model_dir=runs/vaegan ./-x.png "
        "--output=reconstructed/"
    )


def test_a_path_leads_from_one_reconstruction_to_the_other(server, subject):
    pair = [face(0), face(1)]
    request = {"picture": pair[0], "other": pair[1], "path": "linear"}
    (answer,) = ask(server, "between", request)
    images = np.concatenate([as_model_sees(picture) for picture in pair])
    frames = Editor(subject.model).interpolations(images, 17, "linear")[0]
    for text, frame in zip(answer["pictures"], frames, strict=True):
        assert_alike(text, frame)
    assert "a.png b.png --show=interpolation --frames=17" in answer["command"]


def test_pictures_are_compared_as_the_discriminator_sees_them(server, subject):
    pair = [face(0), face(1)]
    (answer,) = ask(server, "compare", {"picture": pair[0], "other": pair[1]})
    expected = LearnedMetric(subject.model)(*map(as_model_sees, pair))
    for name, value in answer["numbers"].items():
        assert value == pytest.approx(expected[name].numpy()[0], rel=1e-4)
    assert answer["largest"] >= answer["numbers"]["feature_distance"]
    assert decoded(answer["map"]).shape == (32, 32, 3)
    assert answer["command"].endswith(" a.png b.png --map=map.png")


def test_a_picture_is_compared_with_its_reconstruction(server, subject):
    picture = face(2)
    (answer,) = ask(server, "anomaly", {"picture": picture, "name": "x.png"})
    metric = LearnedMetric(subject.model)
    expected = metric.from_reconstruction(as_model_sees(picture))
    assert answer["numbers"]["feature_distance"] == pytest.approx(
        expected["feature_distance"].numpy()[0], rel=1e-4
    )
    assert answer["command"].endswith(" x.png --map=map.png")


def photograph(server, content, name="photo.jpg"):
    path = f"/photograph?name={name}"
    status, _, answer = send(server, "POST", path, content, BYTES)
    assert status == 200
    return json.loads(answer)["runs"]


def test_of_a_photograph_the_central_square_is_taken(server):
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 255
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "png")
    (answer,) = photograph(server, content.getvalue())
    assert answer["note"] == "The central square was taken."
    np.testing.assert_array_equal(decoded(answer["picture"]), 255)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"I am text.", "Not an image: photo.jpg. It must be one of JPEG"),
        (NOISE[: len(NOISE) // 2], "Cannot read the image photo.jpg: "),
        (b"", "Not an image"),
    ],
)
def test_of_what_is_no_image_a_sentence_says_so(server, content, message):
    (answer,) = photograph(server, content)
    assert answer["error"].startswith(message)


def test_a_huge_image_is_not_unpacked(server, monkeypatch):
    monkeypatch.setattr("vaegan_tf.explorer.tools.MAX_PIXELS", 80)
    (answer,) = photograph(
        server, pictures.encode_png(np.zeros((9, 9, 3), "B"))
    )
    assert "9 × 9 pixels, more than 80" in answer["error"]


def test_a_large_file_is_refused_while_it_is_sent(server, monkeypatch):
    monkeypatch.setattr("vaegan_tf.explorer.tools.MAX_UPLOAD", 2**20)
    body = b"\0" * (2**20 + 1)
    status, message = refused(server, "/photograph", body, BYTES)
    assert status == 413
    assert message == "The file is too large: it may have 1 MiB."


def test_models_stand_side_by_side_and_say_what_they_cannot(
    make_subject, subject
):
    gan = make_subject("gan")
    assert "cannot encode" in gan.without_vectors
    with serving(subject, gan) as server:
        text = send(server, "GET", "/")[2].decode()
        assert text.count("A GAN cannot encode.") > 2
        both = ask(server, "sample", {"count": 1}, {"count": 1})
        assert both[0]["pictures"] != both[1]["pictures"]
        request = {"picture": face()}
        able, unable = ask(server, "edit", request, request)
        assert "figure" in able
        assert unable["error"].startswith("A GAN cannot encode.")
        pair = {**request, "other": face(1)}
        assert all("map" in each for each in ask(server, "compare", pair, pair))


def test_conditional_models_are_moved_at_their_samples(make_subject):
    subject = make_subject("conditional")
    name = subject.conditions[0]
    with serving(subject) as server:
        plain, moved = (
            ask(server, "sample", {"count": 1, "attributes": {name: value}})[0]
            for value in (0, 2)
        )
        (edited,) = ask(server, "edit", {"picture": face()})
    assert plain["pictures"] != moved["pictures"]
    assert "--condition" not in plain["command"]
    assert f"--condition={name}=2 " in moved["command"]
    assert "is conditional" in edited["error"]


def test_a_run_without_vectors_says_how_to_get_them(make_subject):
    subject = make_subject("vae")
    assert "vaegan-attributes --model_dir=runs/vae" in subject.without_vectors
    with serving(subject) as server:
        assert subject.without_vectors in send(server, "GET", "/")[2].decode()
        (edited,) = ask(server, "edit", {"picture": face()})
        pair = {"picture": face(), "other": face(1)}
        (compared,) = ask(server, "compare", pair)
    assert "vaegan-reconstruct" in edited["command"]
    assert compared["error"].startswith("A VAE cannot discriminate.")


@pytest.mark.parametrize(
    ("path", "request_", "message"),
    [
        ("sample", {"count": 65}, "`count` must be at least 1 and at most 64"),
        ("sample", {"seed": "x"}, "`seed` must be a whole number"),
        ("sample", {"attributes": {"Hat": 1e9}}, "numbers from -100 to 100"),
        ("sample", {"attributes": ["Hat"]}, "`attributes` must be names"),
        ("edit", {"picture": "nonsense"}, "Not an image: the picture."),
        ("edit", {"picture": "x,%%%"}, "A picture is a data URL"),
        ("edit", {"picture": url(np.zeros((8, 8, 3), "B"))}, "32 × 32 pixels"),
        ("edit", {}, "Not an image: the picture."),
        ("edit", {"picture": face(), "keep": "all"}, "`keep` must be one of"),
    ],
)
def test_requests_that_are_refused(server, path, request_, message):
    body = json.dumps({"runs": [request_]})
    status, said = refused(server, f"/{path}", body)
    assert status == 400
    assert message in said


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"runs": [1]}', b"9"])
def test_bodies_that_are_refused(server, body):
    status, said = refused(server, "/sample", body)
    assert status == 400
    assert said.startswith('A request is {"runs": [...]}')


def test_there_are_no_other_tools(server):
    assert refused(server, "/shell", SAMPLE)[0] == 404
    assert refused(server, "/sample", SAMPLE, {})[0] == 415
    for method in ("PUT", "OPTIONS", "DELETE"):
        assert send(server, method, "/sample")[0] == 501


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "["])
def test_other_names_of_this_machine_are_not_answered(server, host):
    headers = {"Host": host, **JSON}
    assert send(server, "GET", "/", headers=headers)[0] == 403
    assert refused(server, "/sample", SAMPLE, headers)[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:8000"])
def test_names_of_this_machine_are_answered(server, host):
    assert send(server, "GET", "/", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1", "Host": "localhost:2"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_cannot_have_it_compute(server, headers):
    assert refused(server, "/sample", SAMPLE, {**JSON, **headers})[0] == 403


def test_its_own_page_can(server):
    headers = {"Origin": "http://localhost:2", "Host": "localhost:2", **JSON}
    headers["Sec-Fetch-Site"] = "same-origin"
    assert send(server, "POST", "/sample", SAMPLE, headers)[0] == 200


def test_a_fault_is_told_and_the_server_goes_on(server, monkeypatch):
    def fail(*_):
        raise RuntimeError("oops")

    with monkeypatch.context() as patch:
        patch.setattr("vaegan_tf.explorer.tools.answer", fail)
        status, said = refused(server, "/sample", SAMPLE)
    assert status == 500
    assert said.endswith("please report it: RuntimeError: oops")
    assert send(server, "POST", "/sample", SAMPLE)[0] == 200


def test_it_answers_several_browsers_at_once(server):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = pool.map(
            lambda _: send(server, "POST", "/sample", SAMPLE), range(8)
        )
        contents = [(status, content) for status, _, content in answers]
    assert contents == [contents[0]] * 8
    assert contents[0][0] == 200


def test_a_browser_that_goes_does_no_harm(server):
    place = ("127.0.0.1", server.server_port)
    with socket.create_connection(place) as gone:
        gone.sendall(
            b"POST /sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            b"application/json\r\nContent-Length: 99\r\n\r\n{"
        )
    assert send(server, "GET", "/")[0] == 200


def test_no_name_server_is_asked(subject, monkeypatch):
    def ask(*_):
        pytest.fail("A name was looked up.")

    monkeypatch.setattr(socket, "getfqdn", ask)
    monkeypatch.setattr(socket, "gethostbyaddr", ask)
    with create_server([subject], port=0) as server:
        assert server.server_port > 0


def test_a_port_in_use_is_told(server, subject):
    port = server.server_port
    with pytest.raises(OSError, match=f"Cannot listen on port {port} of 127"):
        create_server([subject], port=port)
    with pytest.raises(OSError, match=r"on port 0 of no\.such"):
        create_server([subject], host="no.such.invalid", port=0)


def test_nothing_is_written(server, folder):
    before = sorted(path.stat().st_mtime_ns for path in folder.rglob("*"))
    ask(server, "sample", {})
    photograph(server, pictures.encode_png(np.zeros((9, 9, 3), np.uint8)))
    after = sorted(path.stat().st_mtime_ns for path in folder.rglob("*"))
    assert before == after
