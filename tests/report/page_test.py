import html.parser
import re

import pytest

from vaegan_tf.report import gallery, page

VOID = {"meta", "link", "img", "br", "path", "use"}
HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;"
METRICS = [{"step": 50, "kl": 2.0}, {"step": 100, "kl": 1.0}]


class Reader(html.parser.HTMLParser):
    """Notes elements, what they refer to, and whether all are closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.references, self.open = [], [], []
        self.ids, self.text = set(), []
        self.feed(text)
        self.close()

    def handle_startendtag(self, tag, attributes):
        self._note(tag, attributes)

    def handle_starttag(self, tag, attributes):
        self._note(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def _note(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        for name, value in attributes:
            if name in ("src", "href", "srcset", "data", "action", "poster"):
                self.references.append(value)
            if name == "id":
                self.ids.add(value)


@pytest.fixture
def make_page(make_record, make_outputs):
    """A function that makes the page of two runs that were scored."""

    def make(one="a", other="b", **changes):
        records = [
            make_record(one, 0, metrics=METRICS, **changes),
            make_record(other, 1, metrics=METRICS, kind="vae"),
        ]
        outputs = [make_outputs(0), make_outputs(1)]
        return page.render(records, outputs, "vaegan-report a b")

    return make


def test_the_page_needs_nothing_from_outside(make_page, make_score):
    text = make_page(scores=[make_score(floor=0.5)])
    reader = Reader(text)
    outside = [
        reference
        for reference in reader.references
        if not reference.startswith(("data:", "#"))
    ]
    assert outside == []
    assert "script" not in {tag for tag, _ in reader.elements}
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import|@font-face", style)
    assert "http:" not in text
    assert "https:" not in text


def test_the_page_is_whole(make_page):
    reader = Reader(make_page())
    assert reader.open == []
    inner = {r[1:] for r in reader.references if r.startswith("#")}
    assert inner
    assert inner <= reader.ids
    tags = [tag for tag, _ in reader.elements]
    assert tags.count("h1") == tags.count("main") == 1
    for tag, attributes in reader.elements:
        assert tag != "img" or attributes["alt"]
        assert tag != "svg" or {"aria-label", "aria-hidden"} & set(attributes)


def test_hostile_names_are_only_text(make_page, make_score):
    scores = [make_score(label=HOSTILE, sampler=HOSTILE)]
    text = make_page(HOSTILE.replace("/", ""), crop=HOSTILE, scores=scores)
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert HOSTILE in "".join(Reader(text).text)
    assert not any(
        name.startswith("on")
        for _, attributes in Reader(text).elements
        for name in attributes
    )


def test_what_the_page_says(make_page, make_score):
    scores = [make_score(value=12.25, error=0.5)]
    text = " ".join("".join(Reader(make_page(scores=scores)).text).split())
    assert "2 models compared avatars, 32×32" in text
    assert "VAE/GAN" in text
    assert "finished, 100 steps" in text
    assert "12.25 ± 0.50 not evaluated" in text
    assert "b has not been evaluated." in text
    assert "Divergence from the prior" in text
    assert "1 at 100" in text
    assert "--gamma 0.25 does not apply" in text
    assert "vaegan-report a b" in text


def test_the_best_is_marked_in_words(make_record, make_outputs, make_score):
    records = [
        make_record("a", 0, scores=[make_score(value=3.0)]),
        make_record("b", 1, scores=[make_score(value=2.0)]),
    ]
    text = page.render(records, [make_outputs(), make_outputs()])
    assert "<td>3</td>" in text
    assert '<td class="best">2 <span class="mark">best</span></td>' in text
    assert "of 1 compared, b is best in 1." in text


def test_what_was_left_out_is_listed(make_record, make_outputs, make_score):
    record = make_record("b", scores=[make_score()], metrics=METRICS)
    record.evaluation.update(
        step=50, skipped=[{"what": "recall", "why": "no features."}]
    )
    outputs = make_outputs(problems=("b has no encoder.",))
    text = " ".join(page.render([record], [outputs]).split())
    assert "b lacks recall: no features." in text
    assert "The run has since reached step 100." in text
    assert "<li>b has no encoder.</li>" in text


def test_one_run_alone(make_record, make_outputs):
    text = page.render([make_record(metrics=METRICS)], [make_outputs()])
    assert "<h1>Report on a</h1>" in text
    assert "What differs" not in text
    assert "No run has been evaluated." in " ".join(text.split())


def test_a_run_that_has_only_begun(make_record):
    text = page.render([make_record()], [gallery.Outputs()])
    assert "No numbers have been recorded yet." in text
    assert "no run has a checkpoint" in text


def test_other_images_are_not_compared(make_record, make_outputs, make_score):
    records = [
        make_record("a", 0, scores=[make_score(value=1.0)], metrics=METRICS),
        make_record(
            "b",
            1,
            scores=[make_score(value=2.0)],
            metrics=METRICS,
            image_size=64,
        ),
    ]
    outputs = [make_outputs(), make_outputs(originals=1)]
    one, two = page.comparisons(records, outputs)
    assert (one["title"], two["title"]) == ("avatars, 32×32", "avatars, 64×64")
    for part in (one, two):
        assert len(part["records"]) == 1
        assert len(part["reconstructions"]) == len(part["samples"]) == 1
        assert part["scores"][0].verdict is None
        assert len(part["curves"][0].charts[0].lines) == 1
    text = page.render(records, outputs)
    assert "2 different sets of images" in text
    assert "best" not in text.partition("<main>")[2].partition("Scores")[0]


def test_eight_runs_make_a_page_of_reasonable_size(make_record, make_outputs):
    records = [make_record(f"run{n}", n, metrics=METRICS) for n in range(8)]
    outputs = [make_outputs(n) for n in range(8)]
    text = page.render(records, outputs)
    Reader(text)
    assert len(text) < 3e6


@pytest.mark.parametrize("name", ["report", "report.png", "runs/a/run.json"])
def test_names_that_are_no_page(make_run, tmp_path, name):
    run = make_run("runs/a")
    message = r"its name ends in \.html\. Received: "
    with pytest.raises(ValueError, match=message):
        page.write_report([run], tmp_path / name)


def test_an_output_that_is_a_folder(make_run, tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(ValueError, match=r"page\.html is a folder\. Give"):
        page.write_report([make_run("a")], tmp_path / "page.html")


def test_an_output_that_cannot_be_written(make_run, tmp_path, monkeypatch):
    monkeypatch.setattr(page.os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="Nothing can be written to"):
        page.write_report([make_run("a")], tmp_path / "out" / "page.html")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        page.write_report([make_run("b")], tmp_path / "file" / "page.html")


def test_the_old_page_stays_if_the_new_one_fails(
    make_run, tmp_path, monkeypatch
):
    def fail(*_):
        raise OSError("no space left")

    output = tmp_path / "pages" / "page.html"
    output.parent.mkdir()
    output.write_text("old")
    monkeypatch.setattr(gallery, "generate", lambda *_, **__: gallery.Outputs())
    monkeypatch.setattr("vaegan_tf.files.os.replace", fail)
    with pytest.raises(OSError, match="no space left"):
        page.write_report([make_run("a")], output)
    assert output.read_text() == "old"
    assert list(output.parent.iterdir()) == [output]
