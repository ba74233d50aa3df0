"""What the soak command makes trouble with."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys

import pytest

from soak import faults
from soak.mutations import mutated, mutated_json


def test_damage_is_done_and_depends_on_the_seed():
    content = bytes(range(256))
    made = [mutated(content, random.Random(seed)) for seed in range(20)]
    assert made == [mutated(content, random.Random(seed)) for seed in range(20)]
    assert sum(each != content for each in made) > 15


def test_damaged_json_is_mostly_json():
    content = b'{"step": 1, "names": ["a", {"b": 2.5}]}\n'
    whole = 0
    for seed in range(50):
        damaged = mutated_json(content, random.Random(seed))
        try:
            whole += json.loads(damaged) != json.loads(content)
        except ValueError:
            continue
    assert whole > 20


WRITER = """
import sys
for number in range(4):
    try:
        with open(f"{sys.argv[1]}/{number}", "w") as file:
            file.write("x")
        print(number)
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="no compiler")
def test_writes_into_one_folder_fail(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    environment = {
        **os.environ,
        "LD_PRELOAD": os.fspath(faults._library()),
        "SOAK_FOLDER": os.fspath(inside),
        "SOAK_AT": "2",
        "SOAK_COUNT": "2",
        "SOAK_ERRNO": str(errno.ENOSPC),
    }
    said = []
    for folder in (inside, outside):
        folder.mkdir()
        arguments = [sys.executable, "-c", WRITER, os.fspath(folder)]
        output = subprocess.check_output(arguments, env=environment, text=True)
        said.append(output.split())
    assert said == [["0", "28", "28", "3"], ["0", "1", "2", "3"]]
