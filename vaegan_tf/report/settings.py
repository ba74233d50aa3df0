"""What was trained, and what did it cost?"""

import shlex
import statistics

from vaegan_tf.models import MODELS
from vaegan_tf.report import words
from vaegan_tf.training.observers import in_words
from vaegan_tf.training.train import CHANGEABLE

UNKNOWN = "not recorded"


def setting_tables(records):
    """Settings of all runs, side by side.

    Settings that a run leaves to be found out (`gamma`) are shown as what was
    found; those that its model does not have, as `None`.

    Args:
        records: The runs' `Record`s.

    Returns:
        `(differing, shared, organisation)`: what differs between runs, what
        does not, and what has no part in the experiment.
    """
    names = list(
        dict.fromkeys(
            name for record in records for name in record.about["flags"]
        )
    )
    rows = [
        (name, tuple(_setting(record, name) for record in records))
        for name in names
    ]
    experiment = [
        row for row in rows if row[0] not in CHANGEABLE - {"train_steps"}
    ]
    differing = [row for row in experiment if _differs(row[1])]
    shared = [row for row in experiment if row not in differing]
    others = [row for row in rows if row not in experiment]
    return tuple(tuple(part) for part in (differing, shared, others))


def cost_rows(records, looks):
    """What trainings cost, and on what they ran.

    Args:
        records: The runs' `Record`s.
        looks: What their models showed, `Look`s.

    Returns:
        Rows of (name, a text for each run).
    """
    rows = [
        ("Steps", [f"{record.steps:,}" for record in records]),
        ("Images in a step", [f"{r.batch_size:,}" for r in records]),
        ("Images seen", [images_seen(record) for record in records]),
        ("Time", [_time(record) for record in records]),
        ("Speed", [speed(record) for record in records]),
        ("Parameters", [_parameters(look) for look in looks]),
        ("Device", [_known(record, "device") for record in records]),
        ("Number format", [_known(record, "precision") for record in records]),
        ("System", [_version(record, "system") for record in records]),
    ]
    rows += [
        (name, [_version(record, key) for record in records])
        for name, key in (
            ("Python", "python"),
            ("TensorFlow", "tensorflow"),
            ("Keras", "keras"),
            ("vaegan-tf", "vaegan-tf"),
        )
    ]
    rows.append(
        ("Commit", [_known(record, "git_commit") for record in records])
    )
    return rows


def images_seen(record):
    """Images that were trained on so far, repetitions included."""
    return f"{record.steps * record.batch_size:,}"


def speed(record):
    """The median speed: the first steps, which are slow, weigh little."""
    speeds = [line["images_per_second"] for line in record.speeds]
    if not speeds:
        return UNKNOWN
    return f"{words.number(statistics.median(speeds), 3)} images/s"


def state(record):
    """How far a training is, in words."""
    steps, planned = f"{record.steps:,}", f"{record.planned_steps:,}"
    if record.is_finished:
        return f"finished, {steps} steps"
    return f"unfinished, {steps} of {planned} steps"


def train_command(record):
    """What was typed, as far as it is known."""
    known = shlex.join(["vaegan-train", f"--flagfile={record.run.flags}"])
    return record.about.get("command") or known


def again_command(record):
    """What trains the same model again, in another folder."""
    folder = f"--model_dir={record.run.folder}-again"
    return shlex.join(
        ["vaegan-train", f"--flagfile={record.run.flags}", folder]
    )


def _setting(record, name):
    if not _has(record, name):
        return None
    value = record.about["flags"].get(name)
    resolved = record.about["model"].get(name)
    if value is None and resolved is not None:
        value = resolved
    return words.setting(value)


def _has(record, name):
    """Whether a setting means anything to the run's model."""
    model = MODELS[record.kind]
    if name not in record.about["flags"]:
        return False
    if name.endswith("_learning_rate") and name != "final_learning_rate":
        return name.removesuffix("_learning_rate") in model.trained_networks
    if name == "discriminator_from":
        return record.kind == "learned_metric_vae"
    particular = {item for other in MODELS.values() for item in other.settings}
    return name in model.settings or name not in particular


def _differs(values):
    return len(set(values)) > 1


def _time(record):
    if not record.speeds:
        return UNKNOWN
    return in_words(sum(line["seconds"] for line in record.speeds))


def _parameters(look):
    if not look.parameters:
        return UNKNOWN
    total = sum(count for _, count, _ in look.parameters)
    parts = ", ".join(
        f"{name} {count:,}{'' if trained else ' (fixed)'}"
        for name, count, trained in look.parameters
    )
    return f"{total:,} ({parts})"


def _known(record, name):
    return record.about.get(name) or UNKNOWN


def _version(record, name):
    return record.about.get("versions", {}).get(name) or UNKNOWN
