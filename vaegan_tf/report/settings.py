"""Settings, cost and commands of runs as text."""

import shlex
import statistics
from collections.abc import Sequence

from vaegan_tf.report import formatting
from vaegan_tf.report.gallery import Outputs
from vaegan_tf.report.records import Record
from vaegan_tf.settings import fields, groups_of
from vaegan_tf.training.callbacks import duration

UNKNOWN = "not recorded"
_ABSENT = object()
Rows = list[tuple[str, list[str | None]]]
_VERSIONS = {
    "System": "system",
    "Python": "python",
    "TensorFlow": "tensorflow",
    "Keras": "keras",
    "vaegan-tf": "vaegan-tf",
}


def setting_tables(records: Sequence[Record]) -> tuple[Rows, Rows, Rows]:
    """Settings that differ, that do not, and that influence nothing.

    They stand side by side for all runs; `None` where one does not apply.
    """
    differing: Rows = []
    shared: Rows = []
    organisation: Rows = []
    changeable = {
        name
        for record in records
        for group in groups_of(record.kind).values()
        for name, field in fields(group).items()
        if field.changeable
    }
    for name in dict.fromkeys(n for record in records for n in record.settings):
        given = [record.settings.get(name, _ABSENT) for record in records]
        values = [
            None if v is _ABSENT else formatting.setting(v) for v in given
        ]
        if name in changeable - {"train_steps"}:
            organisation.append((name, values))
        elif len(set(values)) > 1:
            differing.append((name, values))
        else:
            shared.append((name, values))
    return differing, shared, organisation


def cost_rows(records: Sequence[Record], outputs: Sequence[Outputs]) -> Rows:
    """What training cost, and on what it ran: (name, a text for each run)."""
    rows = {
        "Steps": [f"{record.steps:,}" for record in records],
        "Examples in a step": [f"{record.batch_size:,}" for record in records],
        "Examples seen": [examples_seen(record) for record in records],
        "Time": [_time(record) for record in records],
        "Speed": [speed(record) for record in records],
        "Parameters": [_parameters(output) for output in outputs],
        "Device": [record.about.get("device") for record in records],
        "Number format": [record.about.get("precision") for record in records],
    }
    versions = [record.about.get("versions", {}) for record in records]
    for name, key in _VERSIONS.items():
        rows[name] = [version.get(key) for version in versions]
    rows["Commit"] = [record.about.get("git_commit") for record in records]
    return [(n, [v or UNKNOWN for v in values]) for n, values in rows.items()]


def examples_seen(record: Record) -> str:
    """Examples that were trained on so far, repetitions included."""
    return f"{record.steps * record.batch_size:,}"


def speed(record: Record) -> str:
    """The median speed: the first steps, which are slow, weigh little."""
    speeds = [line["images_per_second"] for line in record.speeds]
    if not speeds:
        return UNKNOWN
    return f"{formatting.number(statistics.median(speeds), 3)} examples/s"


def state(record: Record) -> str:
    """How far a training run is, in words."""
    if record.is_finished:
        return f"finished, {record.steps:,} steps"
    return f"unfinished, {record.steps:,} of {record.planned_steps:,} steps"


def train_command(record: Record) -> str:
    """What was typed, as far as it is known."""
    return record.about.get("command") or _flag_file_command(record)


def again_command(record: Record) -> str:
    """What trains the same model again, in another folder."""
    return _flag_file_command(record, f"--model_dir={record.run.folder}-again")


def _flag_file_command(record, *others):
    flag_file = f"--flagfile={record.run.flags}"
    return shlex.join(["vaegan-train", flag_file, *others])


def _time(record):
    seconds = [line["seconds"] for line in record.speeds]
    return duration(sum(seconds)) if seconds else UNKNOWN


def _parameters(outputs):
    if not outputs.parameters:
        return UNKNOWN
    total = sum(count for _, count, _ in outputs.parameters)
    parts = ", ".join(
        f"{name} {count:,}{'' if trained else ' (fixed)'}"
        for name, count, trained in outputs.parameters
    )
    return f"{total:,} ({parts})"
