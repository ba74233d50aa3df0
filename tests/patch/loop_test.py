"""The loop over a folder of pictures, as the documentation has it."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from vaegan_tf.cli import train

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "patch.md"
# Notes how it was called, and finishes every run but that of a broken file.
STAND_IN = """#!/usr/bin/env python3
import json, pathlib, sys
with open("calls", "a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
flags = dict(flag.split("=", 1) for flag in sys.argv[1:])
if pathlib.Path(flags["--source_dir"]).read_text() != "broken":
    pathlib.Path(flags["--model_dir"], "export").mkdir(parents=True)
"""


@pytest.fixture
def loop(tmp_path):
    """Runs the loop, and says how the command was called meanwhile."""
    (text,) = re.findall(
        r"^for file in .*?^done$", DOCUMENT.read_text(), re.M | re.S
    )
    command = tmp_path / "vaegan-train"
    command.write_text(STAND_IN)
    command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    def called():
        (tmp_path / "calls").write_text("")
        subprocess.run(
            ["bash", "-c", text],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            check=True,
        )
        calls = (tmp_path / "calls").read_text().splitlines()
        return [json.loads(call) for call in calls]

    return called


def test_the_loop_ends_where_a_run_does_not_and_goes_on_from_there(
    tmp_path, loop
):
    folder = tmp_path / "beaches"
    folder.mkdir()
    for name in ("a b.jpg", "c.jpg", "d.jpg"):
        (folder / name).write_text("broken" if name == "c.jpg" else "")

    def files(calls):
        for call in calls:
            _, data, *_ = train.command.parse(call)
            yield pathlib.Path(data.source_dir).name

    assert [*files(loop())] == ["a b.jpg", "c.jpg"]
    (folder / "c.jpg").write_text("whole")
    assert [*files(loop())] == ["c.jpg", "d.jpg"]
    assert loop() == []
    runs = sorted(path.name for path in (tmp_path / "runs/beaches").iterdir())
    assert runs == ["a b.jpg", "c.jpg", "d.jpg"]
