"""The page of published weights, used as a person uses it in a browser."""

import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests import browser
from tests.explorer.conftest import serving
from vaegan_tf.explorer import Subject
from vaegan_tf.images import encode_png, to_uint8
from vaegan_tf.pretrained import pretrained_run

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

DRIVER = shutil.which("chromedriver")
pytestmark = [
    *browser.MARKS,
    pytest.mark.skipif(DRIVER is None, reason="there is no chromedriver"),
]
FLAGS = "--pretrained=avatars64"
CAMERA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
# Nothing is asked of the server, and no picture is being read.
IS_IDLE = """return !Object.keys(waiting).length &&
  ![...document.querySelectorAll('.note')].some(
    note => note.textContent.startsWith('Reading'))"""


@pytest.fixture(scope="module")
def run():
    return pretrained_run("avatars64")


@pytest.fixture(scope="module")
def subject(run):
    return Subject.of(run, run.model()[0], "avatars64", [FLAGS])


@pytest.fixture(scope="module")
def server(subject):
    with serving(subject) as server:
        yield server


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def driver(downloads):
    options = webdriver.ChromeOptions()
    options.binary_location = browser.CHROMIUM
    for option in (*browser.OPTIONS, *CAMERA, "--window-size=1280,900"):
        options.add_argument(option)
    folder = {"download.default_directory": str(downloads)}
    options.add_experimental_option("prefs", folder)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    service = webdriver.ChromeService(DRIVER)
    with webdriver.Chrome(options=options, service=service) as driver:
        yield driver


class Page:
    """The page, and what a person does there."""

    def __init__(self, driver):
        self.driver = driver

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def wait(self, condition):
        WebDriverWait(self.driver, 60, poll_frequency=0.02).until(condition)

    def settle(self):
        self.wait(lambda driver: driver.execute_script(IS_IDLE))

    def press(self, selector, *keys):
        self.find(selector).send_keys(*keys)
        self.settle()

    def choose(self, selector, value):
        Select(self.find(selector)).select_by_visible_text(value)
        self.settle()

    def upload(self, slot, path):
        """Chooses a file for a picture; what the page says of it."""
        self.press(f"#slot-{slot} input[type=file]", str(path))
        return self.find(f"#slot-{slot} .note").text

    def pictures(self, selector):
        """Pixels of the pictures shown there, (pictures, 64, 64, 3)."""
        sources = [i.get_attribute("src") for i in self.all(f"{selector} img")]
        return np.stack([pixels(source) for source in sources])

    def command(self, tool):
        code = self.find(f"#{tool}-results code")
        return code.get_attribute("textContent")

    def requests(self):
        """Addresses that were asked for since this was called last."""
        entries = [json.loads(e["message"])["message"] for e in self.log()]
        return [
            entry["params"]["request"]["url"]
            for entry in entries
            if entry["method"] == "Network.requestWillBeSent"
        ]

    def log(self, kind="performance"):
        return self.driver.get_log(kind)


def pixels(source):
    start, _, content = source.partition(",")
    assert start == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def page(driver, server):
    """The page as it opens; in the end there are no errors on the console."""
    page = Page(driver)
    driver.get(server.url)
    page.settle()
    yield page
    assert page.log("browser") == []
    requests = page.requests()
    assert len(requests) > 5
    own = (server.url, "data:", "blob:")
    assert [url for url in requests if not url.startswith(own)] == []


@pytest.fixture
def face(run, tmp_path):
    """A drawn face in the middle of a wide picture, and as the model sees it.

    At its sides is white, which the page should cut off.
    """
    image = run.examples("test", 1)["image"]
    wide = np.pad(
        to_uint8(image[0]), [(0, 0), (40, 40), (0, 0)], constant_values=255
    )
    path = tmp_path / "my face.png"
    path.write_bytes(encode_png(wide))
    return path, image


def assert_alike(shown, images):
    """Pictures are images, but for rounding to a level of 255."""
    assert np.abs(shown - to_uint8(images)).max() <= 1


