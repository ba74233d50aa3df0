"""A report of damaged files is refused by the file's name, or made."""

import json
import random

import pytest

from soak.mutations import mutated, mutated_json
from vaegan_tf.report import page
from vaegan_tf.report.records import read_records

METRICS = [
    {"step": 50, "kl": 2.0, "validation/pixel_error": 0.5},
    {"step": 100, "kl": 1.0, "learning_rate/encoder": 1e-4},
]
SPEEDS = [{"step": 50, "seconds": 3.0, "images_per_second": 9.0}]
MORE = {
    "seed": 0,
    "created": "2026-01-02T03:04:05+0100",
    "seconds": 3.5,
    "command": "vaegan-evaluate",
    "latent": {"kl": [0.5, 1.0]},
    "skipped": [{"what": "this", "why": "that"}],
    "notes": ["Beware."],
}
FILES = (
    "run.json",
    "metrics.jsonl",
    "speed.jsonl",
    "evaluation.json",
    "similarity.json",
)


@pytest.fixture
def run(make_run, make_score):
    scores = [make_score(), make_score("precision", 0.5, error=0.1)]
    folder = make_run("a", metrics=METRICS, speeds=SPEEDS, scores=scores)
    path = folder / "evaluation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **MORE}))
    edits = [make_score("success", 0.5, group="edits", edit="plain × 1")]
    similarity = {"split": "test", "step": 100, "scores": edits}
    (folder / "similarity.json").write_text(json.dumps(similarity))
    return folder


def report(run, outputs):
    records = read_records([run])
    return page.render(records, [outputs])


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_named_or_shown(run, make_outputs, name):
    rng, path = random.Random(name), run / name
    valid, outputs = path.read_bytes(), make_outputs()
    assert "2 models" not in report(run, outputs)
    refused = 0
    for number in range(30):
        damage = mutated if number % 3 == 0 else mutated_json
        path.write_bytes(damage(valid, rng))
        try:
            report(run, outputs)
        except ValueError as error:
            refused += 1
            said = str(error)
            if str(run) not in said and "must be one of" not in said:
                raise
    assert refused > 3
