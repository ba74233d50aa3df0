"""Runs that were never trained: files with numbers made up for a test."""

import copy
import json

import numpy as np
import pytest

from vaegan_tf.report import gallery, records

SETTINGS = {
    "data": {
        "dataset": "avatars",
        "data_dir": None,
        "source_dir": None,
        "image_size": 32,
        "num_channels": 3,
        "attributes": [],
        "crop": "auto",
    },
    "model": {"latent_dim": 4, "conditional": False},
    "optimisation": {
        "batch_size": 8,
        "train_steps": 100,
        "final_learning_rate": 1e-6,
    },
    "run": {"strategy": "one", "deterministic": False},
    "evaluation": {"eval_every": None},
}
# What only models of one kind have.
OWN = {"vaegan": {"gamma": 0.25}}


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def make_run(tmp_path):
    """A function that makes a run's folder without a checkpoint."""

    def make(
        name,
        *,
        kind="vaegan",
        metrics=(),
        speeds=(),
        scores=None,
        **changes,
    ):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        settings = copy.deepcopy(SETTINGS)
        settings["model"].update(OWN.get(kind, {}))
        for setting, value in changes.items():
            known = [s for s in settings.values() if setting in s]
            (known or [settings["run"]])[0][setting] = value
        about = {
            "kind": kind,
            "settings": settings,
            "inputs": {},
            "attribute_names": [],
            "versions": {"python": "3.11"},
            "git_commit": None,
        }
        (folder / "run.json").write_text(json.dumps(about))
        (folder / "metrics.jsonl").write_text(lines(metrics))
        (folder / "speed.jsonl").write_text(lines(speeds))
        if scores is not None:
            evaluation = {"split": "test", "step": 100, "scores": scores}
            (folder / "evaluation.json").write_text(json.dumps(evaluation))
        return folder

    return make


@pytest.fixture
def make_record(make_run):
    """A function that makes a run's folder and reads it."""

    def make(name="a", index=0, **settings):
        (record,) = records.read_records([make_run(name, **settings)])
        object.__setattr__(record, "index", index)
        return record

    return make


def score(name="frechet_distance", value=1.0, **others):
    """A score as `evaluation.json` holds it."""
    return {
        "group": "samples",
        "name": name,
        "label": "Fréchet distance",
        "value": value,
        "error": None,
        "floor": None,
        "better": "lower",
        "unit": None,
        "weights": "ema",
        "sampler": "prior",
        "features": "predictor",
        "resize": None,
        "num_images": 1000,
        **others,
    }


@pytest.fixture
def make_score():
    """A function that makes a score as `evaluation.json` holds it."""
    return score


@pytest.fixture
def make_outputs():
    """A function that makes what a model might have generated."""

    def make(seed=0, originals=0, **others):
        rng = np.random.default_rng(seed)
        shown = np.random.default_rng(originals)
        return gallery.Outputs(
            **{
                "step": 100,
                "parameters": (("encoder", 1200, True), ("decoder", 34, False)),
                "samples": rng.uniform(-1, 1, (9, 32, 32, 3)),
                "originals": shown.uniform(-1, 1, (10, 32, 32, 3)),
                "reconstructions": rng.uniform(-1, 1, (10, 32, 32, 3)),
                **others,
            }
        )

    return make