def test_samples_are_drawn_by_seed_and_sampler(page, subject):
    def drawn(seed, sampler):
        return subject.sample(16, seed, {}, sampler)

    first = page.pictures(".tiles")
    assert_alike(first, drawn(0, "mixture"))
    page.press("#seed", Keys.UP)
    assert_alike(page.pictures(".tiles"), drawn(1, "mixture"))
    page.press("#seed", Keys.DOWN)
    np.testing.assert_array_equal(page.pictures(".tiles"), first)
    assert page.command("sample") == (
        f"vaegan-sample {FLAGS} --count=16 --seed=0 --sampler=mixture "
        "--output=samples.png"
    )
    page.choose("#sampler", "prior")
    assert_alike(page.pictures(".tiles"), drawn(0, "prior"))
    # A sample becomes picture B, by the keyboard.
    page.press("input[name=slot][value=b]", Keys.SPACE)
    page.press(".tiles button:nth-child(6)", Keys.ENTER)
    note = page.find("#slot-b .note").text
    assert note.startswith("prior-avatars64-0/00005.png")
    assert_alike(page.pictures("#slot-b"), drawn(0, "prior")[5:6])


def test_a_file_is_edited_and_saved(page, face, subject, downloads):
    path, image = face
    note = page.upload("a", path)
    assert note == "my face.png. The central square was taken."
    assert_alike(page.pictures("#slot-a"), image)
    page.press("[data-attribute=Hat]", *[Keys.RIGHT] * 12)
    page.press("[data-attribute=Smiling]", Keys.LEFT)
    values = [o.text for o in page.all("#attributes output")]
    assert sorted(values)[:2] == ["-0.1", "0"]
    assert max(values) == "1.2"
    edits = subject.edit(image, {"Hat": 1.2, "Smiling": -0.1})
    shown = page.pictures("#edit-results")
    assert_alike(shown, np.concatenate([image, *edits]))
    assert np.abs(shown[2] - shown[1]).max() > 60
    page.find("#edit-results summary").click()
    command = page.find("#edit-results code").text
    assert command == (
        f"vaegan-edit {FLAGS} 'my face.png' --attribute=Hat=1.2,Smiling=-0.1 "
        "--vectors=balanced --keep=none --output=edited/"
    )
    page.find("#edit-results .copy").click()
    page.wait(lambda _: page.find("#edit-results .copy").text == "Copied")
    page.find("#edit-results .save").click()
    saved = downloads / "edit.png"
    page.wait(lambda _: saved.exists())
    np.testing.assert_array_equal(Image.open(saved), shown[2])
    page.press("#keep", Keys.SPACE)
    assert "--keep=residual" in page.command("edit")
    page.press("#keep", Keys.SPACE)
    page.press("#reset", Keys.ENTER)
    _, reconstruction, edited = page.pictures("#edit-results")
    np.testing.assert_array_equal(edited, reconstruction)


