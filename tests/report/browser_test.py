"""The page as a browser shows it."""

import json
import re
import subprocess

import pytest

from tests import browser
from vaegan_tf.report import page

WIDTHS = (390, 1280)
# Frames of each width, and what is found in them, put into the document.
FRAMES = """<!DOCTYPE html><title>frames</title><link rel="icon" href="data:,">
<body><script>
const found = [];
function open(width) {
  const frame = document.createElement("iframe");
  frame.width = width;
  frame.height = 800;
  frame.onload = () => {
    const page = frame.contentDocument;
    for (const part of page.querySelectorAll("details")) part.open = true;
    const root = page.documentElement;
    const wide = [...page.querySelectorAll("body *")].filter(element =>
      !element.closest(".scroll") &&
      element.getBoundingClientRect().right > root.clientWidth + 1);
    found.push({
      width: root.clientWidth,
      content: root.scrollWidth,
      wide: wide.map(element => element.outerHTML.slice(0, 80)),
      lines: page.querySelectorAll(".chart > svg .stroke").length,
      images: [...page.images].map(image => image.naturalWidth),
      scrolls: [...page.querySelectorAll(".scroll")]
        .filter(box => box.scrollWidth > box.clientWidth).length,
    });
    if (found.length == WIDTHS.length) document.title =
      "found" + JSON.stringify(found) + "end";
  };
  frame.src = "report.html";
  document.body.append(frame);
}
const WIDTHS = %s;
WIDTHS.forEach(open);
</script>"""

pytestmark = browser.MARKS


@pytest.fixture
def report(make_record, make_outputs, make_score, tmp_path):
    """A page of four runs, one of which has a very long name."""
    metrics = [
        {"step": step, "kl": 50 / step, "encoder_loss": 9.0, "real": 0.5}
        for step in range(1, 100)
    ]
    labels = ["vaegan", "vae", "a" * 90, "gan of <b>somebody</b>"]
    records = [
        make_record(
            label,
            index,
            metrics=metrics,
            scores=[make_score(value=30.0 + index, error=0.4, floor=1.2)],
            train_steps=100 + index,
        )
        for index, label in enumerate(labels)
    ]
    outputs = [make_outputs(index) for index in range(4)]
    folder = tmp_path / "site"
    folder.mkdir()
    text = page.render(records, outputs, "vaegan-report " + "x" * 200)
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "frames.html").write_text(FRAMES % json.dumps(WIDTHS))
    return folder


@pytest.fixture
def site(report):
    """Address of the folder, served, and the paths that were asked for."""
    with browser.served(report) as (address, asked, _):
        yield address, asked


def chromium(home, *arguments):
    options = browser.command(home, *arguments)
    return subprocess.run(
        **options, capture_output=True, timeout=120, check=True
    )


def console(result):
    return browser.console(result.stderr)


def test_the_page_fits_phones_and_desks(site, tmp_path):
    address, asked = site
    result = chromium(
        tmp_path,
        "--virtual-time-budget=20000",
        "--dump-dom",
        f"{address}/frames.html",
    )
    assert console(result) == []
    title = re.search("<title>found(.*)end</title>", result.stdout)
    found = {view["width"]: view for view in json.loads(title[1])}
    for width, view in found.items():
        assert view["content"] <= width
        assert view["wide"] == []
        # Two charts of terms and one of an objective, four lines each.
        assert view["lines"] == 12
        # Two rows of strips with five each, and four grids.
        assert len(view["images"]) == 14
        assert all(view["images"])
    # Scroll bars may take a little of the width.
    phone, desk = sorted(found)
    assert 370 <= phone <= 390
    assert 1260 <= desk <= 1280
    assert found[phone]["scrolls"] > 0
    assert set(asked) == {"/frames.html", "/report.html"}


def test_the_console_would_tell_of_an_error(report, tmp_path):
    text = (report / "report.html").read_text(encoding="utf-8")
    broken = text.replace("</body>", "<script>oops()</script></body>")
    (report / "broken.html").write_text(broken, encoding="utf-8")
    result = chromium(tmp_path, "--dump-dom", (report / "broken.html").as_uri())
    assert any("Content Security Policy" in line for line in console(result))


def test_the_page_prints(report, tmp_path):
    printed = tmp_path / "report.pdf"
    result = chromium(
        tmp_path,
        "--no-pdf-header-footer",
        f"--print-to-pdf={printed}",
        (report / "report.html").as_uri(),
    )
    assert console(result) == []
    content = printed.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) > 2
