"""Writes what others need of a run: weights, vectors, examples and a card."""

import hashlib
import json
import os
import pathlib
import shlex
import shutil
from typing import Any

from vaegan_tf import files, templates
from vaegan_tf.attributes import kept_vectors
from vaegan_tf.models import GenerativeModel, require
from vaegan_tf.runs import Run, published
from vaegan_tf.settings import fields

NOT_FOR = (
    "judging, identifying or tracking people, or passing pictures off as real",
    "images unlike those it was trained on: it answers, but means nothing",
    "statements about people: what is frequent or goes together in its "
    "pictures is so in its data",
)


def publish(
    run: Run,
    folder: str | os.PathLike,
    *,
    checkpoint: str = "latest",
    num_examples: int = 0,
    licence: str = "not stated",
) -> dict[str, Any]:
    """Writes a folder that `load_pretrained` reads.

    It holds the weights as they are used after training (16 bits), the run's
    attribute vectors and mixture if it has them for this checkpoint, and a
    card, `card.json` for programs and `README.md` for people. Paths of this
    machine are left out.

    Args:
        run: A finished run of a model that draws images.
        folder: Where to; replaced whole if it holds published weights.
        checkpoint: `"latest"` or `"best"`.
        num_examples: So many test images, to reconstruct and edit without the
            data set: only such as may be shared.
        licence: Under which the weights may be used.

    Returns:
        The card.

    Raises:
        FileNotFoundError: If the run lacks such a checkpoint.
        ValueError: If its model draws no images, it is published already, or
            the folder holds something else.
        OSError: If it cannot be written; what was there before stays.
    """
    folder = files.local(folder)
    check_target(folder)
    require(run.model_class, "sample")
    run.check_writable()
    model, step = run.model(checkpoint)
    example = run.examples("test", num_examples) if num_examples else None
    with files.replacing_folder(folder, f".partial-{folder.name}") as partial:
        target = Run(partial)
        files.write_json(target.record, _shared_record(run))
        published.write_weights(target.weights, model, step)
        if example is not None:
            published.write_examples(target.kept_examples, example)
        _copy_kept(run, target, step)
        card = _card(run, target, model, step)
        card = {"name": folder.name, "licence": licence, **card}
        files.write_json(target.card, card)
        files.write_text(partial / "README.md", _readme(card))
    return card


def check_target(folder: str | os.PathLike) -> None:
    """ValueError if publishing would delete something, or cannot be there."""
    files.check_replaceable_folder(folder, "weights.npz", "published weights")


def _shared_record(run: Run) -> dict[str, Any]:
    """The run's record without this machine's paths and this user's seal."""
    record, settings = run.read(), run.settings
    for name, group in settings.groups.items():
        for key, field in fields(type(group)).items():
            if field.is_path and record["settings"].get(name, {}).get(key):
                record["settings"][name][key] = None
    record["command"] = _without_paths(record.get("command") or "")
    return {**record, "origin": None}


def _without_paths(command: str) -> str:
    """A command whose absolute paths are cut to their last names."""
    words = []
    for word in shlex.split(command):
        name, equals, value = word.rpartition("=")
        if os.path.isabs(value):
            value = pathlib.Path(value).name
        words.append(f"{name}{equals}{value}")
    return shlex.join(words)


def _copy_kept(run: Run, target: Run, step: int) -> None:
    """Copies what was computed for these weights and lies beside them."""
    kept = {run.vectors: target.vectors, run.mixture: target.mixture}
    for source, copy in kept.items():
        if source.exists() and files.read_npz(source).get("step") == step:
            copy.parent.mkdir()
            shutil.copyfile(source, copy)


def _card(
    run: Run, target: Run, model: GenerativeModel, step: int
) -> dict[str, Any]:
    """What has to be known of weights, as JSON knows it."""
    record, groups = target.read(), run.settings.as_dict()
    batch_size = groups["optimisation"]["batch_size"]
    return {
        "title": model.title,
        "dataset": groups["data"]["dataset"],
        "data": record.get("data", {}),
        "image_shape": list(model.image_shape),
        "latent_dim": model.latent_dim,
        "parameters": {
            name: getattr(model, name).count_params() for name in model.networks
        },
        "training": {
            "command": record["command"],
            "seed": groups["run"]["seed"],
            "steps": step,
            "images": step * batch_size,
            "precision": record.get("precision"),
            "device": record.get("device"),
        },
        "commit": record.get("git_commit"),
        "versions": record.get("versions", {}),
        "attributes": _accuracies(target),
        **_scores(run, step),
        "not_for": list(NOT_FOR),
        "files": {
            path.relative_to(target.folder).as_posix(): {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(target.folder.rglob("*.npz"))
        },
    }


def _accuracies(target: Run) -> dict[str, float]:
    """How well the balanced vectors tell attributes apart, by their names."""
    if not target.vectors.exists():
        return {}
    vectors = kept_vectors(target)
    if vectors is None:
        return {}
    values = vectors.accuracies["balanced"].tolist()
    return {name: round(v, 4) for name, v in zip(vectors.names, values)}


def _scores(run: Run, step: int) -> dict[str, Any]:
    """What vaegan-evaluate measured of these weights, if it did."""
    try:
        record = json.loads(run.evaluation.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        record = {}
    if record.get("step") != step:
        return {"scores": [], "scored_by": None}
    scores = record.get("scores", [])
    averaged = {
        (s["group"], s["name"]) for s in scores if s["weights"] == "ema"
    }
    return {
        "scores": [
            score
            for score in scores
            if score["weights"] == "ema"
            or (score["group"], score["name"]) not in averaged
        ],
        "scored_by": _without_paths(record.get("command", "")),
    }


def _readme(card: dict[str, Any]) -> str:
    environment = templates.environment(
        "vaegan_tf.pretrained", autoescape=False
    )
    return environment.get_template("README.md").render(card)