def test_a_file_may_be_dropped(page, face):
    path, image = face
    page.driver.execute_script(
        """const data = new DataTransfer();
        const letters = [...atob(arguments[0])];
        const content = Uint8Array.from(letters, c => c.charCodeAt(0));
        data.items.add(new File([content], "dropped.png"));
        const init = { dataTransfer: data, bubbles: true, cancelable: true };
        const part = document.querySelector("#slot-b");
        for (const kind of ["dragover", "drop"]) {
          part.dispatchEvent(new DragEvent(kind, init));
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    page.settle()
    assert page.find("#slot-b .note").text.startswith("dropped.png. ")
    assert_alike(page.pictures("#slot-b"), image)
    assert "aimed" not in page.find("#slot-b").get_attribute("class")


def test_two_pictures_are_joined_and_compared(page, subject):
    frames = page.pictures(".strip")
    (middle,) = page.pictures(".moving")
    np.testing.assert_array_equal(middle, frames[8])
    page.press("#frame", *[Keys.RIGHT] * 3)
    np.testing.assert_array_equal(page.pictures(".moving")[0], frames[11])
    page.choose("#path", "linear")
    assert "--path=linear" in page.command("between")
    one, other, _ = page.pictures("#compare-results")
    as_seen = [
        (picture[None] / 127.5 - 1).astype(np.float32)
        for picture in (one, other)
    ]
    compared = subject.compare(*as_seen)
    distance, largest, _ = (d.text for d in page.all("#compare-results dd"))
    expected = float(compared["feature_distance"][0])
    assert float(distance) == pytest.approx(expected, rel=0.01)
    expected = float(compared["map"].max())
    assert float(largest) == pytest.approx(expected, rel=0.01)
    # The map is orange where they differ, and grey where they do not.
    *_, drawn = page.pictures("#anomaly-results")
    colour = np.ptp(drawn, axis=-1)
    assert colour.max() > 100
    assert colour.min() < 20


def test_the_camera_takes_a_picture(page):
    page.find("#slot-b .camera").click()
    is_running = "return document.querySelector('video').videoWidth > 0"
    page.wait(lambda driver: driver.execute_script(is_running))
    page.find("#shoot").click()
    note = page.find("#slot-b .note")
    page.wait(lambda _: note.text.startswith("camera.png"))
    page.settle()
    assert note.text == "camera.png. The central square was taken."
    # Chromium draws a green picture without a camera.
    red, green, blue = page.pictures("#slot-b").mean(axis=(0, 1, 2))
    assert green > red + 30
    assert green > blue + 30
    assert "camera.png" in page.command("compare")
    is_off = "return document.querySelector('video').srcObject === null"
    assert page.driver.execute_script(is_off)


def test_of_files_that_are_no_pictures_it_says_so(page, tmp_path):
    before = page.pictures("#slot-a")
    large = tmp_path / "large.png"
    with open(large, "wb") as file:
        file.truncate(20 * 2**20 + 1)
    wide = tmp_path / "wide.png"
    Image.new("1", (10_000, 5_001)).save(wide)
    text = tmp_path / "text.png"
    text.write_text("Dear Ada")
    broken = tmp_path / "broken.png"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    broken.write_bytes(encode_png(noise)[:5000])
    for path, said in (
        (large, "The file is too large: it may have 20 MiB."),
        (wide, "wide.png: it has 10000 × 5001 pixels, more than 50,000,000"),
        (text, "Not an image: text.png. It must be one of JPEG"),
        (broken, "Cannot read the image broken.png: "),
    ):
        assert said in page.upload("a", path)
        assert page.find("#slot-a .note").get_attribute("class").split() == [
            "note",
            "problem",
        ]
    np.testing.assert_array_equal(page.pictures("#slot-a"), before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_phones_and_desks_by_day_and_night(page, width, scheme):
    size = {"width": width, "height": 844, "deviceScaleFactor": 1}
    feature = {"name": "prefers-color-scheme", "value": scheme}
    command = page.driver.execute_cdp_cmd
    command(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 400}
    )
    command("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        content, paper, ink = page.driver.execute_script(
            """const style = getComputedStyle(document.body);
            for (const part of document.querySelectorAll("details")) {
              part.open = true;
            }
            return [document.documentElement.scrollWidth,
              style.backgroundColor, style.color]"""
        )
    finally:
        command("Emulation.clearDeviceMetricsOverride", {})
        command("Emulation.setEmulatedMedia", {"features": []})
    assert content <= width
    is_dark = sum(rgb(paper)) < sum(rgb(ink))
    assert is_dark == (scheme == "dark")


def rgb(colour):
    """The numbers in `rgb(1, 2, 3)`."""
    return [int(number) for number in colour[4:-1].split(",")]


def test_the_log_would_tell_of_requests_to_elsewhere(page):
    outside = "http://192.0.2.1/"
    page.driver.execute_async_script(
        "fetch(arguments[0]).catch(() => {}).finally(arguments[1])", outside
    )
    said = [entry["message"] for entry in page.log("browser")]
    assert any("Content Security Policy" in line for line in said)
