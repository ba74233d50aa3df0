"""The page that draws faces, as a person uses it in a browser.

It needs TensorFlow.js in the checkout: npm install @tensorflow/tfjs@4.22.0.
"""

import json
import pathlib
import subprocess

import numpy as np
import pytest

import vaegan_tf
from tests import browser
from vaegan_tf.attributes import AttributeVectors
from vaegan_tf.export import export_web
from vaegan_tf.export.web import RUNTIME
from vaegan_tf.images import to_uint8
from vaegan_tf.models import create_model
from vaegan_tf.sampling import MixtureSampler

TENSORFLOW_JS = pathlib.Path(vaegan_tf.__file__).parents[1] / RUNTIME
pytestmark = [
    *browser.MARKS,
    pytest.mark.skipif(
        not TENSORFLOW_JS.exists(), reason="there is no TensorFlow.js"
    ),
]
CODE = [0.5, -1.0, 2.0, 0.25]
HAT = np.array([1.0, 0.0, -1.0, 0.5], np.float32)
# Its codes lie on two lines of the direction 1, 2, 3, 4.
MIXTURE = MixtureSampler(
    weights=np.array([0.75, 0.25], np.float32),
    means=np.array([[5, 0, 0, 0], [0, -5, 0, 0]], np.float32),
    scales=np.float32([[[f * n, 0, 0, 0] for n in range(1, 5)] for f in (1, 2)])
    / 8,
)
WIDTHS = (390, 1280)
# Uses the page in frames of each width, and posts what it then shows.
SCRIPT = """<!DOCTYPE html><title>frames</title><link rel="icon" href="data:,">
<body><script>
async function until(condition) {
  while (!condition()) await new Promise(done => setTimeout(done, 20));
}
function pixels(canvas) {
  const { width, height } = canvas;
  const copy = document.createElement("canvas");
  Object.assign(copy, { width, height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, width, height).data];
}
async function use(width) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { width, height: 900, src: "index.html" });
  document.body.append(frame);
  await until(() => frame.contentDocument?.body?.dataset.ready);
  const page = frame.contentDocument, window = frame.contentWindow;
  const $ = id => page.getElementById(id);
  const root = page.documentElement;
  const found = { width, client: root.clientWidth, content: root.scrollWidth };
  const faces = () => [...page.querySelectorAll("#faces canvas")].map(pixels);
  const idle = () => until(() => $("face").ariaBusy == "false");
  found.mixed = [];
  for (const button of page.querySelectorAll("#faces button")) {
    button.click();
    await idle();
    found.mixed.push(JSON.parse($("code").value));
  }
  const mixed = page.querySelector("#faces button");
  $("sampler").value = "prior";
  $("sampler").dispatchEvent(new window.Event("change"));
  await until(() => page.querySelector("#faces button") != mixed);
  found.seeds = [faces()];
  $("next").click();
  await until(() => page.querySelector("[aria-label='Face 1 of seed 1']"));
  found.seeds.push(faces());
  page.querySelectorAll("#faces button")[2].click();
  await idle();
  found.third = pixels($("face"));
  $("code").value = JSON.stringify(%(code)s);
  $("decode").click();
  await idle();
  found.decoded = pixels($("face"));
  const slider = $("slider-Hat");
  slider.value = 1.5;
  slider.dispatchEvent(new window.Event("input"));
  await idle();
  found.edited = pixels($("face"));
  $("reset").click();
  await idle();
  found.reset = pixels($("face"));
  $("code").value = "[1, 2]";
  $("decode").click();
  found.refusal = $("status").textContent;
  const parts = page.querySelectorAll("input, button, select, textarea");
  found.labels = [...parts].map(
    element => element.labels?.[0]?.textContent ||
      element.getAttribute("aria-label") || element.textContent);
  return found;
}
(async () => {
  const found = [];
  for (const width of %(widths)s) found.push(await use(width));
  await fetch("/", { method: "POST", body: JSON.stringify(found) });
})();
</script>"""


@pytest.fixture(scope="module")
def model():
    return create_model("vae", image_size=32, width=0.05, latent_dim=4)


@pytest.fixture(scope="module")
def found(model, tmp_path_factory):
    """What was found at each width, paths asked for, lines of the console."""
    folder = tmp_path_factory.mktemp("page") / "site"
    vectors = AttributeVectors(
        ("Hat",), np.ones((1, 2)), {"balanced": HAT[None]}, {}
    )
    export_web(model, folder, vectors, mixture=MIXTURE, runtime=TENSORFLOW_JS)
    script = SCRIPT % {"code": CODE, "widths": list(WIDTHS)}
    (folder / "frames.html").write_text(script)
    with browser.served(folder) as (address, asked, wait):
        options = browser.command(
            folder.parent,
            "--enable-unsafe-swiftshader",  # WebGL without a GPU
            f"{address}/frames.html",
        )
        log = folder.parent / "stderr"
        with (
            open(log, "w") as stderr,
            subprocess.Popen(**options, stderr=stderr) as process,
        ):
            try:
                results = json.loads(wait())
            finally:
                process.terminate()
    return results, asked, browser.console(log.read_text())


def as_image(pixels):
    return np.array(pixels).reshape(32, 32, 4)


def test_pictures_are_those_of_python(model, found):
    code = np.array([CODE], np.float32)
    plain, edited = (
        to_uint8(model.decode(latent))[0].astype(int)
        for latent in (code, code + 1.5 * HAT)
    )
    # Codes and vectors differ enough that a mix-up would show.
    assert np.abs(plain - edited).max() > 20
    for view in found[0]:
        for name, expected in (
            ("decoded", plain),
            ("edited", edited),
            ("reset", plain),
        ):
            image = as_image(view[name])
            assert np.abs(image[..., :3] - expected).max() <= 1
            assert np.all(image[..., 3] == 255)


def test_seeds_draw_faces_and_a_click_chooses_one(found):
    for view in found[0]:
        first, second = view["seeds"]
        assert len(first) == len(second) == 16
        assert first != second
        assert view["third"] == second[2]
    assert found[0][0]["seeds"] == found[0][1]["seeds"]


def test_codes_are_those_of_the_mixture(found):
    line = np.arange(1, 5)
    for view in found[0]:
        codes = np.array(view["mixed"])
        factors = []
        for mean, own in zip(MIXTURE.means, (1 / 8, 2 / 8)):
            away = codes - mean
            along = away @ line / (line @ line)
            on_line = np.abs(away - along[:, None] * line).max(axis=1) < 1e-5
            factors.append(along[on_line] / own)
        # Each is of one of both, of which the first is the more frequent.
        assert sum(map(len, factors)) == len(codes) == 16
        assert len(factors[0]) > len(factors[1]) > 0
        # Along it lies a standard normal.
        assert 0.5 < np.std(np.concatenate(factors)) < 1.6
    assert found[0][0]["mixed"] == found[0][1]["mixed"]


def test_codes_of_another_length_are_refused(found):
    for view in found[0]:
        assert view["refusal"] == "A code is a list of 4 numbers."


def test_it_fits_and_everything_has_a_name(found):
    for view in found[0]:
        assert view["content"] <= view["client"]
        assert all(view["labels"])


def test_it_asks_for_nothing_and_logs_nothing(found):
    _, asked, console = found
    assert set(asked) == {"/frames.html", "/index.html", "/"}
    assert console == []
