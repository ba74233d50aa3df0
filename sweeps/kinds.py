"""How is a run made, and which numbers are read of it?"""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from sweeps.table import HALVES, Scores

OF_CLASSES = {
    ("last", "t1"): "T1, % ↑",
    ("last", "u"): "u, % ↑",
    ("last", "s"): "s, % ↑",
    ("last", "h"): "H, % ↑",
    ("best_on_test", "t1"): "T1, best on test, % ↑",
    ("best_on_test", "h"): "H, best on test, % ↑",
}
OF_ATTRIBUTES = {"accuracy": "accuracy, % ↑", "f1": "F1, % ↑"}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of runs.

    Args:
        scores: From a run's name and its record to numbers.
        evaluation: From a run's folder and seed to flags of `vaegan-evaluate`;
            None where the training scores.
        command: What trains.
        record: The file in a run's folder which is there when it is done.
    """

    scores: Callable[[str, Mapping[str, Any]], Scores]
    evaluation: Callable[[pathlib.Path, str], list[str]] | None
    command: str = "train"
    record: str = "evaluation.json"


def image_scores(name: str, record: Mapping[str, Any]) -> Scores:
    """Scores that say what is better, of the averaged weights if there are any.

    Beside them stand the same numbers between halves of the real images.
    """
    # Imported here: with it comes TensorFlow, which need not wait for runs.
    from vaegan_tf.evaluation.scores import KINDS

    found: dict[str, float] = {}
    floors: dict[str, float] = {}
    for score in record["scores"]:
        if not KINDS[score["name"]].better:
            continue
        title = _title(score)
        if score["weights"] == "ema" or title not in found:
            found[title] = score["value"]
        if score["floor"] is not None:
            floors[title] = score["floor"]
    return {name: found, HALVES: floors}


def any_shot_scores(name: str, record: Mapping[str, Any]) -> Scores:
    """Scores of the protocol in per cent, those of the baselines first."""
    *baselines, model = record["any_shot"]
    shots = f", {record['shots']}-shot" if record["shots"] else ""
    names = {baseline: f"{baseline}{shots}" for baseline in baselines}
    names[model] = name
    return {
        names[who]: {
            title: 100 * found[way][key]
            for (way, key), title in OF_CLASSES.items()
            if way in found
        }
        for who, found in record["any_shot"].items()
    }


def predictor_scores(name: str, record: Mapping[str, Any]) -> Scores:
    """Scores on the test split in per cent, means over the attributes."""
    mean, titles = record["mean"], OF_ATTRIBUTES
    return {name: {title: 100 * mean[key] for key, title in titles.items()}}


def _samplers(folder: pathlib.Path, seed: str) -> list[str]:
    """Codes of the prior, and of a mixture where there is an encoder."""
    kind = json.loads((folder / "run.json").read_text())["kind"]
    return [] if kind == "gan" else ["--samplers=prior,mixture"]


def _title(score: Mapping[str, Any]) -> str:
    from vaegan_tf.evaluation.scores import HEADINGS, KINDS

    kind, sampler = KINDS[score["name"]], score["sampler"]
    arrow = "↑" if kind.better == "higher" else "↓"
    codes = f", {sampler} codes" if sampler else ""
    label = kind.label  # In small letters, but for abbreviations.
    if not label[1].isupper():
        label = label[0].lower() + label[1:]
    return f"{HEADINGS[score['group']]}: {label}{codes} {arrow}"


IMAGES = Kind(image_scores, _samplers)
ANY_SHOT = Kind(any_shot_scores, lambda folder, seed: [f"--seed={seed}"])
PATCHES = Kind(image_scores, lambda folder, seed: [])
PREDICTORS = Kind(
    predictor_scores, None, command="predictor", record="scores.json"
)
