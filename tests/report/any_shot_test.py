"""Runs of features in a report: the any-shot table, and no images."""

import json

import pytest

from vaegan_tf.report import any_shot, gallery, page, records


def scores(t1, h):
    return {"t1": t1, "u": 0.25, "s": 0.5, "h": h}


BASELINE = {"last": scores(0.1, 0.0)}
KEYS = ("image_size", "num_channels", "crop", "attributes")


@pytest.fixture
def make_any_shot(make_run):
    """A function that makes a run of features, evaluated or not."""

    def make(name, kind="f_vae", found=None, shots=0, stage="test"):
        folder = make_run(name, kind=kind, metrics=[{"step": 100, "kl": 1.0}])
        about = json.loads((folder / "run.json").read_text())
        for key in KEYS:
            del about["settings"]["data"][key]
        about["settings"]["data"] |= {
            "dataset": "xlsa17",
            "features_file": "base.mat",
            "stage": stage,
            "shots": shots,
        }
        about["settings"]["model"]["latent_dim"] = None
        about["inputs"] = {"num_attributes": 85}
        (folder / "run.json").write_text(json.dumps(about))
        if found is not None:
            record = {"step": 100, "any_shot": found}
            (folder / "evaluation.json").write_text(json.dumps(record))
        return folder

    return make


@pytest.fixture
def two_runs(make_any_shot):
    """A VAE and a GAN beside the same baseline; the GAN beside another too."""
    of_vae = {"last": scores(0.3, 1 / 3), "best_on_test": scores(0.4, 0.35)}
    found = {"ESZSL": BASELINE, "f-VAE": of_vae}
    other = {
        "ESZSL": BASELINE,
        "softmax on labelled examples": {"last": scores(0.2, 0.0)},
        "f-WGAN": {"last": scores(0.31, 0.32)},
    }
    return records.read_records(
        [
            make_any_shot("a", "f_vae", found),
            make_any_shot("b", "f_wgan", other),
        ]
    )


def test_baselines_stand_once_above_the_runs(two_runs):
    rows = any_shot.any_shot_rows(two_runs)
    names = ["ESZSL", "softmax on labelled examples", "f-VAE", "f-WGAN"]
    assert [row.name for row in rows] == names
    assert [row.record for row in rows] == [None, None, *two_runs]
    own = ("30.0", "25.0", "50.0", "33.3", "40.0", "25.0", "50.0", "35.0")
    assert rows[2].cells == own
    assert rows[0].cells == ("10.0", "25.0", "50.0", "0.0", *[""] * 4)


def test_the_page_of_features_has_a_table_and_no_images(two_runs):
    text = page.render(two_runs, [gallery.Outputs(step=100)] * 2)
    assert "<h3>Classes told</h3>" in text
    assert "<td>33.3</td>" in text
    assert 'href="#images"' not in text
    assert 'id="images"' not in text
    assert "<dd>85</dd>" in text  # The code is as long as the attributes.
    assert "xlsa17 base.mat, zero-shot" in text


def test_other_tasks_are_not_compared(make_any_shot):
    few = make_any_shot("few", shots=5, stage="validation")
    both = records.read_records([make_any_shot("none"), few])
    titles = [
        part["title"]
        for part in page.comparisons(both, [gallery.Outputs()] * 2)
    ]
    assert titles == [
        "xlsa17 base.mat, zero-shot",
        "xlsa17 base.mat, validation classes, 5 shots a class",
    ]
    text = page.render(both, [gallery.Outputs()] * 2)
    assert "2 different sets of features" in text
    assert "No run of xlsa17 base.mat, zero-shot has been evaluated." in text


@pytest.mark.parametrize(
    "found", [1, {"f-VAE": {}}, {"f-VAE": {"last": {"t1": "high"}}}]
)
def test_damaged_scores(make_any_shot, found):
    folder = make_any_shot("a", found=found)
    with pytest.raises(
        ValueError, match=r"`evaluation\.any_shot[^`]*` is missing"
    ):
        records.read_records([folder])


def test_charts_of_critics_are_not_explained_as_discriminators(make_any_shot):
    folder = make_any_shot("a", "f_wgan")
    line = {"step": 100, "real": 0.5, "penalty": 0.1, "novel_real": 0.2}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    text = page.render(
        records.read_records([folder]), [gallery.Outputs(step=100)]
    )
    assert "Critic: real features" in text
    assert "Critic: gradient penalty" in text
    assert "Critic of novel features: real features" in text
    assert "Discriminator" not in text
